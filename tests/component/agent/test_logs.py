"""What users and models say stays out of the logs."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from component.agent.agent_process import SOURCE, AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import spec

# What happens to the answer of an agent with structured output: the SDK puts it where pydantic expects nothing.
STRUCTURED_ANSWER = """
from pydantic import BaseModel
from prewarm_agent import log

class Message(BaseModel):
    parsed: None = None

log.configure()
message = Message()
message.parsed = "the text of a user"
message.model_dump()
"""


async def test_a_warning_that_quotes_an_answer_is_not_logged() -> None:
    environment = {"PYTHONPATH": str(SOURCE)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STRUCTURED_ANSWER, stderr=PIPE, env=environment
    )
    _, logged = await process.communicate()
    assert (process.returncode, logged) == (0, b"")


async def test_a_model_whose_server_gives_it_another_name_is_no_warning(agent: AgentProcess) -> None:
    logged = [entry for entry in agent.log if entry["logger"] == "py.warnings"]
    assert logged == []  # though the warm-up was answered by a model of another name


KEY, PROMPT = "sk-of-the-store", "the-text-of-a-user"
RAISING = """
import os
from autogen_agentchat.agents import AssistantAgent
from autogen_core.tools import FunctionTool

MODEL = {"provider": "OpenAIChatCompletionClient", "config": {"model": "gpt-4o-mini", "base_url": "URL"}}


def lookup(text: str) -> str:
    key = os.environ["STORE_KEY"]
    raise ConnectionError(f"https://store/?key={key} refused {text}")


def support(resources):
    tool = FunctionTool(lookup, description="Looks up.")
    return AssistantAgent("support", resources.model_client(MODEL), tools=[tool], reflect_on_tool_use=False)
"""


async def test_what_a_tool_raises_is_in_no_log_and_ends_no_answer_with_its_traceback(
    model: ModelServer, tmp_path: Path
) -> None:
    module = RAISING.replace("URL", model.url)
    (tmp_path / "raising.py").write_text(module)
    document = spec(entrypoint="raising:support")
    async with running(document, PYTHONPATH=str(tmp_path), STORE_KEY=KEY) as agent:
        await agent.warm()
        answer = await agent.post(f'CALL=lookup {{"text": "{PROMPT}"}}')
        logged = json.dumps(agent.log)
        scraped = (await agent.probe("/metrics")).text
    assert answer.status_code == 200
    assert "Traceback" not in answer.text
    for told in (logged, scraped):
        assert KEY not in told
        assert PROMPT not in told
