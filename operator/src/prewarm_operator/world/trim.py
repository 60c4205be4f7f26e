"""What is kept of an object: only what a decision may look at. The rest is most of the memory that it would take."""

from collections.abc import Mapping
from typing import Any

from prewarm_operator.kube.resources import AUTOSCALERS, REPLICA_SETS, Resource

Object = dict[str, Any]


def trim(resource: Resource, body: Mapping[str, Any]) -> Object:
    """A copy of `body` without what nobody reads."""
    match resource.kind:
        case REPLICA_SETS.kind:
            return _without_status(body) | {"spec": _replica_set_spec(body["spec"])}
        case AUTOSCALERS.kind:
            return _without_status(body) | {"spec": {"scaleTargetRef": body["spec"]["scaleTargetRef"]}}
    metadata = dict(body["metadata"])
    if "managedFields" in metadata:
        metadata["managedFields"] = [_managed(entry) for entry in metadata["managedFields"]]
    return {**body, "metadata": metadata}


def same_but_version(one: Object, other: Object) -> bool:
    """Whether two trimmed objects differ in nothing but their resource version."""

    def without_version(body: Object) -> Object:
        return {**body, "metadata": {**body["metadata"], "resourceVersion": ""}}

    return without_version(one) == without_version(other)


def _without_status(body: Mapping[str, Any]) -> Object:
    """A ReplicaSet has its Deployment's annotations, the whole pod template among them."""
    unread = ("annotations", "managedFields")
    metadata = {key: value for key, value in body["metadata"].items() if key not in unread}
    return {"kind": body.get("kind"), "metadata": metadata}


def _managed(entry: Mapping[str, Any]) -> Object:
    """Who manages and since when; of what is managed only the number of replicas."""
    kept = {key: entry[key] for key in ("manager", "operation", "subresource", "time") if key in entry}
    if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {}):
        kept["fieldsV1"] = {"f:spec": {"f:replicas": {}}}
    return kept


def _replica_set_spec(spec: Mapping[str, Any]) -> Object:
    template = spec["template"]
    volumes = [volume for volume in template["spec"].get("volumes") or () if "configMap" in volume]
    return {
        "selector": spec["selector"],
        "template": {"metadata": {"labels": template["metadata"].get("labels") or {}}, "spec": {"volumes": volumes}},
    }
