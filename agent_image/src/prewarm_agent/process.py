"""The process from its first moment to its last: start, serve, drain."""

import asyncio
import logging
import signal
import socket

import uvloop

from prewarm_agent import log
from prewarm_agent.observe import traces
from prewarm_agent.serve.auth import Auth
from prewarm_agent.serve.drain import drain
from prewarm_agent.serve.probes import ProbeApplication
from prewarm_agent.serve.server import Server
from prewarm_agent.serve.specialize import Orders
from prewarm_agent.serve.users import UserApplication
from prewarm_agent.settings import Settings
from prewarm_agent.spec import termination
from prewarm_agent.spec.findings import PermanentError
from prewarm_agent.startup.generic import GenericPod
from prewarm_agent.startup.phases import Startup, start
from prewarm_agent.startup.state import Lifecycle, Stage

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0
# What those who watch the load need to hear that it is over.
LAST_LINES_SECONDS = 0.1


def run(settings: Settings, users: socket.socket, probes: socket.socket) -> int:
    """Serves on two listening sockets until SIGTERM.

    The exit code: 0 after a drain, 78 for a spec that can never be served, 1 for a bug. The event loop is left open,
    since closing it would wait for threads in which users' tools may still run: end the process.
    """
    log.configure()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(_serve(settings, users, probes))


async def _serve(settings: Settings, users: socket.socket, probes: socket.socket) -> int:
    lifecycle = Lifecycle()
    application = UserApplication(lifecycle, Auth(settings.api_token, settings.api_token_file))
    startup = Startup(settings, lifecycle)
    pod = GenericPod(startup, application) if settings.pool_path else None
    probe_application = ProbeApplication(lifecycle, Orders(startup, pod))
    server, probe_server = Server(application, users), Server(probe_application, probes)
    serving = asyncio.create_task(server.serve())
    probing = asyncio.create_task(probe_server.serve())
    lifecycle.bound()
    ports = {"port": users.getsockname()[1], "probe_port": probes.getsockname()[1]}
    logger.info("listening", extra=ports)

    told_to_stop, delay_over = _signals()
    starting = asyncio.create_task(pod.start() if pod else start(startup, application))
    await asyncio.wait({starting, told_to_stop}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and (error := starting.exception()) is not None:
        return _failed(settings, lifecycle, error)
    await asyncio.wait({told_to_stop, serving, probing}, return_when=asyncio.FIRST_COMPLETED)
    if not told_to_stop.done():
        logger.error("a server ended by itself", exc_info=next(t.exception() for t in (serving, probing) if t.done()))
        return 1
    if lifecycle.stage is not Stage.WARM:
        lifecycle.drain()
        await asyncio.sleep(LAST_LINES_SECONDS)
        return 0  # nobody was sent here yet

    spec = startup.spec.drain
    asyncio.get_running_loop().call_later(spec.delay_seconds, _resolve, delay_over)
    await drain(server, serving, application, lifecycle, delay=delay_over, timeout_seconds=spec.timeout_seconds)
    for task in startup.background:
        task.cancel()
    await asyncio.wait({asyncio.create_task(startup.resources.close())}, timeout=CLOSE_SECONDS)
    await traces.flush()
    probe_server.should_exit = True
    await asyncio.wait({probing}, timeout=CLOSE_SECONDS)
    return 0


def _signals() -> tuple[asyncio.Future[None], asyncio.Future[None]]:
    """Resolved when the process is told to stop, and when it need not wait for others to notice (Ctrl-C)."""
    loop = asyncio.get_running_loop()
    told_to_stop: asyncio.Future[None] = loop.create_future()
    delay_over: asyncio.Future[None] = loop.create_future()

    def interrupt() -> None:
        _resolve(told_to_stop)
        _resolve(delay_over)

    loop.add_signal_handler(signal.SIGTERM, _resolve, told_to_stop)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    return told_to_stop, delay_over


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _failed(settings: Settings, lifecycle: Lifecycle, error: BaseException) -> int:
    """Says why the start failed, where each reader looks for it."""
    lifecycle.failed(str(error))
    if not isinstance(error, PermanentError):
        logger.error("start failed", exc_info=error)
        return 1
    for finding in error.findings:
        logger.error("spec refused", extra={"reason": finding.reason, "path": finding.path, "text": finding.text})
    try:
        termination.write(settings.termination_log_path, error)
    except OSError as failure:
        logger.warning("no termination log", extra={"path": settings.termination_log_path, "error": str(failure)})
    return termination.EXIT_CODE
