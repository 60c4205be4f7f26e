"""A cluster that PREWARM_KUBECONFIG names: it is used, never started, changed or stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

from devcluster import settings
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.images import IMAGES
from devcluster.progress import say


def run_command(command: str, kubeconfig: Path, cache: settings.Cache) -> None:
    """What `command` means for a cluster that is not ours."""
    match command:
        case "up" | "status":
            _require_marker(kubeconfig, cache)
            say(f"using the cluster of {kubeconfig}")
        case "down":
            say(f"the cluster of {kubeconfig} (PREWARM_KUBECONFIG) is not ours to stop: nothing done")
        case "images":
            _say_how_to_load_images()
        case "kubeconfig":
            print(kubeconfig)


def _require_marker(kubeconfig: Path, cache: settings.Cache) -> None:
    """Raise DevClusterError unless the cluster says that demo, tests and benchmarks may use it."""
    own = cache.current / "kubectl"
    kubectl = str(own) if own.exists() else shutil.which("kubectl")
    if kubectl is None:
        raise DevClusterError("kubectl is needed to look at PREWARM_KUBECONFIG's cluster: install it, or run `build`")
    marker = ["configmap", settings.MARKER_CONFIGMAP, f"--namespace={settings.MARKER_NAMESPACE}"]
    command = [kubectl, f"--kubeconfig={kubeconfig}", "--request-timeout=10s"]
    if not run([*command, "get", *marker, "--ignore-not-found", "--output=name"]).strip():
        raise DevClusterError(
            f"the cluster of {kubeconfig} is not marked as one whose pods may be killed: if it is, run "
            f"`kubectl --kubeconfig={kubeconfig} create {' '.join(marker)}`"
        )


def _say_how_to_load_images() -> None:
    say("images are not loaded into a cluster that is not ours; for kind, in the repository's root:")
    for image in IMAGES:
        print(f"docker build -t {image.reference} -f {image.dockerfile} . && kind load docker-image {image.reference}")
