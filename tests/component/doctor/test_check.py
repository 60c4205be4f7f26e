"""`prewarm-agent check`, as people and CI run it, and what it must never do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from component.agent.specs import assistant, spec, team

SOURCE = Path(__file__).parents[3] / "agent_image" / "src"
URL = "http://model/v1"


def check(value: Any, *options: str, python_path: Path = SOURCE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "prewarm_agent", "check", "-", *options],
        input=value if isinstance(value, str) else json.dumps(value),
        env=os.environ | {"PYTHONPATH": f"{SOURCE}{os.pathsep}{python_path}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("value", [spec(assistant(URL)), assistant(URL)])
def test_a_good_spec_passes(value: Any) -> None:
    done = check(value)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The spec is valid; nothing was built from it, and no key and no connection was tried.\n"
    assert json.loads(check(value, "--json").stdout) == {"findings": [], "not_checked": []}


def test_a_factory_is_not_imported_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text("raise SystemExit('imported')")
    value = spec(entrypoint="orders:build")
    done = check(value, python_path=tmp_path)
    assert done.returncode == 0, done.stderr
    told = "The spec is valid; check does not import orders:build, prewarm-agent doctor orders:build runs it.\n"
    assert done.stdout == told
    assert json.loads(check(value, "--json").stdout) == {"findings": [], "not_checked": ["agent.entrypoint"]}


def test_what_a_factory_is_handed_is_looked_at() -> None:
    value = spec(entrypoint="orders:build")
    value["agent"]["config"] = {"model": {"provider": "OpenAIChatCompletionClient", "config": {"modell": "gpt-4o"}}}
    done = check(value)
    assert done.returncode == 0, done.stderr
    assert "agent.config.model.config.modell" in done.stdout
    assert "check does not import orders:build" in done.stdout


def test_a_bad_one_fails_with_every_finding_and_its_place() -> None:
    component = team(URL)
    component["config"]["participants"][0]["config"]["sytem_message"] = "x"
    component["config"]["participants"][1]["config"]["model_client"]["config"]["base_url"] = "https://<host>"
    done = check(component)
    assert done.returncode == 1
    assert "UnknownKey" in done.stdout
    assert "PlaceholderLeft" in done.stdout
    assert "The spec is valid" not in done.stdout
    found = json.loads(check(component, "--json").stdout)["findings"]
    assert {(each["reason"], each["severity"]) for each in found} == {
        ("UnknownKey", "error"),
        ("PlaceholderLeft", "error"),
    }


def test_errors_and_warnings_of_agent_and_models_are_told_together() -> None:
    local = assistant("http://localhost:8000/v1")["config"]["model_client"]
    agent = assistant("", model_client={"provider": "prewarm.NamedModel", "config": {"name": "slow"}})
    done = check(spec(agent, models=[{"name": "fast", "component": local}]), "--json")
    assert done.returncode == 1
    assert [(each["severity"], each["path"]) for each in json.loads(done.stdout)["findings"]] == [
        ("error", "agent.component.config.model_client.config.name"),
        ("warning", "models[0].component.config.base_url"),
    ]


def test_warnings_do_not_fail() -> None:
    done = check(assistant("http://localhost:8000/v1"), "--json")
    assert done.returncode == 0
    assert [each["severity"] for each in json.loads(done.stdout)["findings"]] == ["warning"]


@pytest.mark.parametrize(("value", "words"), [("{", "cannot be read as JSON"), ("[]", "holds a JSON list")])
def test_what_is_no_spec_is_said_in_a_sentence(value: str, words: str) -> None:
    done = check(value)
    assert done.returncode == 1
    assert words in done.stdout
    assert done.stderr == ""


WATCHED = """
import importlib, json, random, sys

from autogen_core import ComponentModel  # what the check itself imports
from prewarm_agent.spec.check import check
from prewarm_agent.spec.findings import PermanentError

base, seed = json.load(sys.stdin)
chosen = random.Random(seed)
BAD = ["os.system", "subprocess.Popen", "antigravity", "evil_mod.X", "builtins.exec", "autogen_ext.code_executors.x.Y",
       "autogen_agentchat.agents.AssistantAgent.__init__", "..", "a b", "\\u2024os.system"]
happened = []


def hook(event, args):
    if event in ("import", "open", "subprocess.Popen", "os.system", "socket.connect", "exec", "compile"):
        happened.append((event, str(args[0])[:80]))


def places(node):
    stack, found = [node], []
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            found.append(here)
            stack.extend(here.values())
        elif isinstance(here, list):
            found.append(here)
            stack.extend(here)
    return found


sys.addaudithook(hook)
for _ in range(300):
    component = json.loads(json.dumps(base))
    for _ in range(chosen.randint(1, 3)):
        bad = {"provider": chosen.choice(BAD), "config": {"command": "touch", "source_code": "open('/tmp/x', 'w')"}}
        place = chosen.choice(places(component))
        if isinstance(place, list):
            place.insert(0, bad)
        else:
            place[chosen.choice(["tools", "config", "provider_", "model_client", "metadata", "x"])] = bad
    happened.clear()
    try:
        check(component)
    except PermanentError as error:
        # Of the findings, those about providers: what is imported for a config comes only when all are allowed.
        assert any(finding.reason == "ProviderNotAllowed" for finding in error.findings), error
        assert happened == [], happened
    else:
        raise AssertionError(component)
print("done")
"""


@pytest.mark.parametrize("seed", range(3))
def test_no_import_no_file_and_no_process_before_every_provider_is_allowed(seed: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        input=json.dumps([team(URL), seed]),
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "done\n", done.stderr
