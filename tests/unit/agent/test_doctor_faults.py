"""Which fault is named for what was seen."""

from typing import Any

import pytest

from prewarm_agent.doctor.faults import find
from prewarm_agent.doctor.observation import Calls, Client, Observation, Stall


def seen(*requests: dict[str, Any], **fields: Any) -> Observation:
    phases = [Calls(f"request {number}", **request) for number, request in enumerate(requests, start=1)]
    return Observation(phases=[Calls("import"), Calls("build"), *phases], **fields)


CLIENT = {"built": {"model client": 1, "TLS context": 1}}
AGENT = {"built": {"agent": 1}}
LOOP = {"built": {"event loop": 1}}
TOLD: dict[str, tuple[Observation, list[str]]] = {
    "a client for each request": (seen(CLIENT, CLIENT, CLIENT), ["ClientPerRequest"]),
    "a client that is built late": (seen(CLIENT, {}, {}), ["ClientOnFirstRequest"]),
    "a fresh agent for each request is right": (seen(AGENT, AGENT), []),
    "an agent that remembers": (seen({}, {}, leaked=True, shared_agent=True), ["SharedAgent"]),
    "fresh agents that are told what an earlier one read": (seen(AGENT, AGENT, leaked=True), ["SharedState"]),
    "an agent that is shared but forgets": (seen({}, {}, shared_agent=True), ["SharedAgent"]),
    "a connection that only the first request makes": (
        seen({"connections": ["10.0.0.1:5432"]}, {}),
        ["NetworkOnFirstUse"],
    ),
    "a connection that every request makes": (seen(*[{"connections": ["10.0.0.1:5432"]}] * 2), []),
    "a program that the first request starts": (seen({"processes": ["uvx"]}, {}), ["ProcessOnFirstUse"]),
    "a program that every request starts": (seen(*[{"processes": ["uvx"]}] * 3), ["ProcessPerRequest"]),
    "a workbench for each request": (seen(*[{"built": {"MCP workbench": 1}}] * 2), ["WorkbenchPerRequest"]),
    "a file that every request reads": (seen(*[{"files": ["model.yaml"]}] * 2), ["FilePerRequest"]),
    "a file that only the first request reads": (seen({"files": ["model.yaml"]}, {}), []),
    "a file that every request reads and writes": (seen(*[{"files": ["s.json", ">s.json"]}] * 2), ["SharedStateFile"]),
    "a variable that every request sets": (seen(*[{"environment_writes": ["KEY"]}] * 2), ["EnvironmentPerRequest"]),
    "a loop that stood still in a request": (
        seen({}, {}, stalls=[Stall("request 2", "a.py:1", 0.2)]),
        ["EventLoopBlocked"],
    ),
    "a loop that stood still during the import": (seen({}, {}, stalls=[Stall("import", "a.py:1", 2.0)]), []),
    "a loop that stood still in the first request, while the SDK was imported": (
        seen({}, {}, stalls=[Stall("request 1", "a.py:1", 0.2)]),
        [],
    ),
    "a loop that stood still in the first request for long": (
        seen({}, {}, stalls=[Stall("request 1", "a.py:1", 0.7)]),
        ["EventLoopBlocked"],
    ),
    "a first call that was sent again": (
        seen({"seconds": 2.0, "repeated_calls": 1, "waited_seconds": 1.5}, {}),
        ["RetryLooksCold"],
    ),
    "a client without bounds": (seen({}, {}, clients=[Client(None, 3)]), ["PatientClient"]),
    "a client with bounds": (seen({}, {}, clients=[Client(30.0, 2)]), []),
    "a loop for each request": (seen(LOOP, LOOP), ["LoopPerRequest"]),
    "a loop that the first request makes": (seen(LOOP, {}), []),
    "calls that hold a thread": (seen(*[AGENT | {"model_calls": 1, "blocking_calls": 1}] * 2), ["BlockingModelCall"]),
    "a model without an agent": (seen(*[{"model_calls": 1}] * 2), ["NoAutoGen"]),
    "a person in the run": (
        seen(error="RuntimeError: the UserProxyAgent u waits for a person"),
        ["PersonInTheRun"],
    ),
    "run_sync": (seen(error="AttributeError: 'AssistantAgent' object has no attribute 'run_sync'"), ["RunSync"]),
    "an event loop that is gone": (seen(error="RuntimeError: Event loop is closed"), ["LoopPerRequest"]),
    "a team that runs": (seen(error="ValueError: The team is already running"), ["SharedTeam"]),
    "any other error": (seen(error="KeyError: 'x'"), ["Failed"]),
}


@pytest.mark.parametrize("case", TOLD)
def test_the_fault_is_named_and_no_other(case: str) -> None:
    observation, names = TOLD[case]
    assert [fault.name for fault in find(observation)] == names


def test_how_much_of_the_first_request_was_a_repetition_is_told() -> None:
    (fault,) = find(seen({"seconds": 2.0, "repeated_calls": 1, "waited_seconds": 1.5}, {}))
    assert "1500 ms, 75% of it" in fault.seen


@pytest.mark.parametrize(("closed", "told"), [(0, True), (1, False)])
def test_clients_that_nobody_closes_are_told(closed: int, *, told: bool) -> None:
    (fault,) = find(seen(*[CLIENT | {"closed": closed}] * 3))
    assert ("2 of them were never closed" in fault.seen) is told


@pytest.mark.parametrize(("program", "told"), [("uvx", True), ("python", False)])
def test_a_program_that_downloads_is_told_of(program: str, *, told: bool) -> None:
    (fault,) = find(seen(*[{"processes": [program]}] * 3))
    assert ("registry" in fault.remedy) is told


def test_an_observation_travels_as_json() -> None:
    sent = seen(CLIENT, {}, stalls=[Stall("request 1", "a.py:1", 0.2)], clients=[Client(10.0, 2)], error="x")
    assert Observation.from_json(sent.to_json()) == sent
