"""From SIGTERM to the last answer."""

import asyncio
import logging

from prewarm_agent.serve.server import Server
from prewarm_agent.serve.users import UserApplication
from prewarm_agent.startup.state import Lifecycle

logger = logging.getLogger(__name__)

# After the timeout runs are told to stop. Their clients are owed an answer, and get it before the kubelet kills.
LAST_ANSWERS_SECONDS = 2.0


async def drain(
    server: Server,
    serving: asyncio.Task[None],
    application: UserApplication,
    lifecycle: Lifecycle,
    *,
    delay: asyncio.Future[None],
    timeout_seconds: float,
) -> None:
    """Loses no request that reaches this process before `delay` is over, and returns when `server` has ended.

    1. Until the delay is over, everything is served, on new connections too: the Service's other side learns that this
       pod goes only by and by. Every answer carries `Connection: close`, so clients leave one by one.
    2. Then the listener closes. What comes on connections that are still open is served until their clients have let
       go of them, or would not use them any more (see Connection.shutdown).
    3. What still runs when the timeout is over is stopped, and its client gets an error that says so.
    """
    lifecycle.drain()
    logger.info("draining")
    await delay
    lifecycle.closed = True
    server.should_exit = True
    done, _ = await asyncio.wait({serving}, timeout=timeout_seconds)
    if not done and application.end_all():
        done, _ = await asyncio.wait({serving}, timeout=LAST_ANSWERS_SECONDS)
    logger.info("drained", extra={"complete": bool(done)})
