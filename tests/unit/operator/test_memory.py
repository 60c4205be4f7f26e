"""What is kept of forecasts: bounded, versioned, and ignored if it is broken."""

import asyncio
import base64
import hashlib
import json
import logging
import math
from typing import Any

import numpy as np
import pytest
from unit.operator.builders import agent_body

from prewarm_operator.control import forecaster as forecasting
from prewarm_operator.control import memory as module
from prewarm_operator.control.forecaster import Forecaster
from prewarm_operator.control.memory import Memory
from prewarm_operator.decide.plan import Apply, Delete
from prewarm_operator.kube.errors import Unreachable
from prewarm_operator.render.agent import parse
from prewarm_operator.signals.reading import Reading
from prewarm_operator.world.cache import Cache, Key
from prewarm_operator.world.world import World

EPOCH = 1_767_225_600.0


class FakeApi:
    """Our own interfaces of reading and writing, over ConfigMaps in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.outages = 0
        self.refused: str | None = None

    async def request(self, method: str, path: str, query: dict[str, str]) -> dict[str, Any]:
        assert (method, path, query) == (
            "GET",
            "/api/v1/namespaces/prewarm-system/configmaps",
            {"labelSelector": "prewarm.dev/part=forecast"},
        )
        if self.outages:
            self.outages -= 1
            raise Unreachable("away")
        return {"items": list(self.objects.values())}

    async def apply(self, write: Apply) -> None:
        name = write.body["metadata"]["name"]
        if name == self.refused:
            raise Unreachable("refused")
        self.objects[name] = json.loads(json.dumps(write.body))
        self.objects[name]["metadata"]["uid"] = f"uid-{name}"

    async def delete(self, write: Delete) -> None:
        assert self.objects.pop(write.name)["metadata"]["uid"] == write.uid


def agents(count: int) -> list[Key]:
    return [Key("team", f"agent-{number}") for number in range(count)]


class Process:
    """One life of the operator, as far as its forecasts go."""

    def __init__(self, api: FakeApi, count: int) -> None:
        self.world = World(Cache(), "example.com/agent:1")
        self.forecaster = Forecaster(self.world)
        self.memory = Memory(api, api, "prewarm-system", self.forecaster)  # type: ignore[arg-type]
        self.agents = agents(count)
        for agent in self.agents:
            self.forecaster.follow(agent, parse(agent_body(mode="Auto")).spec)

    def ticks(self, load: float, count: int, since: float = 0.0) -> None:
        for tick in range(1, count + 1):
            for agent in self.agents:
                self.forecaster.hear(agent, Reading(load, tick * 15.0, "streams"), tick * 15.0)
            self.forecaster.step((tick + 1) * 15.0, EPOCH + since + tick * 15.0)

    def upper(self, agent: Key) -> float:
        forecast = self.world.scaling.signals[agent].forecast
        assert forecast is not None
        return forecast.upper if forecast.valid else math.nan


async def saved(count: int = 1) -> FakeApi:
    api = FakeApi()
    process = Process(api, count)
    process.ticks(40.0, 100)
    await process.memory.save()
    return api


async def test_a_restart_goes_on_where_it_was() -> None:
    process = Process(await saved(), 1)
    await process.memory.recall()
    process.ticks(math.nan, 1, since=1800.0)
    assert 35 < process.upper(process.agents[0]) < 80


async def test_an_object_holds_a_bounded_number_of_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGENTS_PER_OBJECT", 2)
    api = await saved(5)
    assert sorted(api.objects) == ["prewarm-forecast-0", "prewarm-forecast-1", "prewarm-forecast-2"]
    process = Process(api, 5)
    await process.memory.recall()
    process.ticks(math.nan, 1, since=1800.0)
    assert all(process.upper(agent) > 35 for agent in process.agents)


async def test_an_object_stays_far_below_what_a_configmap_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ConfigMap holds 1 MiB. Pods that start in half an hour, and a day of noise: hardly anything is compressed."""
    monkeypatch.setattr(forecasting, "START_SECONDS", 1800.0)
    api = FakeApi()
    process = Process(api, module.AGENTS_PER_OBJECT)
    replay = process.forecaster.replay(process.agents, EPOCH)
    noise = np.random.default_rng(1)
    for tick in range(5760):
        loads = noise.poisson(50.0, len(process.agents)) + noise.random(len(process.agents))
        replay.step(EPOCH + tick * 15.0, dict(zip(process.agents, loads, strict=True)))
    process.forecaster.adopt(replay)
    await process.memory.save()
    (body,) = api.objects.values()
    assert len(base64.b64decode(body["binaryData"]["state"])) < 600_000


