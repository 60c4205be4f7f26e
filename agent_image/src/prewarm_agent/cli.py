"""The command line of the image: `prewarm-agent serve` and what helps authors of agents."""

import argparse
import os
import signal
import sys
from typing import NoReturn

from prewarm_agent.doctor import command as doctor
from prewarm_agent.serve.listen import listen
from prewarm_agent.settings import POOL_PATH, PROBE_PORT, SPEC_PATH, USER_PORT, Settings
from prewarm_agent.spec import command as check


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="prewarm-agent", description="Serves one AutoGen agent, warm from the start.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the agent of a spec until SIGTERM")
    what = serve.add_mutually_exclusive_group()
    what.add_argument("--spec", metavar="FILE", help=f"the agent spec (default: $PREWARM_SPEC or {SPEC_PATH})")
    generic = f"start without an agent, as a pod of this pool, and be told later (default {POOL_PATH})"
    what.add_argument("--generic", metavar="FILE", nargs="?", const=POOL_PATH, help=generic)
    serve.add_argument("--port", type=_port, help=f"port for users (default {USER_PORT}, 0 for any free one)")
    serve.add_argument("--probe-port", type=_port, help=f"port for probes and metrics (default {PROBE_PORT})")
    check.add_arguments(commands.add_parser("check", help="say what a spec would be refused or warned for"))
    doctor.add_arguments(commands.add_parser("doctor", help="measure an agent of your own and name what makes it slow"))
    return parser


def _port(text: str) -> int:
    """The number in `text`. Raises ArgumentTypeError, which argparse tells with the name of the option."""
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 to 65535.")
    return int(text)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs a command and ends the process: 0 after a drain, 78 for a spec that can never be served, 1 otherwise."""
    options = _parser().parse_args(arguments)
    if options.command == "check":
        sys.exit(check.run(options))
    if options.command == "doctor":
        sys.exit(doctor.run(options))
    # The kernel drops a signal that the first process of a container does not handle, and the imports take a while: a
    # pod deleted meanwhile would stay for its whole grace period.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        settings = Settings.resolve(
            spec=options.spec, pool=options.generic, port=options.port, probe_port=options.probe_port
        )
        users, probes = listen(settings.port), listen(settings.probe_port)
    except (ValueError, OSError) as error:
        sys.exit(f"prewarm-agent: {error}")

    from prewarm_agent import process

    code = process.run(settings, users, probes)
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: it joins the thread pool, and a user's synchronous tool may hold a thread for minutes.
    os._exit(code)
