"""Nodes on demand for the dev cluster: the real Karpenter with its kwok provider, and kwok, which plays the nodes.

The pods on such a node run nothing: kwok says that they are Ready, and their address is the host's.
"""

from __future__ import annotations

from pathlib import Path

from devcluster import binaries, manifests, settings
from devcluster.commands import run
from devcluster.processes import Daemon, stop_all

ADD_ONS = ("karpenter", "kwok")
STAGES = (
    "fast-node-initialize.yaml",
    "heartbeat-with-lease-node-heartbeat-with-lease.yaml",
    "fast-pod-delete.yaml",
)
"""Of kwok's own: what becomes of a node, and of a pod that is deleted."""
GRACE_SECONDS = 5.0


class NodeAutoscaler:
    """Karpenter and kwok beside the running cluster of `cache`; with-statement, or start() and stop().

    NodePools, and the pods that ask for their nodes, are the caller's. While it runs, CapacityBuffers are served.
    """

    def __init__(self, cache: settings.Cache, kubeconfig: Path) -> None:
        self._cache = cache
        self._kubeconfig = kubeconfig
        self._daemons = {name: Daemon(cache.run, name) for name in ADD_ONS}

    def __enter__(self) -> NodeAutoscaler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Build what is missing, install Karpenter's kinds and start both programs."""
        programs = binaries.select(ADD_ONS)
        binaries.ensure(self._cache, programs)
        karpenter, kwok = (self._cache.programs / program.folder for program in programs)
        crds = sorted(karpenter.glob("crds-*.yaml"))
        self._kubectl("apply", "--server-side", *(f"--filename={file}" for file in crds))
        self._kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        pod_stage = self._cache.run / "config" / "kwok-pod-ready.yaml"
        pod_stage.write_text(manifests.render("kwok-pod-ready.yaml", self._cache.run))
        stages = [*(kwok / stage for stage in STAGES), pod_stage]
        self._daemons["kwok"].start(
            [
                self._cache.current / "kwok",
                f"--kubeconfig={self._kubeconfig}",
                "--manage-all-nodes=false",
                "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
                f"--node-ip={settings.NODE_ADDRESS}",
                "--node-lease-duration-seconds=40",
                *(f"--config={stage}" for stage in stages),
            ]
        )
        environment = {
            "KUBECONFIG": str(self._kubeconfig),
            "SYSTEM_NAMESPACE": "kube-system",
            "DISABLE_LEADER_ELECTION": "true",
            "FEATURE_GATES": "CapacityBuffer=true",
            "METRICS_PORT": str(settings.KARPENTER_PORTS[0]),
            "HEALTH_PROBE_PORT": str(settings.KARPENTER_PORTS[1]),
        }
        self._daemons["karpenter"].start([self._cache.current / "karpenter"], environment)

    def stop(self) -> None:
        """Take nodes, kinds and programs away again."""
        self._kubectl("delete", "nodepools,nodeclaims", "--all", "--timeout=60s")
        stop_all(self._daemons.values(), GRACE_SECONDS)
        self._kubectl("delete", "nodes", "--selector=karpenter.sh/nodepool")
        karpenter = self._cache.programs / binaries.select(["karpenter"])[0].folder
        files = (f"--filename={file}" for file in sorted(karpenter.glob("crds-*.yaml")))
        self._kubectl("delete", "--ignore-not-found", "--timeout=60s", *files)

    def require_running(self) -> None:
        """Raise DevClusterError with the end of the log if one of them has ended."""
        for daemon in self._daemons.values():
            daemon.require_running()

    def _kubectl(self, *arguments: str) -> None:
        run([self._cache.current / "kubectl", f"--kubeconfig={self._kubeconfig}", *arguments])
