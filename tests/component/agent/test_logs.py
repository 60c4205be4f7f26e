"""What users and models say stays out of the logs."""

import asyncio
import sys
from asyncio.subprocess import PIPE

from component.agent.agent_process import SOURCE, AgentProcess

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
