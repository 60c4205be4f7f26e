"""A spec that can never be served ends the process with a reason, a path and a sentence; nothing of it is run."""

import json
from pathlib import Path
from typing import Any

import pytest
from component.agent.agent_process import running
from component.agent.specs import assistant, model_client, spec, team

URL = "http://127.0.0.1:9/v1"


async def refused(document: object, **environment: str) -> dict[str, str]:
    """What the process left in its termination log, having ended as a permanent error does."""
    async with running(document, **environment) as agent:
        assert await agent.exit_code() == 78
        assert [entry for entry in agent.log if entry["message"] == "spec refused"]
        assert not [entry for entry in agent.log if "exception" in entry]
        return agent.termination_message


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A module on the path that leaves a mark when it is imported."""
    mark = tmp_path / "imported"
    (tmp_path / "antigravity_probe_mod.py").write_text(f"open({str(mark)!r}, 'w').close()\nclass X: pass\n")
    return mark


async def test_a_provider_off_the_list_is_refused_and_never_imported(trap: Path) -> None:
    component = assistant(URL, tools=[{"provider": "antigravity_probe_mod.X", "config": {}}])
    message = await refused(spec(component), PYTHONPATH=str(trap.parent))
    assert message["reason"] == "ProviderNotAllowed"
    assert message["path"] == "agent.component.config.tools[0].provider"
    assert "'antigravity_probe_mod.X' is not on the allow-list; use one of " in message["message"]
    assert not trap.exists()
    # The trap works: a factory in that module is imported, since entrypoints name code of the image.
    await refused(spec(entrypoint="antigravity_probe_mod:missing"), PYTHONPATH=str(trap.parent))
    assert trap.exists()


async def test_all_findings_are_told_at_once() -> None:
    component = team(URL)
    writer, critic = component["config"]["participants"]
    writer["config"]["sytem_message"] = "x"
    critic["config"]["model_client"]["config"]["temperatur"] = 1
    del critic["config"]["description"]
    message = await refused(spec(component))
    assert message["reason"] == "UnknownKey"
    assert message["path"] == "agent.component.config.participants[0].config.sytem_message"
    for path in (
        "agent.component.config.participants[0].config.sytem_message: is not a known key; use one of ",
        "agent.component.config.participants[1].config.description: field required.",
        "agent.component.config.participants[1].config.model_client.config.temperatur: is not a known key",
    ):
        assert path in message["message"]


MODEL = "agent.component.config.model_client"


@pytest.mark.parametrize(
    ("document", "reason", "path"),
    [
        ("{", "SpecUnreadable", ""),
        (spec(assistant(URL), concurrencyLimits=1), "UnknownKey", "concurrencyLimits"),
        (spec(assistant(URL, name="not-a-name")), "InvalidConfig", "agent.component.config.name"),
        (
            spec(assistant(URL), models=[{"name": "m", "component": model_client(URL, timeot=1)}]),
            "UnknownKey",
            "models[0].component.config.timeot",
        ),
        (spec(entrypoint="no_such_module:agent"), "ModuleNotFound", "agent.entrypoint"),
        (spec(entrypoint="json:no_such_function"), "FactoryFailed", "agent.entrypoint"),
    ],
)
async def test_a_permanent_error_names_its_reason_and_the_place(document: Any, reason: str, path: str) -> None:
    message = await refused(document)
    assert (message["reason"], message["path"]) == (reason, path)
    assert message["message"].startswith(path)


async def test_a_missing_secret_names_the_variable_and_the_model_that_needs_it() -> None:
    message = await refused(spec(assistant(URL)), OPENAI_API_KEY="")
    assert (message["reason"], message["path"]) == ("MissingSecret", MODEL)
    assert "OPENAI_API_KEY is not set" in message["message"]


async def test_a_model_that_autogen_does_not_know_is_served_and_told() -> None:
    async with running(spec(assistant(URL, model_client=model_client(URL, model="my-model")))) as agent:
        await agent.warm()
        assert [entry for entry in agent.log if entry["level"] == "warning" and "my-model" in json.dumps(entry)]


async def test_a_key_in_the_spec_appears_in_no_log() -> None:
    component = assistant(URL, model_client=model_client(URL, api_key="sk-very-secret", timeot=3), name="a b")
    async with running(spec(component)) as agent:
        assert await agent.exit_code() == 78
        assert "sk-very-secret" not in json.dumps([agent.log, agent.termination_message])
