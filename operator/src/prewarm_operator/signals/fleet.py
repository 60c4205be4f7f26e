"""Readings out of what Prometheus says about all agents, or about one by a query of its own."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from prewarm_operator.signals.answer import Answer, why_no_load
from prewarm_operator.signals.reading import AHEAD_SECONDS, FRESH_SECONDS, Cause, Reading, Validity

SOURCE = "Prometheus"
OWN_QUERY = "the own query to Prometheus"

Key = tuple[str, str]
"""Namespace and name of an agent."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """One answer about all agents.

    Attributes:
        at_seconds: monotonic, when the answer's time was now.
        epoch_seconds: the server's time of the answer, with which the times of samples are compared: so its clock and
            ours may disagree.
        parts: what was said of an agent, by name of the part (see promql.FLEET).
        problem: why the answer is of no use, empty if it is.
        cause: the same as a word, None if it is of use.
        warning: why a part may be missing.
    """

    at_seconds: float
    epoch_seconds: float = math.nan
    parts: Mapping[Key, Mapping[str, float]] = field(default_factory=dict)
    problem: str = ""
    cause: Cause | None = None
    warning: str = ""

    def reading(self, agent: Key, ready_pods: int, most: int) -> Reading:
        """The load of an agent.

        Args:
            ready_pods: how many pods take new requests; with samples of fewer the reading is partial.
            most: limits and queues of all its pods, those that drain too. The answer does not tell pods apart, so
                their sum is capped.
        """
        if self.problem:
            return self._invalid(self.problem)
        parts = self.parts.get(agent)
        if parts is None:
            return self._invalid("has no samples of this agent")
        lacking = {"in_flight", "queued", "least", "oldest", "newest"} - parts.keys()
        if lacking:
            return self._invalid(f"has no samples of this agent's {min(lacking)}")
        loads = [parts["in_flight"], parts["queued"], parts.get("refused", 0.0)]
        problem = next(filter(None, map(why_no_load, [parts["least"], *loads])), "")
        if problem:
            return self._invalid(problem)
        oldest, newest = self.epoch_seconds - parts["oldest"], self.epoch_seconds - parts["newest"]
        if not (-AHEAD_SECONDS <= newest <= oldest):
            return self._invalid("has samples of a wrong time, maybe of the future")
        pods = parts.get("pods", 0.0)
        value = min(sum(loads), float(most))
        problem = self._missing(pods, ready_pods, oldest)
        validity = Validity.PARTIAL if problem else Validity.VALID
        return Reading(value, self.at_seconds - newest, SOURCE, validity, problem)

    def _missing(self, pods: float, ready_pods: int, oldest_seconds: float) -> str:
        if not ready_pods:
            return "has no Ready pod to go by"  # users are refused where no pod can count them
        if not pods >= ready_pods:
            return f"has samples of {pods:.0f} of {ready_pods} Ready pods"
        if oldest_seconds > FRESH_SECONDS:
            return f"has a sample that is more than {FRESH_SECONDS:.0f} s old"
        return f"warns: {self.warning}" if self.warning else ""

    def _invalid(self, problem: str) -> Reading:
        return Reading(0.0, self.at_seconds, SOURCE, Validity.INVALID, problem, self.cause)


def fleet(answer: Answer, at_seconds: float, epoch_seconds: float) -> Fleet:
    """What an answer to promql.FLEET says. The two times are those at which the question was sent."""
    parts: defaultdict[Key, dict[str, float]] = defaultdict(dict)
    answered = [at for series in answer.series for at, _ in series.points]
    if not answered:
        return Fleet(at_seconds, problem="has no samples of any agent")
    problem = _wrong_time(answered, epoch_seconds)
    for series in answer.series:
        labels = series.labels
        key = (labels.get("namespace", ""), labels.get("agent", ""))
        parts[key][labels.get("part", "")] = series.points[0][1]
    cause = Cause.UNUSABLE if problem else None
    return Fleet(at_seconds, answered[0], dict(parts), problem, cause, answer.warning)


def several_series(count: int) -> str:
    """The problem with an answer that has more than the one that a load is."""
    return f"gives {count} series where one is needed: aggregate them, for example by sum()"


def own_reading(answer: Answer, at_seconds: float, epoch_seconds: float) -> Reading:
    """The load that an agent's own query gives: one number."""
    if len(answer.series) != 1:
        count = len(answer.series)
        return invalid(several_series(count) if count else "gives no series", Cause.QUERY, at_seconds)
    ((at, value),) = answer.series[0].points
    problem = why_no_load(value)
    if problem:
        return invalid(problem, Cause.QUERY, at_seconds)
    problem = _wrong_time([at], epoch_seconds)
    if problem:
        return invalid(problem, Cause.UNUSABLE, at_seconds)
    if answer.warning:
        return Reading(value, at_seconds, OWN_QUERY, Validity.PARTIAL, f"warns: {answer.warning}")
    return Reading(value, at_seconds, OWN_QUERY)


def invalid(problem: str, cause: Cause, at_seconds: float) -> Reading:
    """An own query that gave nothing."""
    return Reading(0.0, at_seconds, OWN_QUERY, Validity.INVALID, problem, cause)


def _wrong_time(answered: list[float], epoch_seconds: float) -> str:
    """An answer out of a cache, or of clocks that disagree, is none about now."""
    for at in (min(answered), max(answered)):
        behind = epoch_seconds - at
        if abs(behind) > FRESH_SECONDS:
            side = "ago" if behind > 0 else "ahead"
            return f"answers for a time more than {FRESH_SECONDS:.0f} s {side}: compare the clocks"
    return ""
