"""What each policy does in each scenario."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prewarm_operator.decide.scaling.model import Mode, Policy
from prewarm_operator.simulate.comparison import DEFAULT_COLD_SHARE
from prewarm_operator.simulate.peers import HPA, HPA_DEFAULT, Limits
from prewarm_operator.simulate.pods import Ask, Outcome, run
from prewarm_operator.simulate.prewarm import Forecasts, Prewarm
from scaling_parts.scenarios import Scenario

STARTS_SECONDS = (15.0, 45.0, 120.0)
COLD_SHARES = (0.3, 0.2, 0.1, 0.05, 0.025, DEFAULT_COLD_SHARE, 0.005, 0.002)
"""The grid of the public knob, target cold share: the forecast's quantile is what is left of 1."""
SETTINGS = [(start, share) for start in STARTS_SECONDS for share in COLD_SHARES]

MANY_PODS = 1_000_000


@dataclass(frozen=True)
class Cell:
    """One scenario with pods that take `start_seconds`; `prewarm` is by target cold share."""

    scenario: Scenario
    start_seconds: float
    hpa: Outcome
    prewarm: dict[float, Outcome]


def cells(scenario: Scenario, forecasts: dict[tuple[float, float], Forecasts], limits: Limits | None) -> Iterator[Cell]:
    """The cells of one scenario under the policies' own default limits, or both under `limits`."""
    policy = Policy(Mode.AUTO, 1, MANY_PODS, int(scenario.capacity), 0.7 * scenario.capacity)
    if limits is not None:
        policy = replace(policy, up=limits.up, down=limits.down, stabilization_seconds=limits.stabilization_seconds)
    demand = scenario.demand.tolist()

    def outcome(start_seconds: float, ask: Ask) -> Outcome:
        return run(demand, scenario.capacity, start_seconds, ask, first=scenario.first)

    for start in STARTS_SECONDS:
        hpa = HPA(demand, scenario.capacity, limits=limits or HPA_DEFAULT)
        prewarm = {share: Prewarm(demand, policy, forecasts[start, share]) for share in COLD_SHARES}
        yield Cell(scenario, start, outcome(start, hpa), {share: outcome(start, ask) for share, ask in prewarm.items()})
