"""The commands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from devcluster import binaries, foreign, settings, toolchain
from devcluster.cluster import Cluster
from devcluster.controlplane import ControlPlane
from devcluster.errors import DevClusterError
from devcluster.images import IMAGES, select
from devcluster.processes import recorded_daemons
from devcluster.progress import say, step
from devcluster.settings import Cache


def main(arguments: Sequence[str]) -> int:
    """Run one command; the result is the process's exit code."""
    # Programs such as iptables live where a shell of `su` does not look.
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except DevClusterError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command again goes on from here")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m devcluster", description="A real Kubernetes without Docker.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="build what is missing and start the cluster")
    up.add_argument("--control-plane", action="store_true", help="etcd and API server alone, on free loopback ports")
    down = commands.add_parser("down", help="stop the cluster and leave the host as it was")
    for command in (up, down):
        command.add_argument("--run-dir", type=Path, help="folder of a control plane that runs beside the cluster")
    commands.add_parser("status", help="say whether the cluster is healthy; exit code 1 if not")
    images = commands.add_parser("images", help="build images and import them into the cluster")
    images.add_argument("names", nargs="*", metavar="NAME", help=", ".join(image.name for image in IMAGES))
    commands.add_parser("kubeconfig", help="print the path of the kubeconfig")
    build = commands.add_parser("build", help="build the cluster's programs, or add-ons of it, into the cache")
    build.add_argument("add_ons", nargs="*", metavar="ADD_ON", help=", ".join(each.name for each in binaries.ADD_ONS))
    return parser


def _run(options: argparse.Namespace) -> int:
    cache = Cache.from_environment()
    kubeconfig = settings.foreign_kubeconfig()
    if options.command == "build":
        toolchain.ensure_packages()
        binaries.ensure(cache, binaries.select(options.add_ons))
    elif options.command == "up" and options.control_plane:
        _start_control_plane(cache, options.run_dir)
    elif options.command == "down" and options.run_dir is not None:
        _stop_control_plane(options.run_dir)
    elif kubeconfig is not None:
        foreign.run_command(options.command, kubeconfig, cache)
    else:
        return _run_on_own_cluster(options, Cluster(cache))
    return 0


def _run_on_own_cluster(options: argparse.Namespace, cluster: Cluster) -> int:
    match options.command:
        case "up":
            if options.run_dir is not None:
                raise DevClusterError(
                    "--run-dir belongs to `up --control-plane`; the full cluster has one place per host"
                )
            cluster.up()
        case "down":
            cluster.down()
        case "images":
            cluster.provide_images(select(options.names))
        case "kubeconfig":
            print(cluster.kubeconfig)
        case "status":
            problems = cluster.problems()
            for problem in problems:
                print(problem)
            if not problems:
                print(f"the dev cluster is up and healthy: {cluster.kubeconfig}")
            return 1 if problems else 0
    return 0


def _start_control_plane(cache: Cache, run_dir: Path | None) -> None:
    if run_dir is None:
        raise DevClusterError(
            "`up --control-plane` needs --run-dir DIR: where it keeps its certificates, logs and data"
        )
    if any(daemon.running() for daemon in recorded_daemons(run_dir.absolute())):
        raise DevClusterError(f"a control plane runs in {run_dir}: end it with `down --run-dir {run_dir}`")
    binaries.ensure(cache)
    control_plane = ControlPlane(run_dir, programs=cache.current)
    with step("starting etcd and the API server"):
        control_plane.start()
    print(control_plane.kubeconfig)


def _stop_control_plane(run_dir: Path) -> None:
    with step(f"stopping the control plane in {run_dir}"):
        ControlPlane(run_dir).stop()
