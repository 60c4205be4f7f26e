"""What the number of an agent's pods goes by beside its objects: signals, and what was decided lately."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prewarm_operator.forecast import Forecasts
from prewarm_operator.forecast.quality import ENOUGH
from prewarm_operator.signals.pod_load import SILENT_SECONDS, Heard
from prewarm_operator.signals.reading import Fault, Reading, Upstream
from prewarm_operator.world.cache import Key


@dataclass(frozen=True, slots=True)
class Forecast:
    """Upper quantiles of the load.

    Attributes:
        upper: when a pod that is asked for now would serve.
        later: 1, 3 and 5 minutes after that.
        valid: whether there is a forecast at all; if not, `problem` says why, as a clause.
        coverage: share of the last hour's loads that did not exceed their forecast, None before there are enough.
        pinball: mean loss of the same, in requests.
        unjudged: how many more loads it takes until there are enough.
        poor: whether the coverage is too far from what the quantile promises.
    """

    at_seconds: float
    horizon_seconds: float
    upper: float
    later: tuple[float, ...] = ()
    valid: bool = True
    coverage: float | None = None
    pinball: float | None = None
    unjudged: int = 0
    poor: bool = False
    problem: str = ""


def forecast_of(told: Forecasts[Any], row: int, at_seconds: float, horizon_seconds: float) -> Forecast:
    """The forecast of one row, made at `at_seconds`; its first horizon ends `horizon_seconds` after that."""
    upper, *later = told.upper[row].tolist()
    unjudged = max(0, ENOUGH - int(told.judged[row]))
    valid = bool(told.valid[row])
    return Forecast(
        at_seconds=at_seconds,
        horizon_seconds=horizon_seconds,
        upper=upper,
        later=tuple(later),
        valid=valid,
        coverage=None if unjudged else float(told.coverage[row]),
        pinball=None if unjudged else float(told.pinball[row]),
        unjudged=unjudged,
        poor=bool(told.poor[row]),
        problem="" if valid else "no load has been seen yet",
    )


@dataclass(frozen=True, slots=True)
class History:
    """What an agent's decisions leave for the next one. Begin anew with History() after somebody else set the number.

    Attributes:
        replicas: the last number, None before the first decision.
        recommended: (time, number) within the stabilization window; the numbers fall, the first is the greatest.
        changes: (time, pods added or removed) within the longest period of a rate.
        upstream_above_since: since when the model API has failed too often, None if it does not.
        expected: (time, pods expected while a node starts) lately; the numbers fall, the first is the greatest.
    """

    replicas: int | None = None
    recommended: tuple[tuple[float, int], ...] = ()
    changes: tuple[tuple[float, int], ...] = ()
    upstream_above_since: float | None = None
    expected: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of an agent's load: None where nothing has been heard.

    `fault` is what is wrong with Prometheus, whether the reading needs it or not.
    """

    reading: Reading | None = None
    upstream: Upstream | None = None
    forecast: Forecast | None = None
    fault: Fault | None = None


NO_HISTORY = History()
NO_SIGNALS = Signals()


@dataclass
class ScalingLog:
    """Signals and histories by agent; `heard` are the last lines of its pods' load streams."""

    signals: dict[Key, Signals] = field(default_factory=dict)
    histories: dict[Key, History] = field(default_factory=dict)
    heard: Callable[[Key], Mapping[str, Heard]] = lambda _: {}

    def in_flight(self, agent: Key, now: float) -> dict[str, int]:
        """Requests that each pod works on or has queued, by uid, as far as it told them lately."""
        heard = self.heard(agent).items()
        fresh = {uid: one.load for uid, one in heard if now - one.at_seconds <= SILENT_SECONDS}
        return {uid: load.in_flight + load.queued for uid, load in fresh.items()}

    def forget(self, agent: Key) -> None:
        """The AgentDeployment is gone."""
        self.signals.pop(agent, None)
        self.histories.pop(agent, None)

    def begin_anew(self) -> None:
        """Another replica may have decided meanwhile: the next decisions begin with the pods that there are."""
        self.histories.clear()
