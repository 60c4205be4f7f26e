"""The command line of `prewarm`."""

import argparse
import sys

from prewarm_operator.commands import explain, restart, simulate, status


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 if it failed, 2 for input that is wrong."""
    parser = argparse.ArgumentParser(prog="prewarm", description="Tools around AgentDeployments.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    simulate.add_arguments(
        commands.add_parser("simulate", help="what mode Auto, an HPA and others would have done with a recorded load")
    )
    explain.add_arguments(commands.add_parser("explain", help="why there are this many pods, now and in the last hour"))
    status.add_arguments(commands.add_parser("status", help="all AgentDeployments in one table"))
    restart.add_arguments(commands.add_parser("restart", help="replace the pods by new ones, after a Secret changed"))
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
