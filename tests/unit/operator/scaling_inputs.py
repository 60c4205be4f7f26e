"""Inputs of the decision about the number of pods, for an agent of which all is well."""

from dataclasses import replace
from typing import Any

from prewarm_operator.decide.scaling.decision import decide_scaling
from prewarm_operator.decide.scaling.model import Inputs, Mode, Pods, Policy, Rate, Verdict
from prewarm_operator.signals.reading import Reading, Validity
from prewarm_operator.world.scaling import Forecast, History

NOW = 10_000.0
TICK = 15.0
AT_ONCE = Rate(0, 100.0, 15.0)
POLICY = Policy(Mode.AUTO, 1, 10, 10, 7.0, stabilization_seconds=60.0, down=AT_ONCE)


def policy(**fields: Any) -> Policy:
    """From 1 to 10 pods of 10 requests, planned at 7; stabilization of 60 s, then down at once."""
    return replace(POLICY, **fields)


def reading(value: float, *, age_seconds: float = 0.0, validity: Validity = Validity.VALID) -> Reading:
    problem = "" if validity is Validity.VALID else "misses pods"
    return Reading(value, NOW - age_seconds, "streams", validity, problem)


def forecast(upper: float, *later: float, **fields: Any) -> Forecast:
    return replace(Forecast(NOW, 30.0, upper, later), **fields)


def inputs(load: float | None = None, **fields: Any) -> Inputs:
    """Three pods, a valid load, no forecast, unless told otherwise."""
    defaults: dict[str, Any] = {"policy": POLICY, "pods": Pods(3), "epoch_seconds": 0.0}
    defaults |= {"reading": None if load is None else reading(load)}
    return Inputs(**(defaults | fields))


def settled(replicas: int, **fields: Any) -> History:
    """A history in which `replicas` was right for long."""
    return History(replicas, recommended=((NOW - 50_000.0, replicas),), **fields)


def decide(of: Inputs, history: History | None = None, now: float = NOW) -> Verdict:
    """The verdict, after a long time at three pods."""
    return decide_scaling(of, settled(3) if history is None else history, now)[0]


class Run:
    """Decisions tick by tick; each reading is as old as it is at NOW."""

    def __init__(self, history: History | None = None) -> None:
        self.history = settled(3) if history is None else history
        self.now = NOW

    def step(self, of: Inputs, seconds: float = TICK) -> Verdict:
        self.now += seconds
        moved = {}
        for name in ("reading", "forecast", "upstream"):
            known = getattr(of, name)
            if known is not None:
                moved[name] = replace(known, at_seconds=known.at_seconds + self.now - NOW)
        of = replace(of, epoch_seconds=of.epoch_seconds + self.now - NOW, **moved)
        verdict, self.history = decide_scaling(of, self.history, self.now)
        return verdict

    def steps(self, of: Inputs, count: int) -> list[int]:
        return [self.step(of).replicas for _ in range(count)]
