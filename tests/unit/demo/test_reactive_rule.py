"""The reactive rule of act 2 is the operator's own, without its forecast."""

from typing import Any, cast

from prewarm_demo.cluster.api import Api
from prewarm_demo.cluster.commands import Commands
from prewarm_demo.cluster.pods import PodObserver
from prewarm_demo.ramp.reactive import ReactiveRule
from prewarm_operator.decide.scaling.model import Mode, Policy
from prewarm_operator.world.scaling import History

POLICY = Policy(Mode.AUTO, low=1, high=14, concurrency_limit=4, target_concurrency=2.8)


def observed(*uids: str) -> PodObserver:
    pods = PodObserver(cast(Api, None), "demo", "app=x", clock=lambda: 0.0)
    for uid in uids:
        condition = {"type": "Ready", "status": "True"}
        pods.see("ADDED", {"metadata": {"name": uid, "uid": uid}, "status": {"conditions": [condition]}})
    return pods


def rule(pods: PodObserver) -> ReactiveRule:
    return ReactiveRule(cast(Api, None), cast(Commands, None), pods, ("demo", "ramp-reactive"), POLICY)


def line(in_flight: int, refused: int = 0) -> dict[str, Any]:
    return {"in_flight": in_flight, "queued": 0, "refused": refused, "upstream_error_share": 0.0}


def test_the_number_is_the_load_over_the_target() -> None:
    pods = observed("a", "b")
    reactive = rule(pods)
    reactive.hear(pods.pods[0], line(4), 0.0)
    reactive.hear(pods.pods[1], line(2, refused=3), 0.0)

    wanted, _ = reactive.decide(History(), 2, 1.0)

    assert wanted == 4, "ceil(9 / 2.8)"


def test_it_falls_after_stabilization_and_at_the_operators_rate() -> None:
    pods = observed("a")
    reactive = rule(pods)
    reactive.hear(pods.pods[0], line(4, refused=8), 0.0)
    wanted, history = reactive.decide(History(), 1, 0.0)
    assert wanted == 5

    for now, expected in ((30.0, 5), (59.0, 5), (61.0, 4), (62.0, 4)):
        reactive.hear(pods.pods[0], line(0), now)
        wanted, history = reactive.decide(history, wanted, now)
        assert wanted == expected, now


def test_a_pod_that_is_not_heard_takes_nothing_away() -> None:
    pods = observed("a", "b")
    reactive = rule(pods)
    wanted, history = 2, History()
    for now in (0.0, 30.0, 61.0, 90.0):
        reactive.hear(pods.pods[0], line(0), now)
        wanted, history = reactive.decide(history, wanted, now)

    assert wanted == 2
