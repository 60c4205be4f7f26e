"""The full cluster of this host: up, down, status."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from devcluster import binaries, host, manifests, settings, toolchain
from devcluster.apiclient import ApiClient
from devcluster.commands import run
from devcluster.controlplane import ControlPlane, wait_for
from devcluster.errors import DevClusterError
from devcluster.host import HostState
from devcluster.images import Image, ImageFactory
from devcluster.locks import exclusive
from devcluster.node import CERTIFICATES, ENDPOINTS, Node, api_flags
from devcluster.processes import Daemon, recorded_daemons
from devcluster.progress import say, step
from devcluster.sweep import sweep

ETCD_SIZE = "1g"
SETTLE_SECONDS = 3.0  # a process that was killed a moment ago is still there while the kernel takes its memory back


class Cluster:
    """The cluster that lives in `cache`; a host has at most one, whatever cache it came from."""

    def __init__(self, cache: settings.Cache) -> None:
        self._cache = cache
        self.run_dir = cache.run
        self._node = Node(self.run_dir, cache)
        self._control_plane = ControlPlane(
            self.run_dir,
            endpoints=ENDPOINTS,
            programs=cache.current,
            certificates=CERTIFICATES,
            api_flags=api_flags(self.run_dir),
        )

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._control_plane.kubeconfig

    def up(self) -> None:
        """Build what is missing and start the cluster; nothing happens if it is up and healthy."""
        require_root("up")
        toolchain.ensure_packages()
        binaries.ensure(self._cache)
        with exclusive(settings.HOST_LOCK, "another up or down on this machine"):
            previous = HostState.load()
            if previous is not None and self._is_up(previous):
                say(f"the dev cluster is up: {self.kubeconfig}")
                return
            if previous is None:
                host.require_no_other_kubernetes()
                sweep(self._new_state())  # after a reboot, files are left and no record
            else:
                with step("removing what a killed cluster left"):
                    sweep(previous)
            state = self._claim_host()
            try:
                self._start()
            except BaseException:
                sweep(state)
                HostState.forget()
                raise
            state.completed().save()
        say(f"the dev cluster is up: {self.kubeconfig}")

    def down(self) -> None:
        """Take the cluster, or what is left of it, off this host."""
        require_root("down")
        with exclusive(settings.HOST_LOCK, "another up or down on this machine"):
            state = HostState.load()
            if state is None:
                say("no dev cluster is on this machine")
                return
            with step("stopping the dev cluster"):
                sweep(state)
                HostState.forget()

    def provide_images(self, images: Sequence[Image]) -> None:
        """Build the images whose inputs changed and import them; raises DevClusterError if the cluster is down."""
        require_root("images")
        if not self._node.containerd.running():
            raise DevClusterError("images are imported into the running cluster: start it with `up` first")
        ImageFactory(self._cache, self._node.containerd_socket).provide(images)

    def problems(self) -> list[str]:
        """What is wrong with the cluster, one sentence each; empty if it is healthy."""
        ended = [daemon for daemon in self._daemons if not daemon.running()]
        found = [f"{daemon.name} does not run; its log is {daemon.log_file}" for daemon in ended]
        if not (self.run_dir / "pki" / "admin.crt").exists() or not self._client().ready():
            found.append(f"the API server at {ENDPOINTS.server} is not ready")
        elif not self._node_ready():
            found.append(f"node {settings.NODE_NAME} is not Ready")
        return found

    def _is_up(self, previous: HostState) -> bool:
        if not previous.complete:
            return False  # interrupted on its way up
        deadline = time.monotonic() + SETTLE_SECONDS
        while any(daemon.running() for daemon in recorded_daemons(Path(previous.run_dir))):
            if Path(previous.run_dir) != self.run_dir:
                raise DevClusterError(
                    f"another dev cluster runs on this machine, in {previous.run_dir}: use it by "
                    f"PREWARM_CACHE={Path(previous.run_dir).parent}, or end it with `python3 -m devcluster down`"
                )
            problems = self.problems()
            if not problems:
                return True
            if time.monotonic() > deadline:
                raise DevClusterError(
                    f"the dev cluster runs but is not healthy ({'; '.join(problems)}): end it with "
                    "`python3 -m devcluster down`, then start it again"
                )
            time.sleep(0.1)
        return False  # killed

    def _claim_host(self) -> HostState:
        host.require_free_networks()
        host.require_free_ports()
        state = self._new_state()
        state.save()
        return state

    def _new_state(self) -> HostState:
        return HostState(
            str(self.run_dir),
            str(self._cache.containerd),
            host.read_sysctls(),
            host.absent_folders(),
            loads_bridge_filter=not host.has_bridge_filter(),
            enabled_controllers=host.absent_controllers(),
        )

    def _start(self) -> None:
        with step("starting Kubernetes"):
            host.create_network()
            host.create_cgroups()
            self._node.start_containerd()
            etcd = self.run_dir / "etcd"
            etcd.mkdir(parents=True, exist_ok=True)
            run(["mount", "-t", "tmpfs", "-o", f"size={ETCD_SIZE},mode=0700", "tmpfs", etcd])
            self._control_plane.launch()
            self._control_plane.wait_ready()
            self._node.start_components()
            self._apply("dns.yaml", "marker.yaml")
            wait_for("the node is Ready", self._usable, self._daemons)
        ImageFactory(self._cache, self._node.containerd_socket).provide_pause()

    @property
    def _daemons(self) -> tuple[Daemon, ...]:
        return (self._control_plane.etcd, self._control_plane.api_server, *self._node.daemons)

    def _client(self) -> ApiClient:
        return ApiClient(ENDPOINTS.address, ENDPOINTS.api_port, self._control_plane.pki)

    def _usable(self) -> bool:
        """A pod can be made (its service account exists) and run."""
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        return self._node_ready() and self._client().get(account) is not None

    def _node_ready(self) -> bool:
        node = self._client().get(f"/api/v1/nodes/{settings.NODE_NAME}") or {}
        conditions = node.get("status", {}).get("conditions", [])
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)

    def _apply(self, *names: str) -> None:
        kubectl: list[str | Path] = [self._cache.current / "kubectl", f"--kubeconfig={self.kubeconfig}"]
        objects = "\n---\n".join(manifests.render(name, self.run_dir) for name in names)
        run([*kubectl, "create", "-f", "-"], stdin=objects)


def require_root(command: str) -> None:
    """Raise DevClusterError unless root runs this."""
    if os.geteuid() != 0:
        raise DevClusterError(f"`{command}` starts containers and network links: run it as root")
