"""`prewarm-agent doctor` on services that people run: what it must name of each, and nothing that is not so."""

import json
import sys
from pathlib import Path

import pytest
from component.agent.specs import team
from component.doctor.test_doctor import doctor, names

MODEL = "provider: OpenAIChatCompletionClient\nconfig: {model: gpt-4o-mini, timeout: 10, max_retries: 1}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the services find their files, and a program that starts a tool's server as uvx does."""
    (tmp_path / "model_config.yaml").write_text(MODEL)
    component = team("http://model/v1", max_turns=1)
    for member in component["config"]["participants"]:
        member["config"]["model_client"]["config"]["timeout"] = 10
    (tmp_path / "team.json").write_text(json.dumps(component))
    launcher = tmp_path / "uvx"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    launcher.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("service", "faults", "words"),
    [
        (
            "post_with_a_state_file",
            {"ClientPerRequest", "SharedState", "SharedStateFile", "FilePerRequest"},
            ["never closed", "state.json", "model_config.yaml", "lose a write"],
        ),
        (
            "task_of_a_websocket",
            {"PersonInTheRun"},
            ["UserProxyAgent user waits for a person", "nobody answers"],
        ),
        (
            "message_of_a_session",
            {"ClientPerRequest", "LoopPerRequest", "FilePerRequest"},
            ["asyncio.run", "Event loop is closed", "model_config.yaml"],
        ),
        ("swarm_over_one_client", set(), []),
        (
            "predict",
            {"ClientPerRequest", "EnvironmentPerRequest", "FilePerRequest"},
            ["OPENAI_API_KEY", "team.json"],
        ),
        ("cached:newest_prompt_to_a_cached_agent", {"SharedAgent", "PatientClient"}, ["grow without bound", "1800 s"]),
        (
            "by_hand:participants",
            {"NoAutoGen", "ClientPerRequest", "EnvironmentPerRequest", "BlockingModelCall"},
            ["no AutoGen object was found", "openai.api_key"],
        ),
        ("tool_server_for_each_call", {"ProcessPerRequest"}, ["uvx", "look for their package in a registry"]),
    ],
)
def test_what_costs_their_users_is_named(folder: Path, service: str, faults: set[str], words: list[str]) -> None:
    code, found, text = doctor(
        folder, service if ":" in service else f"people:{service}", "--requests=3", LAUNCHER=str(folder / "uvx")
    )
    assert set(names(found)) == faults, text
    assert code == bool(faults)
    for word in words:
        assert word in " ".join(text.split()), text


def test_a_wsgi_application_is_told_what_can_be_examined(folder: Path) -> None:
    code, _, text = doctor(folder, "by_hand:wsgi")
    assert code == 2
    assert "no AutoGen object was found in it: name a function of `text`" in " ".join(text.split())
