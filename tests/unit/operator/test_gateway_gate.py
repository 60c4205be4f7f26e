"""Whoever does not lead writes nothing, and no write outlives the Lease under which it began."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unit.operator.builders import agent_body

from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.decide.plan import Adopt, Apply, AskForPod, Create, Delete, Rank, Relabel, TryApply
from prewarm_operator.kube.errors import NotLeading
from prewarm_operator.kube.resources import SERVICES

SERVICE = {"metadata": {"namespace": "team", "name": "support"}}


def some(kind: type) -> Any:
    """A write of this kind; the fields that the gateway does not look at are those of nothing in particular."""
    values = {"resource": SERVICES, "namespace": "team", "name": "support", "body": SERVICE, "entry": 0}
    return kind(*(values.get(name, "x") for name in inspect.signature(kind).parameters))


WRITES: dict[str, Callable[[Gateway], Awaitable[Any]]] = {
    "create": lambda gateway: gateway.create(some(Create)),
    "adopt": lambda gateway: gateway.adopt(some(Adopt)),
    "apply": lambda gateway: gateway.apply(some(Apply)),
    "try_apply": lambda gateway: gateway.try_apply(some(TryApply)),
    "delete": lambda gateway: gateway.delete(some(Delete)),
    "relabel": lambda gateway: gateway.relabel(some(Relabel)),
    "rank": lambda gateway: gateway.rank(some(Rank)),
    "ask_for_pod": lambda gateway: gateway.ask_for_pod(some(AskForPod)),
    "patch_status": lambda gateway: gateway.patch_status(agent_body(), {}),
    "post_event": lambda gateway: gateway.post_event(SERVICE),
}


class Client:
    """Takes what would be sent."""

    def __init__(self) -> None:
        self.timeouts: list[float] = []

    async def request(self, *_: Any, timeout_seconds: float, **__: Any) -> dict[str, Any]:
        self.timeouts.append(timeout_seconds)
        return {}


def gateway(write_seconds: Callable[[], float]) -> tuple[Gateway, Client]:
    stand_in: Any = Client()
    return Gateway(stand_in, write_seconds), stand_in


def not_leading() -> float:
    raise NotLeading("not the leader")


def test_every_function_of_the_gateway_is_tried_here() -> None:
    functions = inspect.getmembers(Gateway, inspect.iscoroutinefunction)
    assert {name for name, _ in functions if not name.startswith("_")} == set(WRITES)


@pytest.mark.parametrize("name", WRITES)
async def test_a_replica_that_does_not_lead_sends_nothing(name: str) -> None:
    writes, client = gateway(not_leading)
    with pytest.raises(NotLeading):
        await WRITES[name](writes)
    assert client.timeouts == []


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_is_broken_off_before_another_replica_can_lead(name: str) -> None:
    writes, client = gateway(lambda: 5.5)
    await WRITES[name](writes)
    assert client.timeouts == [5.5]


async def test_a_write_of_the_only_replica_has_the_usual_bound() -> None:
    writes, client = gateway(lambda: float("inf"))
    await writes.post_event(SERVICE)
    assert client.timeouts == [15.0]
