"""Configuration files of the cluster's programs; `$name` is filled in from settings."""

from __future__ import annotations

from pathlib import Path
from string import Template

from devcluster import settings

FOLDER = Path(__file__).parent


def render(name: str, run_dir: Path, *, containerd_root: Path | None = None) -> str:
    """The file `name` of this folder, filled in for the cluster in `run_dir`."""
    return Template((FOLDER / name).read_text()).substitute(
        run_dir=run_dir,
        containerd_root=containerd_root,
        node_name=settings.NODE_NAME,
        node_address=settings.NODE_ADDRESS,
        kubelet_port=settings.KUBELET_PORT,
        pod_network=settings.POD_NETWORK,
        node_pod_network=settings.NODE_POD_NETWORK,
        pod_network_name=settings.POD_NETWORK_NAME,
        service_network=settings.SERVICE_NETWORK,
        dns_service_address=settings.DNS_SERVICE_ADDRESS,
        bridge=settings.BRIDGE,
        cgroup_root=settings.CGROUP_ROOT,
        cni_plugins=settings.CNI_PLUGINS,
        pause_image=settings.PAUSE_IMAGE,
    )
