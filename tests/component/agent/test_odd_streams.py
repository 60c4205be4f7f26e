"""Streams of servers that speak OpenAI's API with an accent."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from component.agent.agent_process import running
from component.agent.specs import assistant, spec

Chunk = dict[str, Any]


def delta(text: str | None = None, finish: str | None = None) -> Chunk:
    return {"choices": [{"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}]}


TEXT = [delta("Good "), delta("day"), delta(finish="stop")]
AZURE = [{"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, *TEXT]
WITHOUT_USAGE = [*TEXT, {"choices": [], "usage": None}]


@asynccontextmanager
async def api(chunks: list[Chunk]) -> AsyncIterator[str]:
    """A server whose every streamed answer is these chunks; gives its base URL."""

    async def complete(request: web.Request) -> web.StreamResponse:
        assert (await request.json())["stream"]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
        for chunk in chunks:
            await response.write(f"data: {json.dumps(head | chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    application = web.Application()
    application.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("chunks", [AZURE, WITHOUT_USAGE], ids=["first chunk without choices", "usage null at the end"])
async def test_a_chunk_without_choices_is_no_end_and_no_error(chunks: list[Chunk]) -> None:
    async with api(chunks) as url, running(spec(assistant(url, model_client_stream=True))) as agent:
        await agent.warm()
        async with agent.openai() as client:
            stream = await client.chat.completions.create(
                model="support", messages=[{"role": "user", "content": "hello"}], stream=True
            )
            heard = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in heard if chunk.choices) == "Good day"
    assert [chunk.choices[0].finish_reason for chunk in heard if chunk.choices][-1] == "stop"
    assert all(chunk.usage is None for chunk in heard)
