"""Where the cluster and its programs are, and whether this cluster may be used at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from prewarm_demo.errors import DemoError

REPOSITORY = Path(__file__).resolve().parents[4]
MARKER_NAMESPACE = "kube-system"
MARKER_CONFIGMAP = "prewarm-dev-cluster"


@dataclass(frozen=True)
class Access:
    """Paths of kubectl and helm, and of the kubeconfig they use."""

    kubectl: Path
    helm: Path
    kubeconfig: Path


def find_access() -> Access:
    """The cluster that PREWARM_KUBECONFIG names, else the running dev cluster.

    Raises DemoError where a program is missing, no cluster runs, or the cluster lacks the marker: acts kill pods.
    """
    access = Access(_program("kubectl"), _program("helm"), _kubeconfig())
    _require_marker(access)
    return access


def _program(name: str) -> Path:
    cache = os.environ.get("PREWARM_CACHE") or Path.home() / ".cache" / "prewarm"
    found = shutil.which(name, path=f"{cache}/bin/current{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise DemoError(f"{name}: not found; run `make cluster-up`, which builds it, or put it on the PATH.")
    return Path(found)


def _kubeconfig() -> Path:
    named = os.environ.get("PREWARM_KUBECONFIG")
    if named:
        return Path(named).expanduser()
    devcluster = subprocess.run(
        [sys.executable, "-m", "devcluster", "kubeconfig"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "dev" / "cluster")},
        capture_output=True,
        text=True,
        check=False,
    )
    if devcluster.returncode != 0:
        raise DemoError(f"no dev cluster is running ({devcluster.stderr.strip()}); run `make cluster-up` first.")
    return Path(devcluster.stdout.strip())


def _require_marker(access: Access) -> None:
    found = subprocess.run(
        [
            *(access.kubectl, f"--kubeconfig={access.kubeconfig}", "--request-timeout=10s"),
            *("get", "configmap", MARKER_CONFIGMAP, f"--namespace={MARKER_NAMESPACE}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        raise DemoError(
            f"{access.kubeconfig}: this cluster does not say that a demo may kill its pods ({found.stderr.strip()}); "
            f"if it may, run `kubectl create configmap {MARKER_CONFIGMAP} --namespace={MARKER_NAMESPACE}`."
        )
