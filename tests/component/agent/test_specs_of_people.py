"""Specs as people have them, served: what the checks let through must work in AutoGen, too."""

import copy
import json
import re
from typing import Any

from component.agent.agent_process import running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec, team
from prometheus_client.parser import text_string_to_metric_families


def as_studio_exported(component: dict[str, Any]) -> dict[str, Any]:
    """A team of version 2 agents as a Studio before agentchat 0.6 wrote it."""
    old = copy.deepcopy(component)
    for member in old["config"]["participants"]:
        member["component_version"] = 1
        member["config"]["workbench"] = {
            "provider": "autogen_core.tools.StaticWorkbench",
            "component_type": "workbench",
            "config": {"tools": []},
        }
        for key in ("description", "reflect_on_tool_use", "tool_call_summary_format"):
            del member["config"][key]
        model = member["config"]["model_client"]["config"]
        model["model_info"] = {"vision": False, "function_calling": True, "json_output": True, "family": "gpt-4o"}
    return old


async def test_an_export_of_an_old_studio_is_served_with_warnings(model: ModelServer) -> None:
    async with running(spec(as_studio_exported(team(model.url)))) as agent:
        await agent.warm()
        assert await agent.ask("hello") == "heard 3: heard 2: hello"
        told = {entry["path"] for entry in agent.log if entry["message"] == "spec warning"}
    assert "agent.component.config.participants[1].component_version" in told
    assert "agent.component.config.participants[0].config.workbench" in told


async def test_versions_and_types_that_are_missing_null_and_mixed_are_the_present_ones(model: ModelServer) -> None:
    component = team(model.url)
    first, second = component["config"]["participants"]
    del first["component_version"], first["component_type"], second["config"]["model_client"]["component_type"]
    second.update(component_version=None, component_type=None)
    del component["component_version"]
    async with running(spec(component)) as agent:
        await agent.warm()
        assert await agent.ask("hello") == "heard 3: heard 2: hello"
        told = [entry["path"] for entry in agent.log if entry["message"] == "spec warning"]
    assert [path for path in told if not path.endswith("base_url")] == []  # which is on the test's own machine


async def test_names_beyond_ascii_and_labels_with_blanks_are_served_and_harm_nothing(model: ModelServer) -> None:
    component = team(model.url)
    for member, name in zip(component["config"]["participants"], ("Jürgen", "作者"), strict=True):
        member["config"]["name"] = name
        member["label"] = f"{name} the Writer  "
    component["label"] = "Mein Team "
    async with running(spec(component)) as agent:
        await agent.warm()
        assert await agent.ask("hello") == "heard 3: heard 2: hello"
        page = (await agent.probe("/metrics")).text
    names = [message["name"] for body in model.bodies for message in body["messages"] if "name" in message]
    assert len(set(names)) == 2  # the user's and, for the second member, the first one's
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name in names)
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    assert samples
    assert json.dumps([sample.labels for sample in samples], ensure_ascii=False).isascii()


async def test_a_bare_export_is_a_file_that_can_be_served(model: ModelServer) -> None:
    async with running(assistant(model.url, name="helper")) as agent:
        await agent.warm()
        async with agent.openai() as sdk:
            (served,) = [each.id async for each in sdk.models.list()]
            answer = await sdk.chat.completions.create(model=served, messages=[{"role": "user", "content": "hello"}])
    assert answer.choices[0].message.content == "heard 2: hello"
