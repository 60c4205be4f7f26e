"""What an overlay cannot take away from a pod: that it is found, configured, and warm before it gets a request."""

from collections.abc import Mapping, Sequence
from typing import Any

from prewarm_operator.render import container
from prewarm_operator.render.overlay import merge

Object = Mapping[str, Any]

HANDLERS = frozenset({"httpGet", "exec", "tcpSocket", "grpc"})


def keep(merged: Object, rendered: Object, labels: Mapping[str, str]) -> dict[str, Any]:
    """`merged` with all restored that an overlay of `rendered` may not change.

    That is: `labels`; the container called agent, the names of its ports and that they are the first of these names,
    and what its startup and readiness probes ask; the volume with the agent spec and where it is mounted. Containers
    that bring no security context get the restricted one.
    """
    metadata = {**merged["metadata"], "labels": {**merged["metadata"].get("labels", {}), **labels}}
    own = rendered["spec"]["containers"][0]
    containers = [
        _gated(item, own) if item.get("name") == container.NAME else _restricted(item)
        for item in merged["spec"].get("containers", [])
    ]
    if all(item.get("name") != container.NAME for item in containers):
        containers.insert(0, dict(own))
    containers = _found_by_port_name(containers, own)
    volumes = _with_own(merged["spec"].get("volumes", []), rendered["spec"]["volumes"], "name", container.CONFIG_VOLUME)
    spec = {**merged["spec"], "containers": containers, "volumes": volumes}
    if "initContainers" in spec:
        spec["initContainers"] = [_restricted(item) for item in spec["initContainers"]]
    return {"metadata": metadata, "spec": spec}


def _found_by_port_name(containers: list[dict[str, Any]], own: Object) -> list[dict[str, Any]]:
    """The Service names a port and gets the first of that name in the pod: a sidecar's must not stand before ours."""
    names = {port["name"] for port in own["ports"]}
    others = [item for item in containers if item.get("name") != container.NAME]
    if not any(names & _port_names(item) for item in others):
        return containers
    return [item for item in containers if item.get("name") == container.NAME] + others


def _port_names(item: Object) -> set[str]:
    ports = item.get("ports")
    # What is no list of ports is for the API server to refuse.
    return {str(port.get("name")) for port in ports if isinstance(port, Mapping)} if isinstance(ports, list) else set()


def _gated(merged: Object, own: Object) -> dict[str, Any]:
    restored = merge(merged, {"ports": own["ports"]})
    mounts = merged.get("volumeMounts", [])
    restored["volumeMounts"] = _with_own(mounts, own["volumeMounts"], "mountPath", container.CONFIG_FOLDER)
    for probe in ("startupProbe", "readinessProbe"):
        restored[probe] = _probe(merged.get(probe), own[probe])
    return restored


def _probe(merged: Any, own: Object) -> dict[str, Any]:
    """Paces, headers and the scheme are free; whom the kubelet asks, and for what, is not."""
    if not isinstance(merged, Mapping):
        return dict(own)
    paces = {field: value for field, value in merged.items() if field not in HANDLERS}
    asked = merged.get("httpGet")
    free = {key: asked[key] for key in ("scheme", "httpHeaders") if key in asked} if isinstance(asked, Mapping) else {}
    return {**paces, "httpGet": {**free, **own["httpGet"]}}


def _restricted(merged: Object) -> dict[str, Any]:
    return {"securityContext": dict(container.RESTRICTED), **merged}


def _with_own(merged: Any, rendered: Sequence[Object], key: str, value: str) -> Any:
    """`merged`, in which the item of `rendered` with this key, if there is one, stands as it was rendered.

    What is no list of objects stays as it is, for the API server to refuse.
    """
    if not isinstance(merged, list) or not all(isinstance(item, Mapping) for item in merged):
        return merged
    return [item for item in merged if item.get(key) != value] + [item for item in rendered if item[key] == value]
