"""Prometheus' HTTP API: what an answer holds, or why it is none. Whatever a server sends ends in one of the two."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from prewarm_operator.signals.reading import Cause

MOST = 1e9
"""Requests, and more than any fleet serves: a number above it is a mistake of a query."""

NUMBERS = frozenset({"vector", "scalar"})
RANGES = frozenset({"matrix"})
"""Kinds of results: a number for each series, or many."""

MOST_WORDS = 200
"""Characters of a server's own words that a problem repeats."""

Points = tuple[tuple[float, float], ...]
"""(epoch seconds, value); what was no number is NaN."""


AGENT_MODE = "Prometheus Agent"
"""What one that only forwards samples says of itself when it is asked."""


class BadAnswer(Exception):
    """An answer is of no use; the message is a clause that follows the name of the source."""

    def __init__(self, message: str, cause: Cause = Cause.UNUSABLE) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Series:
    labels: Mapping[str, str]
    points: Points


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave.

    Attributes:
        warning: why a part may be missing, as the server says it; empty if none is.
    """

    series: tuple[Series, ...]
    warning: str = ""


def read(status: int, body: bytes, kinds: Collection[str]) -> Answer:
    """The answer to a query that gives NUMBERS or RANGES.

    Raises:
        BadAnswer: it is an error, or nothing of that API.
    """
    if status != 200:
        remedy = " (its address needs the path that it has, without /api/v1)" if status == 404 else ""
        raise BadAnswer(f"answers {status}: {_error(body)}{remedy}", _cause(status, body))
    document = _json(body)
    if not isinstance(document, dict) or document.get("status") != "success":
        raise BadAnswer(f"answers no success: {_error(body)}")
    try:
        kind, result = document["data"]["resultType"], document["data"]["result"]
        if kind not in kinds:
            needed = "number" if kinds is NUMBERS else "range"
            raise BadAnswer(f"gives a {_shortened(str(kind))} where a {needed} is needed")
        series = _series(kind, result)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadAnswer("answers in another form than Prometheus does") from error
    return Answer(series, _words(document.get("warnings")))


def why_no_load(value: float) -> str:
    """Why a value cannot be a load, as a clause; empty if it can."""
    return "" if 0 <= value <= MOST else f"says {value:g}"


def _series(kind: str, result: Any) -> tuple[Series, ...]:
    if kind == "scalar":
        return (Series({}, (_point(result),)),)
    if kind == "vector":
        return tuple(Series(_labels(one), (_point(one["value"]),)) for one in result)
    return tuple(Series(_labels(one), tuple(_point(point) for point in one["values"])) for one in result)


def _labels(series: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in series["metric"].items()}


def _point(point: Any) -> tuple[float, float]:
    at, value = point
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise ValueError("no time")
    try:
        return float(at), float(value) if isinstance(value, str) else math.nan
    except ValueError:  # text
        return float(at), math.nan


def _cause(status: int, body: bytes) -> Cause:
    if status == 404 or AGENT_MODE.encode() in body:
        return Cause.NO_QUERIES
    try:
        document = _json(body)
    except BadAnswer:
        document = None
    kind = document.get("errorType") if isinstance(document, dict) else None
    if kind in ("bad_data", "execution"):
        return Cause.QUERY
    if kind == "timeout" or status in (408, 504):
        return Cause.SLOW
    return Cause.REFUSED if 400 <= status < 500 else Cause.UNAVAILABLE


def _error(body: bytes) -> str:
    """A server's own words for what is wrong, shortened."""
    try:
        document = _json(body)
    except BadAnswer:
        return _shortened(body.decode(errors="replace"))
    words = document.get("error") or document.get("message") if isinstance(document, dict) else None
    return _shortened(str(words or body.decode(errors="replace")))


def _words(warnings: Any) -> str:
    return _shortened(str(warnings[0])) if isinstance(warnings, list) and warnings else ""


def _shortened(text: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * MOST_WORDS]).split())
    return plain[:MOST_WORDS] or "nothing"


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"answers no JSON: {_shortened(body.decode(errors='replace'))}") from error
