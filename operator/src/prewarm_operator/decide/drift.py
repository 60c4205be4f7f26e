"""Whether a live object still is what was rendered."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

_QUANTITY_KEYS = frozenset({"requests", "limits"})
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
    one, because the API server drops empty values. Items of a list that have a name are matched by it.
    """
    if not wanted and wanted != 0 and not live:
        return None
    if isinstance(wanted, Mapping):
        return _mapping_difference(wanted, live, path)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return _sequence_difference(wanted, live, path)
    return None if wanted == live else path


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
    if wanted and all(isinstance(item, Mapping) and "name" in item for item in wanted):
        by_name = {item.get("name"): item for item in live}
        pairs = [(f"{path}[{item['name']}]", item, by_name.get(item["name"])) for item in wanted]
    elif len(wanted) != len(live):
        return path
    else:
        pairs = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(wanted, live, strict=True))]
    return next((found for below, a, b in pairs if (found := first_difference(a, b, below)) is not None), None)


def _quantity_difference(wanted: Mapping[str, Any], live: Mapping[str, Any], path: str) -> str | None:
    for key, value in wanted.items():
        if key not in live or _amount(value) != _amount(live[key]):
            return f"{path}.{key}"
    return None


def _amount(quantity: str | int) -> Decimal:
    """The API server writes 0.5 as 500m and 1024Mi as 1Gi: compare what quantities mean."""
    text = str(quantity)
    digits = text.rstrip("numkKMGTPEi")
    return Decimal(digits) * _SUFFIXES[text[len(digits) :]]
