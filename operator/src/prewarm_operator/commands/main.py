"""The command line of `prewarm`."""

import argparse
import sys

from prewarm_operator.commands import simulate


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 2 for input that is wrong."""
    parser = argparse.ArgumentParser(prog="prewarm", description="Tools around AgentDeployments.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    simulate.add_arguments(
        commands.add_parser("simulate", help="what mode Auto, an HPA and others would have done with a recorded load")
    )
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
