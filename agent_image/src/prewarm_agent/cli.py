"""The command line: `prewarm-agent serve`."""

import argparse
import os
import signal
import sys
from typing import NoReturn

from prewarm_agent.serve.listen import listen
from prewarm_agent.settings import PROBE_PORT, SPEC_PATH, USER_PORT, Settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="prewarm-agent", description="Serves one AutoGen agent, warm from the start.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the agent of a spec until SIGTERM")
    serve.add_argument("--spec", metavar="FILE", help=f"the agent spec (default: $PREWARM_SPEC or {SPEC_PATH})")
    serve.add_argument("--port", type=int, help=f"port for users (default {USER_PORT}, 0 for any free one)")
    serve.add_argument("--probe-port", type=int, help=f"port for probes and metrics (default {PROBE_PORT})")
    return parser


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs a command and ends the process: 0 after a drain, 78 for a spec that can never be served, 1 otherwise."""
    # The kernel drops a signal that the first process of a container does not handle, and the imports take a while: a
    # pod deleted meanwhile would stay for its whole grace period.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.resolve(spec=options.spec, port=options.port, probe_port=options.probe_port)
        users, probes = listen(settings.port), listen(settings.probe_port)
    except (ValueError, OSError) as error:
        sys.exit(f"prewarm-agent: {error}")

    from prewarm_agent import process

    code = process.run(settings, users, probes)
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: it joins the thread pool, and a user's synchronous tool may hold a thread for minutes.
    os._exit(code)
