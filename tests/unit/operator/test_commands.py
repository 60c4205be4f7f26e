"""What `prewarm explain` and `prewarm status` print of a status."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from unit.operator.builders import agent_body

from prewarm_operator.commands import explain, restart, status
from prewarm_operator.commands.access import Cluster
from prewarm_operator.commands.tables import show
from prewarm_operator.kube.client import Client
from prewarm_operator.render.agent import Agent, parse

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NUMBER = {"desiredReplicas": 4, "readyReplicas": 3, "replicas": 4}
TERMS = [
    {"name": "reactive", "replicas": 2, "reason": "LoadNow", "message": "the load is 12.0 requests"},
    {"name": "forecast", "replicas": 4, "reason": "LoadForecast", "message": "it will be 31.0", "decides": True},
    {"name": "schedule", "reason": "Schedule", "message": "the next window begins at 13:00 UTC"},
]
SCALING: dict[str, Any] = {"reason": "LoadForecast", "message": "it will be 31.0", "load": 12.0, "terms": TERMS}


def condition(type_: str, status: str, reason: str, at: str = "2026-01-01T11:58:00Z") -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": f"{type_} speaks", "lastTransitionTime": at}


GOOD = [
    condition("Ready", "True", "MinimumServes"),
    condition("Progressing", "False", "Settled"),
    condition("Stalled", "False", "Settled"),
    condition("AgentValid", "True", "AgentLoaded"),
]


def change(time: str, before: int, after: int, **more: Any) -> dict[str, Any]:
    return {"time": time, "from": before, "to": after, "reason": "LoadNow", "message": "the load", **more}


def of(name: str = "support", *, scaling: dict[str, Any] | None = None, **fields: Any) -> Agent:
    told = {**NUMBER, "scaling": {**SCALING, **(scaling or {})}, "conditions": GOOD, **fields}
    body = agent_body(mode="Auto", status=told)
    body["metadata"]["name"] = name
    return parse(body)


def lines(capsys: pytest.CaptureFixture[str], *parts: Any) -> list[str]:
    show(parts)
    return capsys.readouterr().out.splitlines()


def explained(capsys: pytest.CaptureFixture[str], agent: Agent) -> list[str]:
    return lines(capsys, *explain.explanation(agent, NOW))


@pytest.fixture(autouse=True)
def a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def test_the_number_and_every_term_in_order_with_an_arrow_at_the_one_that_decides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = explained(capsys, of())
    assert told[:3] == [
        "team/support, mode Auto",
        "4 pods wanted, 3 ready, between 2 and 5",
        "LoadForecast: it will be 31.0",
    ]
    assert [line.split()[:3] for line in told[5:8]] == [
        ["reactive", "2", "LoadNow"],
        ["->", "forecast", "4"],
        ["schedule", "-", "Schedule"],
    ]
    assert told[6].endswith("it will be 31.0")


def test_only_conditions_that_are_not_as_they_should_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert not any("speaks" in line for line in explained(capsys, of()))
    old = condition("Ready", "False", "BelowMinimum", "2025-12-24T18:00:00Z")
    told = explained(capsys, of(conditions=[old, condition("AgentValid", "False", "UnknownKey")]))
    shown = [line.split() for line in told if "speaks" in line]
    assert shown == [
        ["AgentValid", "False", "11:58:00", "UnknownKey", "AgentValid", "speaks"],
        ["Ready", "False", "2025-12-24", "18:00", "BelowMinimum", "Ready", "speaks"],
    ]


def test_the_last_hour_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    history = [
        change("2026-01-01T11:50:00Z", 3, 4),
        change("2026-01-01T11:30:00Z", 9, 3, since="2026-01-01T11:24:00Z"),
        change("2026-01-01T11:10:00Z", 2, 9, observed=True),
        change("2026-01-01T10:59:59Z", 1, 2),
    ]
    told = [line.split() for line in explained(capsys, of(scaling={"history": history})) if "->" in line][1:]
    assert [words[:4] for words in told] == [
        ["11:50:00", "3", "->", "4"],
        ["11:24:00-11:30:00", "9", "->", "3"],
        ["11:10:00", "2", "->", "9"],
    ]
    assert told[2][4] == "(Auto)"


def test_an_hour_without_changes_and_one_with_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, of())[-1] == "In the last hour the number has not changed."
    history = [change(f"2026-01-01T11:{59 - minute}:00Z", 1, 2) for minute in range(20)]
    assert "not kept" in explained(capsys, of(scaling={"history": history}))[-1]
    assert "not kept" not in explained(capsys, of(scaling={"history": history[:19]}))[-1]


def test_horizon_and_quality_of_the_forecast(capsys: pytest.CaptureFixture[str]) -> None:
    young = {"horizonSeconds": 75.0, "message": "it needs more loads to be judged, until about 12:04 UTC"}
    assert "forecast: looks 75 s ahead; it needs more loads to be judged, until about 12:04 UTC" in explained(
        capsys, of(scaling={"forecast": young})
    )
    old = {"horizonSeconds": 75.0, "coveragePercent": 94.7, "pinballLoss": 2.35}
    (told,) = [line for line in explained(capsys, of(scaling={"forecast": old})) if line.startswith("forecast:")]
    assert "looks 75 s ahead" in told
    assert "94.7 %" in told
    assert "2.35" in told


def test_observe_says_what_auto_would_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert "mode Auto would have 7 pods" in explained(capsys, of(scaling={"autoReplicas": 7}))


def test_an_agent_that_no_operator_has_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, parse(agent_body()))[-1] == "no status yet: is the operator running?"
    (_, row) = lines(capsys, status.fleet([parse(agent_body())], False))
    assert row.endswith("no status yet: is the operator running?")


def test_the_fleet_with_problems_first_then_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    bad = [condition("Ready", "False", "BelowMinimum"), condition("AgentValid", "False", "UnknownKey")]
    stuck = [*GOOD[:2], condition("Stalled", "True", "Stuck")]
    fleet = [of("b"), of("a"), of("z", conditions=bad), of("y", conditions=stuck)]
    told = lines(capsys, status.fleet(fleet, True))
    assert [line.split()[1] for line in told[1:]] == ["y", "z", "a", "b"]
    assert told[1].endswith("Stuck: Stalled speaks")
    assert told[2].endswith("UnknownKey: AgentValid speaks")
    assert told[3].endswith("LoadForecast")


def test_a_row_of_the_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    measured = {"createdToReadyP90Seconds": 2.54, "samples": 3}
    agent = of(
        scaling={"autoReplicas": 7, "forecast": {"horizonSeconds": 30, "coveragePercent": 94.8}}, startup=measured
    )
    (_, row) = lines(capsys, status.fleet([agent], False))
    assert row.split() == [
        "support",
        "Auto",
        "3/4",
        "2-5",
        "12",
        "2.5",
        "s",
        "94.8",
        "%",
        "LoadForecast",
        "(Auto:",
        "7)",
    ]


def test_what_others_wrote_is_neither_markup_nor_a_terminal_s_command(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07[red]\nx\u202e"
    told = explained(capsys, of(scaling={"message": evil}))
    assert told[2] == "LoadForecast:  ]0;owned [red] x"


def test_rows_of_the_fleet_stay_lines_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    show([status.fleet([of(), of("b")], False)], breaks_lines=False)
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == [
        "problem",
        "LoadForecast",
        "LoadForecast",
    ]
    told = explained(capsys, of(scaling={"terms": [{**TERMS[0], "message": "word " * 40}]}))
    assert max(map(len, told)) <= 60
    assert sum("word" in line for line in told) > 1


@pytest.mark.parametrize("message", ["word " * 6000, "x" * 32768], ids=["words", "one word"])
def test_a_row_stays_a_line_however_long_its_message_is(capsys: pytest.CaptureFixture[str], message: str) -> None:
    """A condition's message may have 32768 characters."""
    sick = of(conditions=[{**condition("Ready", "False", "PodRefused"), "message": message}])
    told = lines(capsys, status.fleet([sick], False))
    assert len(told) == 2
    assert told[1].endswith(message.rstrip())


class Listing:
    """A client whose every answer is this list."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self._items = items

    async def request(self, method: str, path: str) -> dict[str, Any]:
        return {"items": self._items}


async def test_one_that_cannot_be_read_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    odd = agent_body(mode="Psychic")
    odd["metadata"]["name"] = "odd"
    cluster = Cluster(cast(Client, Listing(odd, agent_body())), "team")
    assert [agent.name for agent in await cluster.read_all("team")] == ["support"]
    told = capsys.readouterr().err
    assert told.startswith(
        "AgentDeployment odd was stored under another version, which this command cannot read (spec.mode"
    )
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("reason", "is_done"), [("Settled", True), ("Scaling", True), ("RollingOut", False), ("Stuck", False)]
)
def test_a_restart_is_done_when_no_pod_is_of_the_revision_before(reason: str, is_done: bool) -> None:
    assert restart.is_done(of(conditions=[condition("Progressing", "True", reason)]).status) is is_done
