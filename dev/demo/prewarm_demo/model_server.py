"""A model server that speaks the OpenAI API and answers like an echo: a test double, so the demo needs no key.

Run as `python -m prewarm_demo.model_server`. An answer is `echo:<number of messages>:<last user text>`, so that a
caller can tell that the answer is its own and how many messages the model was shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

# What OpenAI answers with when asked for `gpt-4o-mini`; AutoGen warns on every call about a name it does not expect.
MODEL = "gpt-4o-mini-2024-07-18"
CREATED_EPOCH_SECONDS = 1_700_000_000


def _text(content: Any) -> str:
    """The text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content or ())


def _answer(messages: list[dict[str, Any]]) -> str:
    last_user = next((m["content"] for m in reversed(messages) if m.get("role") == "user"), "")
    return f"echo:{len(messages)}:{_text(last_user)}"


def _usage(messages: list[dict[str, Any]], answer: str) -> dict[str, int]:
    """Words instead of tokens: the double counts, it does not tokenize."""
    prompt = sum(len(_text(m.get("content")).split()) for m in messages)
    completion = len(answer.split())
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _envelope(kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "chatcmpl-echo", "object": kind, "created": CREATED_EPOCH_SECONDS, "model": MODEL, "choices": choices}


async def _events(answer: str, usage: dict[str, int] | None) -> AsyncIterator[str]:
    def event(choices: list[dict[str, Any]], **extra: Any) -> str:
        return f"data: {json.dumps({**_envelope('chat.completion.chunk', choices), **extra})}\n\n"

    for piece in re.findall(r"\s*\S+|\s+$", answer):
        yield event([{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}])
    yield event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    if usage is not None:
        yield event([], usage=usage)
    yield "data: [DONE]\n\n"


def build_app(latency_seconds: float) -> Starlette:
    """The server; every completion (the first chunk, when streamed) takes `latency_seconds`."""

    async def complete(request: Request) -> Response:
        body = await request.json()
        messages: list[dict[str, Any]] = body.get("messages") or []
        if not messages:
            error = {"message": "messages: must not be empty.", "type": "invalid_request_error"}
            return JSONResponse({"error": error}, status_code=400)
        answer = _answer(messages)
        usage = _usage(messages, answer)
        await asyncio.sleep(latency_seconds)
        if body.get("stream"):
            include = (body.get("stream_options") or {}).get("include_usage")
            return StreamingResponse(_events(answer, usage if include else None), media_type="text/event-stream")
        message = {"role": "assistant", "content": answer}
        choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
        return JSONResponse({**_envelope("chat.completion", choices), "usage": usage})

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "echo"}]})

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", models),
            Route("/healthz", healthz),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m prewarm_demo.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--latency-seconds", type=float, default=0.2)
    args = parser.parse_args()
    # Longer than clients keep a connection, so that it is never the model server that closes one under a request.
    app = build_app(args.latency_seconds)
    uvicorn.run(app, host="0.0.0.0", port=args.port, access_log=False, timeout_keep_alive=90)


if __name__ == "__main__":
    main()
