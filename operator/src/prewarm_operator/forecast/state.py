"""The state as bytes: a line that says what it is, a checksum, and the arrays."""

import hashlib
import io
import json
from collections.abc import Sequence

import numpy as np

from prewarm_operator.forecast.arrays import Array, Bools, Ints
from prewarm_operator.forecast.batch import RING_SPARE, Batch
from prewarm_operator.forecast.forecasts import Key

VERSION = 2
"""Of the format and of what the arrays mean; raise it with either."""

FORMAT = "prewarm-forecast"
CHECKSUM_BYTES = 32


class StateRefused(ValueError):
    """Nothing was taken from a saved state. The message says why, in one sentence."""


def pack(batch: Batch, keys: Sequence[Key], rows: Ints, at_seconds: float | None) -> bytes:
    """Everything of these keys, which are in these rows, that `unpack` needs to go on as if nothing had happened."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "tick_seconds": batch.tick_seconds,
        "horizons": batch.learner.weights.shape[1],
        "tick": batch.tick,
        "at_seconds": at_seconds,
        "keys": list(keys),
    }
    body = io.BytesIO()
    np.savez_compressed(body, allow_pickle=False, **{name: value[rows] for name, value in _arrays(batch).items()})
    content = json.dumps(head).encode() + b"\n" + body.getvalue()
    return hashlib.sha256(content).digest() + content


def unpack(saved: bytes, batch: Batch, keys: Sequence[Key]) -> tuple[set[Key], float | None]:
    """Put what was saved into the rows of `batch`, which are cold, and say for which keys and of what time it was.

    Rows with values that are not finite where they must be are left cold.
    """
    checksum, content = saved[:CHECKSUM_BYTES], saved[CHECKSUM_BYTES:]
    if hashlib.sha256(content).digest() != checksum:
        raise StateRefused("the saved forecast is damaged: its checksum is wrong")
    line, _, body = content.partition(b"\n")
    head = json.loads(line)
    expected = {"format": FORMAT, "version": VERSION, "tick_seconds": batch.tick_seconds}
    expected["horizons"] = batch.learner.weights.shape[1]
    for name, value in expected.items():
        if head.get(name) != value:
            raise StateRefused(f"the saved forecast has {name} {head.get(name)}, this one has {value}")
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    saved_rows = {_key(key): row for row, key in enumerate(head["keys"])}
    batch.reach(arrays["due.values"].shape[1] - RING_SPARE)
    for name, value in _arrays(batch).items():
        if name not in arrays or arrays[name].shape[1:] != value.shape[1:]:
            raise StateRefused(f"the saved forecast has other {name} than this one: it is of another build")
    sane = _sane(arrays)
    rows = [(row, saved_rows[key]) for row, key in enumerate(keys) if key in saved_rows and sane[saved_rows[key]]]
    batch.move_to(head["tick"])
    into, source = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    for name, room in batch.rooms().items():
        room.put(into, {array: arrays[f"{name}.{array}"] for array in room.arrays()}, source)
    return {keys[row] for row in into}, head["at_seconds"]


def _arrays(batch: Batch) -> dict[str, Array]:
    return {f"{name}.{array}": value for name, room in batch.rooms().items() for array, value in room.arrays().items()}


def _key(saved: str | list[str]) -> object:
    return tuple(saved) if isinstance(saved, list) else saved


def _sane(arrays: dict[str, Array]) -> Bools:
    """(rows,): what must be finite is."""
    parts = [arrays[f"learner.{name}"] for name in ("weights", "covariance", "typical_error")]
    parts += [arrays[f"residuals.{name}"] for name in ("spread", "histogram", "gain", "correction")]
    parts += [arrays["levels.confirmed"], arrays["levels.latest"], arrays["spikes.value"]]
    checks = [np.isfinite(part.reshape(len(part), -1)).all(1) for part in parts]
    sane: Bools = np.logical_and.reduce(checks)
    return sane
