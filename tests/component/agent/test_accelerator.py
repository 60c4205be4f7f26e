"""The import accelerator in processes of its own: faster, and nothing that a user's code could notice is different."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from component.agent.agent_process import SOURCE, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec

IMPORT = """
import gc, json, sys
from prewarm_agent.startup import accelerate
def run(on=True):
    return accelerate.import_modules(["autogen_agentchat.agents", "autogen_ext.models.openai"], accelerate=on)
def loaded():
    return sorted(name for name in sys.modules if name.startswith("openai.types."))
"""

# Every name in every package of types that is imported with the client, and what it stands for.
NAMES = """
packages = [name for name in loaded() + ["openai.types"] if hasattr(sys.modules[name], "__path__")]
def meaning(value):
    return [str(getattr(value, attribute, value)) for attribute in ("__module__", "__qualname__", "__name__")]
def names(package):
    return [name for name in vars(sys.modules[package]) if not name.startswith("_")]
"""


async def python(code: str) -> Any:
    """What a new interpreter printed as JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", IMPORT + code),
        env={"PYTHONPATH": str(SOURCE)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_most_modules_are_left_out_and_python_is_as_before() -> None:
    plain = await python("run(False); print(len(loaded()))")
    accelerated = await python("""
outcome = run()
modules = len(loaded())
import pygments.lexers, requests
print(json.dumps({
    "outcome": outcome, "modules": modules, "collecting": gc.isenabled(),
    "requests": requests.get.__module__, "pygments": pygments.lexers.__name__,
    "finders": [finder for finder in sys.meta_path if type(finder).__module__ == accelerate.__name__],
}))
""")
    assert accelerated.pop("modules") < plain / 2
    assert accelerated == {
        "outcome": "accelerated",
        "collecting": True,
        "requests": "requests.api",
        "pygments": "pygments.lexers",
        "finders": [],
    }


async def test_every_name_of_the_types_stands_for_the_same_as_after_a_plain_import() -> None:
    plain = await python(f"""
run(False)
{NAMES}
print(json.dumps({{package: {{name: meaning(getattr(sys.modules[package], name)) for name in names(package)}}
                  for package in packages}}))
""")
    accelerated = await python(f"""
run()
{NAMES}
import importlib
wanted = {json.dumps({package: list(names) for package, names in plain.items()})}
print(json.dumps({{package: {{name: meaning(getattr(importlib.import_module(package), name)) for name in names}}
                  for package, names in wanted.items()}}))
""")
    assert sum(map(len, plain.values())) > 500
    assert accelerated == plain


async def test_a_users_code_may_do_with_the_types_what_it_likes() -> None:
    result = await python("""
run()
import copy, importlib, inspect, pickle
import openai.types.chat as chat
from openai.types.chat.chat_completion_message import ChatCompletionMessage
message = chat.ChatCompletionMessage(role="assistant", content="hello")
namespace = {}
exec("from openai.types.responses import *", namespace)
import openai.types.audio
print(json.dumps({
    "same class": isinstance(message, ChatCompletionMessage),
    "pickled": pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message,
    "star": namespace["Response"].__module__ + " " + str(len(namespace) > 100),
    "listed": "ChatCompletion" in dir(chat),
    "source": "ChatCompletionMessage" in inspect.getsource(chat),
    "unknown": hasattr(openai.types.audio, "Nonsense"),
    "reloaded": importlib.reload(openai.types.audio).Transcription.__name__,
}))
""")
    assert result == {
        "same class": True,
        "pickled": True,
        "star": "openai.types.responses.response True",
        "listed": True,
        "source": True,
        "unknown": False,
        "reloaded": "Transcription",
    }


@pytest.mark.parametrize(
    ("broken", "outcome"),
    [
        ("accelerate.TESTED_OPENAI = '0.0.0'", "untested_version"),
        ("accelerate._LazyLoader.exec_module = lambda self, module: None", "failed"),
        ("sys.modules['jsonref'] = None", "failed"),
    ],
    ids=["another release", "names are not found", "nothing to hide"],
)
async def test_what_goes_wrong_ends_in_a_plain_import(broken: str, outcome: str) -> None:
    result = await python(f"""
{broken}
try:
    outcome = run()
except ImportError as error:
    outcome = "failed"  # AutoGen needs jsonref: a plain import fails too
    del sys.modules["jsonref"]
    run(False)
import openai.types.chat, requests
print(json.dumps([outcome, len(loaded()) > 300, hasattr(openai.types.chat, "__getattr__"), gc.isenabled()]))
""")
    assert result == [outcome, True, False, True]


async def test_the_outcome_is_a_metric_and_the_accelerator_can_be_switched_off(model: ModelServer) -> None:
    for environment, outcome in (({}, "accelerated"), ({"PREWARM_ACCELERATE": "false"}, "off")):
        async with running(spec(assistant(model.url)), **environment) as agent:
            await agent.warm()
            assert await agent.metric("prewarm_agent_import_accelerated") == {f'{{outcome="{outcome}"}}': 1}
            assert await agent.ask("hello") == "heard 2: hello"


async def test_a_factory_may_import_what_the_accelerator_has_left_out(model: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text(f"""
import requests
from autogen_agentchat.agents import AssistantAgent
from openai.types.responses import *
assert requests.Session and Response

def agent(resources):
    return AssistantAgent("support", resources.model_client({model_client(model.url)}), description=Response.__name__)
""")
    async with running(spec(entrypoint="support:agent"), PYTHONPATH=str(tmp_path)) as agent:
        await agent.warm()
        assert await agent.ask("hello") == "heard 2: hello"
