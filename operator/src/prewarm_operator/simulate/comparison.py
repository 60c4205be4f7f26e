"""What each policy, with each of its settings, would have done with one load."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prewarm_operator.decide.scale import TARGET_SHARE
from prewarm_operator.decide.scaling.model import Mode, Policy
from prewarm_operator.decide.scaling.terms import pods_for
from prewarm_operator.simulate.forecasts import Foreseen, forecasts
from prewarm_operator.simulate.peers import HPA, KPA, fixed, oracle
from prewarm_operator.simulate.pods import Ask, Outcome, run
from prewarm_operator.simulate.prewarm import Prewarm

PREWARM, HPA_NAME, KPA_NAME, FIXED, ORACLE = "Prewarm", "HPA", "Knative KPA", "fixed", "oracle"

DEFAULT_COLD_SHARE = 0.01
COLD_SHARES = (0.1, 0.03, DEFAULT_COLD_SHARE, 0.003, 0.001)
HPA_TARGETS = (0.9, 0.8, TARGET_SHARE, 0.6, 0.5)
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
        hpa_target: the share of a pod's limit at which the HPA that Prewarm is compared with aims.
    """

    demand: Sequence[float]
    begins_epoch_seconds: float
    start_seconds: float
    concurrency_limit: int
    low: int
    high: int
    hpa_target: float = TARGET_SHARE

    @property
    def first(self) -> int:
        """The tick from which on outcomes count."""
        return int(len(self.demand) * LEARNING_SHARE)

    @property
    def policy(self) -> Policy:
        """What an AgentDeployment with these bounds, in mode Auto, has the operator decide by."""
        limit = self.concurrency_limit
        return Policy(Mode.AUTO, self.low, self.high, limit, TARGET_SHARE * limit)


@dataclass(frozen=True)
class Answer:
    """A policy with a setting, and what it did."""

    policy: str
    setting: str
    outcome: Outcome

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.policy}, {self.setting}"


@dataclass(frozen=True)
class Comparison:
    """All answers to a question.

    Attributes:
        ours: Prewarm as it is by default; one of `answers`, as is `hpa`, the one that it is compared with.
        foreseen: the forecasts of `ours`.
    """

    question: Question
    answers: tuple[Answer, ...]
    ours: Answer
    hpa: Answer
    foreseen: Foreseen

    def of(self, policy: str) -> tuple[Answer, ...]:
        """The answers of one policy, by setting."""
        return tuple(answer for answer in self.answers if answer.policy == policy)


def compare(question: Question, done: Callable[[int], None] = lambda _: None) -> Comparison:
    """Ask all of them. `done` is told each tick of the forecast, which takes the most time."""
    demand, capacity, start = question.demand, question.concurrency_limit, question.start_seconds

    def answer(policy: str, setting: str, ask: Ask) -> Answer:
        def bounded(tick: int, total: int, ready: int) -> int:
            return min(question.high, ask(tick, total, ready))

        outcome = run(demand, capacity, start, bounded, first=question.first, minimum=question.low)
        return Answer(policy, setting, outcome)

    made = forecasts(demand, [(start, share) for share in COLD_SHARES], question.begins_epoch_seconds, done)
    prewarm, hpa = {}, {}
    for share in COLD_SHARES:
        ask = Prewarm(demand, question.policy, made[start, share], (), question.begins_epoch_seconds)
        prewarm[share] = answer(PREWARM, f"target cold {share * 100:g}%", ask)
    for target in sorted({*HPA_TARGETS, question.hpa_target}, reverse=True):
        hpa[target] = answer(HPA_NAME, f"target {target * 100:g}%", HPA(demand, capacity, target))
    peak = max(question.low, pods_for(max(demand), capacity))
    others = (
        answer(KPA_NAME, f"target {TARGET_SHARE:.0%}", KPA(demand, capacity)),
        answer(FIXED, f"{min(peak, question.high)} pods", fixed(peak)),
        answer(ORACLE, "knows the future", oracle(demand, capacity, start)),
    )
    return Comparison(
        question=question,
        answers=(*prewarm.values(), *hpa.values(), *others),
        ours=prewarm[DEFAULT_COLD_SHARE],
        hpa=hpa[question.hpa_target],
        foreseen=made[start, DEFAULT_COLD_SHARE],
    )
