"""The command `prewarm-operator`."""

import argparse
import asyncio
import logging
import sys

from prewarm_operator import settings
from prewarm_operator.control import app
from prewarm_operator.kube.errors import KubeError


def main() -> int:
    """Run the operator; returns the exit code."""
    parser = argparse.ArgumentParser(prog="prewarm-operator", description="Keeps the pods of AgentDeployments warm.")
    parser.add_argument(
        "--port", type=int, default=settings.HTTP_PORT, help="probes and metrics (default: %(default)s)"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    try:
        asyncio.run(app.run(settings.from_environment(), arguments.port))
    except (settings.SettingsError, KubeError) as error:
        sys.stderr.write(f"prewarm-operator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