async def test_a_part_that_is_refused_keeps_no_other_from_being_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGENTS_PER_OBJECT", 1)
    api = FakeApi()
    api.refused = "prewarm-forecast-1"
    with pytest.raises(Unreachable):
        await Process(api, 3).memory.save()
    assert sorted(api.objects) == ["prewarm-forecast-0", "prewarm-forecast-2"]


async def test_what_another_replica_has_left_is_removed_by_a_new_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an agent's state of long ago would be taken for a newer one by the next process."""
    monkeypatch.setattr(module, "AGENTS_PER_OBJECT", 2)
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.0)
    api = FakeApi()
    standby = Process(api, 1)
    await standby.memory.recall()
    await Process(api, 5).memory.save()  # the leader meanwhile
    term = asyncio.create_task(standby.memory.keep())
    await asyncio.sleep(0.2)
    term.cancel()
    assert sorted(api.objects) == ["prewarm-forecast-0"]


async def test_what_is_left_of_more_agents_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGENTS_PER_OBJECT", 2)
    api = await saved(5)
    process = Process(api, 1)
    await process.memory.recall()
    await process.memory.save()
    assert sorted(api.objects) == ["prewarm-forecast-0"]


def older(state: bytes) -> bytes:
    line, _, body = state[32:].partition(b"\n")
    content = json.dumps(json.loads(line) | {"version": 0}).encode() + b"\n" + body
    return hashlib.sha256(content).digest() + content


BROKEN = {
    "damaged": lambda state: state[:-1] + bytes([state[-1] ^ 1]),
    "cut off": lambda state: state[: len(state) // 2],
    "empty": lambda state: b"",
    "of an older version": older,
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_state_is_ignored_with_one_line(how: str, caplog: pytest.LogCaptureFixture) -> None:
    api = await saved()
    data = api.objects["prewarm-forecast-0"]["binaryData"]
    data["state"] = base64.b64encode(BROKEN[how](base64.b64decode(data["state"]))).decode()
    process = Process(api, 1)
    with caplog.at_level(logging.WARNING):
        await process.memory.recall()
    assert len(caplog.records) == 1
    assert "kept forecast ignored configmap=prewarm-forecast-0 problem=the saved forecast" in caplog.text
    process.ticks(7.0, 5)
    assert 5 < process.upper(process.agents[0]) < 40


@pytest.mark.parametrize("body", [{}, {"binaryData": {"state": "no base64"}}, {"binaryData": {"other": ""}}])
async def test_what_is_no_state_at_all_harms_no_other(body: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    api = await saved()
    api.objects["prewarm-forecast-9"] = {"metadata": {"name": "prewarm-forecast-9", "uid": "u"}, **body}
    process = Process(api, 1)
    with caplog.at_level(logging.WARNING):
        await process.memory.recall()
    assert len(caplog.records) == 1
    process.ticks(math.nan, 1, since=1800.0)
    assert process.upper(process.agents[0]) > 35


async def test_an_api_server_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    api = await saved()
    api.outages = 3
    process = Process(api, 1)
    await process.memory.recall()
    process.ticks(math.nan, 1, since=1800.0)
    assert process.upper(process.agents[0]) > 35


async def test_the_past_of_prometheus_wins() -> None:
    process = Process(await saved(), 1)
    (agent,) = process.agents
    replay = process.forecaster.replay([agent], EPOCH)
    for tick in range(100):
        replay.step(EPOCH + tick * 15.0, {agent: 5.0})
    assert process.forecaster.adopt(replay) == 1
    await process.memory.recall()
    process.ticks(math.nan, 1, since=1800.0)
    assert process.upper(agent) < 20


async def test_outside_a_cluster_nothing_is_kept() -> None:
    api = FakeApi()
    memory = Memory(api, api, "", Process(api, 1).forecaster)  # type: ignore[arg-type]
    await memory.recall()
    await memory.keep()
    assert api.objects == {}
