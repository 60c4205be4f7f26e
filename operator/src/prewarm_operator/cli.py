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
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    try:
        lease = settings.LeaseTimes(
            duration_seconds=arguments.lease_seconds,
            renew_deadline_seconds=arguments.renew_deadline_seconds,
            retry_seconds=arguments.retry_seconds,
        )
        asyncio.run(app.run(settings.from_environment(lease, arguments.resync_seconds), arguments.port))
    except (settings.SettingsError, KubeError) as error:
        sys.stderr.write(f"prewarm-operator: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prewarm-operator",
        description="Keeps the pods of AgentDeployments warm.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=settings.HTTP_PORT, help="probes and metrics")
    parser.add_argument(
        "--resync-seconds",
        type=float,
        default=settings.Settings.resync_seconds,
        help="everything is listed and looked at again this often",
    )
    lease = parser.add_argument_group("leader election", "the same for all replicas")
    default = settings.LeaseTimes()
    lease.add_argument(
        "--lease-seconds",
        type=int,
        default=default.duration_seconds,
        help="others wait this long after the leader's last renewal before they take over",
    )
    lease.add_argument(
        "--renew-deadline-seconds",
        type=float,
        default=default.renew_deadline_seconds,
        help="the leader writes no more when its last renewal is older than this",
    )
    lease.add_argument(
        "--retry-seconds",
        type=float,
        default=default.retry_seconds,
        help="pause between two attempts to acquire or renew, and the bound of each call",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
