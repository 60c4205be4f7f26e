"""The operator as users get it: from its image, installed by the chart, under its own RBAC."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cluster.eventually import eventually
from cluster.kube import Kube

RELEASE = "prewarm"
NAMESPACE = "prewarm-system"
REPLICAS = 2
SERVICE_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"


@dataclass(frozen=True)
class OperatorRelease:
    """The release of the chart in the cluster."""

    kube: Kube

    def install(self, *values: str) -> None:
        """Install or upgrade, into a namespace that enforces the restricted Pod Security Standard.

        `values` are the chart's, as name=value, beside those that name the images of the tests.
        """
        eventually(
            "no namespace of ours is on its way out", self._namespace_phase, lambda phase: phase != "Terminating"
        )
        namespace = {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
        self.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace})
        self.kube.helm(
            *("upgrade", "--install", RELEASE, "charts/prewarm", f"--namespace={NAMESPACE}"),
            *("--set=image.tag=dev", "--set=agentImage.tag=dev", "--wait", "--timeout=120s"),
            "--take-ownership",  # of CRDs that kubectl has installed
            *(f"--set-string={value}" for value in values),
        )

    @contextmanager
    def installed_with(self, *values: str) -> Iterator[None]:
        """The release is upgraded to these values, and back when the body ends."""
        self.install(*values)
        try:
            yield
        finally:
            self.install()

    def restart(self) -> None:
        """Run the image that the tag stands for now. A release that was there may run an earlier build of it."""
        self.kube.kubectl("rollout", "restart", f"deployment/{RELEASE}", f"--namespace={NAMESPACE}")
        self._wait_until_it_runs()

    @contextmanager
    def uninstalled(self) -> Iterator[None]:
        """The release is gone while the body runs."""
        self.kube.helm("uninstall", RELEASE, f"--namespace={NAMESPACE}", "--wait", "--timeout=120s")
        self._wait_until_gone()
        try:
            yield
        finally:
            self.install()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """No operator runs while the body does."""
        self._scale(0)
        self._wait_until_gone()
        try:
            yield
        finally:
            self._scale(REPLICAS)
            self._wait_until_it_runs()

    def kill(self) -> None:
        """End all its pods without a goodbye; the Deployment makes new ones."""
        self.kube.kubectl("delete", "pod", *self._pods(), f"--namespace={NAMESPACE}", "--force", "--grace-period=0")

    def logs(self) -> str:
        return self.kube.kubectl("logs", f"deployment/{RELEASE}", f"--namespace={NAMESPACE}", "--tail=40")

    def _namespace_phase(self) -> str:
        response = self.kube.http.get(f"/api/v1/namespaces/{NAMESPACE}")
        return "" if response.status_code == 404 else response.json()["status"]["phase"]

    def _scale(self, replicas: int) -> None:
        self.kube.kubectl("scale", f"deployment/{RELEASE}", f"--namespace={NAMESPACE}", f"--replicas={replicas}")

    def _wait_until_it_runs(self) -> None:
        self.kube.kubectl(
            "rollout", "status", f"deployment/{RELEASE}", f"--namespace={NAMESPACE}", "--timeout=120s"
        )  # fmt: skip

    def _wait_until_gone(self) -> None:
        eventually("no operator runs", self._pods, lambda pods: not pods)

    def _pods(self) -> list[str]:
        pods = self.kube.list("pods", NAMESPACE, "app.kubernetes.io/component=operator")
        return [pod["metadata"]["name"] for pod in pods]
