"""The command line of `prewarm`."""

import argparse
import sys
from importlib import import_module

COMMANDS = {
    "simulate": "what mode Auto, an HPA and others would have done with a recorded load",
    "explain": "why there are this many pods, now and in the last hour",
    "status": "all AgentDeployments in one table",
    "restart": "replace the pods by new ones, after a Secret changed",
}
"""What each does, by name, which is that of its module."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 if it failed, 2 for input that is wrong."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="prewarm", description="Tools around AgentDeployments.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, does in COMMANDS.items():
        command = commands.add_parser(name, help=does)
        if given[:1] == [name]:  # what the others import would take longer than many a command
            import_module(f"prewarm_operator.commands.{name}").add_arguments(command)
    options = parser.parse_args(given)
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
