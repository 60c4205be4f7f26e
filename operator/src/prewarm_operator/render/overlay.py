"""Strategic merge: an overlay laid over a pod template as `kubectl patch` does it.

The rules are those of Kubernetes (apimachinery, pkg/util/strategicpatch); a component test holds them against a real
API server. Merging always succeeds: what makes no sense afterwards, the API server says in its own words when it is
asked for a pod.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "env": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
}
"""Lists of a pod template that are merged item by item, and the field that tells their items apart. All other lists
(tolerations, command, args) are replaced as a whole. A table by name is enough: no two lists of a pod share one."""

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"


def merge(original: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`original` with `patch` laid over it; neither is changed.

    null removes a field. `$patch: delete` empties an object or removes an item of a merged list, `$patch: replace`
    keeps nothing of the object or list it stands in, `$retainKeys` keeps only those fields of an object.
    """
    match _directive(patch):
        case "delete":
            return {}
        case "replace":
            return _fields(patch)
    retained = patch.get(RETAIN_KEYS)
    merged = {key: value for key, value in original.items() if not isinstance(retained, list) or key in retained}
    for key, value in patch.items():
        if key == RETAIN_KEYS:
            continue
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge_value(key, merged.get(key), value)
            if merged[key] is None:
                del merged[key]
    return merged


def _merge_value(key: str, original: Any, patch: Any) -> Any:
    if isinstance(original, Mapping) and isinstance(patch, Mapping):
        return merge(original, patch)
    if key in MERGE_KEYS and _objects(original) and _objects(patch):
        return _merge_list(original, patch, MERGE_KEYS[key])
    return _plain(patch)


def _merge_list(original: Sequence[Any], patch: Sequence[Any], key: str) -> list[Any]:
    changes = [item for item in patch if _directive(item) is None]
    if any(_directive(item) == "replace" for item in patch):
        return [_fields(item) for item in changes]
    deleted = {_identity(item, key) for item in patch if _directive(item) == "delete"}
    kept = {_identity(item, key): item for item in original if _identity(item, key) not in deleted}
    changed: dict[str, Any] = {}
    for item in changes:
        identity = _identity(item, key)
        changed[identity] = merge(changed.get(identity, kept.get(identity, {})), item)
    return _interleave(kept, changed)


def _interleave(kept: Mapping[str, Any], changed: Mapping[str, Any]) -> list[Any]:
    """Changed items in their own order; the others stand before the first changed item that they stood before.

    An item that is new has no place among the old ones and so comes before them, as Kubernetes has it.
    """
    place = {identity: index for index, identity in enumerate(kept)}
    others = deque(identity for identity in kept if identity not in changed)
    result = []
    for identity, item in changed.items():
        while others and place[others[0]] < place.get(identity, 0):
            result.append(kept[others.popleft()])
        result.append(item)
    return result + [kept[identity] for identity in others]


def _identity(item: Mapping[str, Any], key: str) -> str:
    """The key's value as a text: 8080 and "8080" are two, and nothing that a user writes is unhashable."""
    return repr(item.get(key))


def _directive(value: Mapping[str, Any]) -> Any:
    """delete, replace or None. Any other word stays a field, so that the API server refuses it by name."""
    return value[DIRECTIVE] if value.get(DIRECTIVE) in ("delete", "replace") else None


def _objects(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(i, Mapping) for i in value)


def _plain(value: Any) -> Any:
    """A value that stands for itself: without nulls and without what is meant for merging; None if that was all."""
    if isinstance(value, Mapping):
        return _fields(value) if _directive(value) is None else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain for item in value if (plain := _plain(item)) is not None]
    return value


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    meant_for_merging = {RETAIN_KEYS} if _directive(value) is None else {RETAIN_KEYS, DIRECTIVE}
    plain = {key: _plain(field) for key, field in value.items() if key not in meant_for_merging}
    return {key: field for key, field in plain.items() if field is not None}
