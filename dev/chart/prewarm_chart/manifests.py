"""A release without Helm: one file for `kubectl apply`."""

import os
import shutil
import subprocess
from pathlib import Path

from devcluster.errors import DevClusterError
from devcluster.settings import REPOSITORY, Cache

NAMESPACE = "prewarm-system"
HELMS_OWN = ("helm.sh/chart:", "app.kubernetes.io/managed-by: Helm", "# Source:")
"""Lines that only mean something to Helm."""

HEADER = f"""\
# Prewarm: namespace {NAMESPACE}, CustomResourceDefinitions, rights and operator, as the chart has them by default.
#
#   kubectl apply --server-side --filename prewarm.yaml
#
# Upgrade by applying the file of the next version. This removes the operator, and leaves every agent as it is:
#
#   kubectl delete namespace {NAMESPACE}
#   kubectl delete clusterroles,clusterrolebindings --selector app.kubernetes.io/part-of=prewarm
---
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels:
    pod-security.kubernetes.io/enforce: restricted
"""


def manifests() -> str:
    """The chart with default values.

    Raises:
        DevClusterError: there is no helm.
        subprocess.CalledProcessError: helm refuses the chart; it has said why on stderr.
    """
    search = f"{Cache.from_environment().current}{os.pathsep}{os.environ.get('PATH', '')}"
    helm = shutil.which("helm", path=search)
    if helm is None:
        raise DevClusterError("helm is neither in the cache nor on the PATH: run `make manifests`")
    command: list[str | Path] = [
        helm,
        "template",
        "prewarm",
        REPOSITORY / "charts" / "prewarm",
        f"--namespace={NAMESPACE}",
    ]
    # Without Helm nothing is ever uninstalled by it, and there is no `helm test`.
    command += ["--set=crds.keep=false", "--skip-tests"]
    rendered = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = rendered.splitlines(keepends=True)
    return HEADER + "".join(line for line in lines if not line.strip().startswith(HELMS_OWN))
