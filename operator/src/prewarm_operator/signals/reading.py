"""A reading of an agent's load. Unknown is not zero: a reading that is not valid says why."""

from dataclasses import dataclass
from enum import StrEnum

FRESH_SECONDS = 45.0
"""Readings, forecasts and error shares count this long: three intervals of 15 s."""

AHEAD_SECONDS = 5.0
"""A time that far in the future is taken for one of now."""


class Cause(StrEnum):
    """Why Prometheus gave nothing of use."""

    UNAVAILABLE = "unavailable"
    SLOW = "slow"
    REFUSED = "refused"
    NO_QUERIES = "no_queries"
    QUERY = "query"
    UNUSABLE = "unusable"


class Validity(StrEnum):
    """How far a reading can be trusted. A partial one misses pods: the load is at least its value."""

    VALID = "Valid"
    PARTIAL = "Partial"
    INVALID = "Invalid"


@dataclass(frozen=True, slots=True)
class Reading:
    """The load of an agent at a time.

    Attributes:
        value: each pod's part is already capped at its limit plus its queue.
        source: where it comes from, as users know it.
        problem: why it is not valid, as the end of a sentence that begins with the source.
        cause: the same as a word, where Prometheus is to blame as a whole or an own query is.
    """

    value: float
    at_seconds: float
    source: str
    validity: Validity = Validity.VALID
    problem: str = ""
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with Prometheus, or with an own query to it; the message is a sentence without its full stop."""

    cause: Cause
    message: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """Share of calls that the model API answered with an error or 429, from 0 to 1."""

    error_share: float
    at_seconds: float
