"""What a scrape tells of the calls inside requests, and of requests that were not run."""

import asyncio

import httpx
from component.agent.agent_process import running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec
from component.agent.test_tools import function_tool, with_tools

PREFIX = "prewarm_agent"


async def test_a_tools_calls_are_timed_by_name_and_outcome(model: ModelServer) -> None:
    source = "def lookup(text: str) -> str:\n    raise ValueError(text)\n"
    async with running(with_tools(model.url, function_tool("lookup", source))) as agent:
        await agent.warm()
        await agent.ask('CALL=lookup {"text": "x"}')
        await agent.ask("hello")
        tools = await agent.metric(f"{PREFIX}_tool_call_duration_seconds_count")
        assert tools == {'{outcome="error",tool="lookup"}': 1}
        models = await agent.metric(f"{PREFIX}_model_call_duration_seconds_count")
        assert models == {'{model="gpt-4o-mini",outcome="ok"}': 3}  # none of the rehearsal
        assert set(await agent.metric(f"{PREFIX}_model_tokens_total")) == {
            '{direction="completion",model="gpt-4o-mini"}',
            '{direction="prompt",model="gpt-4o-mini"}',
        }
        assert await agent.metric(f"{PREFIX}_overhead_seconds_count") == {"": 1}  # the first request is apart


async def test_a_streamed_answers_first_chunk_is_timed(model: ModelServer) -> None:
    async with running(spec(assistant(model.url))) as agent:
        await agent.warm()
        await agent.post("hello", stream=True)
        await agent.post("hello")
        counts = await agent.metric(f"{PREFIX}_time_to_first_chunk_seconds_count")
        assert counts == {'{endpoint="chat_completions"}': 1}


async def test_a_request_without_the_token_is_counted_by_why_it_was_refused(model: ModelServer) -> None:
    async with running(spec(assistant(model.url)), PREWARM_API_TOKEN="t") as agent:
        await agent.warm()
        assert (await agent.post("hello")).status_code == 401
        assert await agent.metric(f"{PREFIX}_requests_rejected_total") == {'{reason="invalid_api_key"}': 1}


async def test_neither_a_prompt_nor_a_key_is_printed_when_the_models_api_fails() -> None:
    secret, key = "the-text-of-a-user", "sk-not-to-be-seen"
    async with running(spec(assistant("http://127.0.0.1:1")), OPENAI_API_KEY=key) as agent:
        await agent.warm()
        answer: httpx.Response = await agent.post(secret)
        assert answer.status_code == 502
        async with asyncio.timeout(10):
            while "request failed" not in (printed := str(agent.log)):  # the line follows the answer
                await asyncio.sleep(0.01)
        assert secret not in printed
        assert key not in printed
        scraped = (await agent.probe("/metrics")).text
        assert secret not in scraped
