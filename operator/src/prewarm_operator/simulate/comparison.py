"""What each policy, with each of its settings, would have done with one load."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prewarm_operator.decide.scale import TARGET_SHARE
from prewarm_operator.decide.scaling.model import Mode, Policy
from prewarm_operator.decide.scaling.terms import pods_for
from prewarm_operator.simulate.forecasts import forecasts
from prewarm_operator.simulate.peers import HPA, KPA, fixed, oracle
from prewarm_operator.simulate.pods import Ask, Outcome, run
from prewarm_operator.simulate.prewarm import Prewarm

DEFAULT_COLD_SHARE = 0.01
COLD_SHARES = (0.05, DEFAULT_COLD_SHARE, 0.002)
HPA_TARGETS = (0.9, 0.8, 0.7, 0.6, 0.5)
LEARNING_SHARE = 1 / 3
"""Of the record, before anything counts: a forecast knows nothing at first, and an operator that runs has learned."""


@dataclass(frozen=True)
class Question:
    """A load and the pods that there may be for it.

    Attributes:
        demand: requests at once in each tick of 15 s.
        begins_epoch_seconds: the time of the first tick.
        start_seconds: from the decision until a pod serves.
        concurrency_limit: requests that one pod takes at once.
        low: fewest pods.
        high: most pods.
    """

    demand: Sequence[float]
    begins_epoch_seconds: float
    start_seconds: float
    concurrency_limit: int
    low: int
    high: int

    @property
    def first(self) -> int:
        """The tick from which on outcomes count."""
        return int(len(self.demand) * LEARNING_SHARE)


@dataclass(frozen=True)
class Answer:
    """A policy with a setting, and what it did. `is_default` marks those that users have without a choice."""

    policy: str
    setting: str
    outcome: Outcome
    is_default: bool = False


def compare(question: Question, done: Callable[[int], None] = lambda _: None) -> Iterator[Answer]:
    """All of them, Prewarm first. `done` is told each tick of the forecast, which takes the most time."""
    demand, capacity, start = question.demand, question.concurrency_limit, question.start_seconds

    def outcome(ask: Ask) -> Outcome:
        def bounded(tick: int, total: int, ready: int) -> int:
            return min(question.high, ask(tick, total, ready))

        return run(demand, capacity, start, bounded, first=question.first, minimum=question.low)

    policy = Policy(Mode.AUTO, question.low, question.high, capacity, TARGET_SHARE * capacity)
    settings = [(start, share) for share in COLD_SHARES]
    made = forecasts(demand, settings, question.begins_epoch_seconds, done)
    for setting in settings:
        is_default = setting[1] == DEFAULT_COLD_SHARE
        ask = Prewarm(demand, policy, made[setting], begins_epoch_seconds=question.begins_epoch_seconds)
        yield Answer("Prewarm", f"target cold {setting[1] * 100:g} %", outcome(ask), is_default)
    for target in HPA_TARGETS:
        yield Answer("HPA", f"target {target:.0%}", outcome(HPA(demand, capacity, target)), target == TARGET_SHARE)
    yield Answer("Knative KPA", f"target {TARGET_SHARE:.0%}", outcome(KPA(demand, capacity)), is_default=True)
    peak = max(question.low, pods_for(max(demand), capacity))
    yield Answer("fixed", f"{min(peak, question.high)} pods", outcome(fixed(peak)))
    yield Answer("oracle", "knows the future", outcome(oracle(demand, capacity, start)))
