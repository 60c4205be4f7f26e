"""What Prometheus says, from its answer to the decision and to the conditions."""

from typing import Any

import pytest
from unit.operator.test_scaler import EPOCH, SUPPORT, Case

from prewarm_operator.decide import reasons
from prewarm_operator.decide.conditions import scaling_active
from prewarm_operator.decide.plan import Plan, Scale
from prewarm_operator.decide.scale import verdict_for
from prewarm_operator.decide.scaling.model import Verdict
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.fleet import Fleet, invalid
from prewarm_operator.signals.reading import Cause, Reading
from prewarm_operator.signals.server import Server
from prewarm_operator.world.scaling import History

FOUR = History(replicas=4)


class Asked(Case):
    """The same with a Prometheus whose answers the test sets."""

    server = Server("http://prometheus:9090")

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **spec: Any) -> None:
        super().__init__(monkeypatch, **spec)
        self.fleet: Fleet | None = None
        self.own: Reading | None = None

    async def answer(self, fleet: Fleet, own: Reading | None = None) -> None:
        self.fleet, self.own_reading = fleet, own
        await self.scaler._poll.ask(self)  # type: ignore[arg-type]

    async def fleet(self) -> Fleet:  # type: ignore[no-redef]
        raise NotImplementedError

    def verdict(self) -> Verdict:
        signals = self.world.scaling.signals[SUPPORT]
        return verdict_for(parse(self.body).spec, None, signals, FOUR, self.now, EPOCH)[0]
