"""What each policy, with each of its settings, would have done with one load."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from prewarm_operator.decide.scale import TARGET_SHARE
from prewarm_operator.decide.scaling.model import Mode, Policy
from prewarm_operator.decide.scaling.terms import pods_for
from prewarm_operator.simulate.forecasts import Foreseen, Source, add, in_parts
from prewarm_operator.simulate.peers import HPA, KPA, fixed, oracle
from prewarm_operator.simulate.pods import Ask, Outcome, Run
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


def compare(question: Question, done: Callable[[int], None] = lambda _: None, source: Source = in_parts) -> Comparison:
    """Ask all of them, each as far as the forecasts have come.

    Args:
        done: is told each tick.
        source: of the forecasts, which take the most time.
    """
    made = {share: Foreseen(question.start_seconds) for share in COLD_SHARES}
    runs = {name: _run(question, ask) for name, ask in _policies(question, made).items()}
    settings = [(question.start_seconds, share) for share in COLD_SHARES]
    with closing(source(question.demand, settings, question.begins_epoch_seconds)) as parts:
        begin = 0
        for part in parts:
            end = begin + add(part, list(made.values()))
            for run in runs.values():
                run.go_on(end)
            for tick in range(begin, end):
                done(tick)
            begin = end
    answers = {name: Answer(*name, run.outcome()) for name, run in runs.items()}
    return Comparison(
        question=question,
        answers=tuple(answers.values()),
        ours=answers[_prewarm(DEFAULT_COLD_SHARE)],
        hpa=answers[_hpa(question.hpa_target)],
        foreseen=made[DEFAULT_COLD_SHARE],
    )


def _policies(question: Question, made: Mapping[float, Foreseen]) -> dict[tuple[str, str], Ask]:
    """All policies by name and setting; `made` are the forecasts by target cold share."""
    demand, capacity, begins = question.demand, question.concurrency_limit, question.begins_epoch_seconds
    targets = sorted({*HPA_TARGETS, question.hpa_target}, reverse=True)
    peak = max(question.low, pods_for(max(demand), capacity))
    return {
        **{_prewarm(share): Prewarm(demand, question.policy, of, (), begins) for share, of in made.items()},
        **{_hpa(target): HPA(demand, capacity, target) for target in targets},
        (KPA_NAME, f"target {TARGET_SHARE:.0%}"): KPA(demand, capacity),
        (FIXED, f"{min(peak, question.high)} pods"): fixed(peak),
        (ORACLE, "knows the future"): oracle(demand, capacity, question.start_seconds),
    }


def _prewarm(share: float) -> tuple[str, str]:
    return PREWARM, f"target cold {share * 100:g}%"


def _hpa(target: float) -> tuple[str, str]:
    return HPA_NAME, f"target {target * 100:g}%"


def _run(question: Question, ask: Ask) -> Run:
    def bounded(tick: int, total: int, ready: int) -> int:
        return min(question.high, ask(tick, total, ready))

    return Run(
        question.demand,
        question.concurrency_limit,
        question.start_seconds,
        bounded,
        first=question.first,
        minimum=question.low,
    )
