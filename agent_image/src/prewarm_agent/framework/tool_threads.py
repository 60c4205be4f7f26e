"""The threads in which synchronous tools run, so that none of them can stop the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

# Tools wait more than they compute. Python's own choice follows the cores of the node, not what the pod may use.
TOOL_THREADS = 64


def install(loop: asyncio.AbstractEventLoop) -> None:
    """Makes a bounded pool the default executor of `loop`, which is where AutoGen runs synchronous tools."""
    loop.set_default_executor(ThreadPoolExecutor(TOOL_THREADS, thread_name_prefix="tool"))
