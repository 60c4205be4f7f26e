"""Whether a live object still is what was rendered."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

_QUANTITIES = (".sizeLimit", ".divisor")
_QUANTITY_KEYS = frozenset({"requests", "limits", "overhead"})
_KEYED_WITHOUT_NAME = {"ports": "containerPort", "topologySpreadConstraints": "topologyKey", "hostAliases": "ip"}
"""Lists of which others may own items, and what tells these apart, where it is not a name."""
_RUN_IN_ORDER = frozenset({"initContainers"})
_ABSENT_IS_NOT_ZERO = frozenset(
    {
        "allowPrivilegeEscalation",
        "automountServiceAccountToken",
        "defaultMode",
        "enableServiceLinks",
        "fsGroup",
        "hostUsers",
        "maxUnavailable",
        "minAvailable",
        "mode",
        "replicas",
        "runAsGroup",
        "runAsUser",
        "terminationGracePeriodSeconds",
        "tolerationSeconds",
    }
)
"""Fields of which the API server keeps false and 0, because leaving them out means something else."""
_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{suffix + "i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


def first_difference(wanted: Any, live: Any, path: str = "") -> str | None:
    """The path of the first field of `wanted` that `live` does not have with that value, or None.

    Fields that only `live` has are other people's or the API server's defaults. An empty wanted value equals an absent
    one, and so do false and 0 mostly, because the API server drops them. Items of a list that have a name or another
    key are matched by it.
    """
    if not wanted and not live and not (wanted == 0 and _field(path) in _ABSENT_IS_NOT_ZERO):
        return None
    if isinstance(wanted, Mapping):
        return _mapping_difference(wanted, live, path)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return _sequence_difference(wanted, live, path)
    if path.endswith(_QUANTITIES):
        return None if live is not None and _same_amount(wanted, live) else path
    return None if wanted == live else path


def _field(path: str) -> str:
    return path.rpartition(".")[2]


def _mapping_difference(wanted: Mapping[str, Any], live: Any, path: str) -> str | None:
    if not isinstance(live, Mapping):
        return path
    for key, value in wanted.items():
        below = f"{path}.{key}" if path else key
        if key in _QUANTITY_KEYS and isinstance(value, Mapping):
            difference = _quantity_difference(value, live.get(key) or {}, below)
        else:
            difference = first_difference(value, live.get(key), below)
        if difference is not None:
            return difference
    return None


def _sequence_difference(wanted: Sequence[Any], live: Any, path: str) -> str | None:
    live = live or ()
    if not isinstance(live, Sequence):
        return path
    if wanted and all(isinstance(item, Mapping) for item in wanted):
        if all("name" in item for item in wanted):
            missed = _each_found(wanted, live, path, "name")
            reordered = _field(path) in _RUN_IN_ORDER and not _in_order(wanted, live)
            return path if missed is None and reordered else missed
        field = _field(path)
        if field in _KEYED_WITHOUT_NAME:
            return _each_found(wanted, live, path, _KEYED_WITHOUT_NAME[field])
    if len(wanted) != len(live):
        return path
    pairs = zip(wanted, live, strict=True)
    found = (first_difference(a, b, f"{path}[{index}]") for index, (a, b) in enumerate(pairs))
    return next((difference for difference in found if difference is not None), None)


def _each_found(wanted: Sequence[Any], live: Sequence[Any], path: str, key: str) -> str | None:
    """The difference of the first item that no live item of its key equals. Several may share a key."""
    for item in wanted:
        below = f"{path}[{item.get(key)}]"
        same_key = [candidate for candidate in live if candidate.get(key) == item.get(key)]
        differences = [first_difference(item, candidate, below) for candidate in same_key]
        if None not in differences:
            return differences[0] if differences else below
    return None


def _in_order(wanted: Sequence[Any], live: Sequence[Any]) -> bool:
    """Whether the items of `wanted`, all of which are in `live`, come in the same order; others may stand between."""
    names = [item["name"] for item in wanted]
    return [item["name"] for item in live if item["name"] in names] == names


def _quantity_difference(wanted: Mapping[str, Any], live: Mapping[str, Any], path: str) -> str | None:
    for key, value in wanted.items():
        if key not in live or not _same_amount(value, live[key]):
            return f"{path}.{key}"
    return None


def _same_amount(one: str | int, other: str | int) -> bool:
    """The API server writes 0.5 as 500m and 1024Mi as 1Gi: compare what quantities mean."""
    try:
        return _amount(one) == _amount(other)
    except (ArithmeticError, KeyError):
        return False  # not a quantity, as the API server will say


def _amount(quantity: str | int) -> Decimal:
    text = str(quantity)
    digits = text.rstrip("numkKMGTPEi")
    return Decimal(digits) * _SUFFIXES[text[len(digits) :]]
