"""An AutoGen agent behind HTTP where every request builds its own model client and its own agent.

This is what AutoGen's sample `agentchat_fastapi` does (`get_agent()` in the handler, the client never closed) and what
`autogenstudio serve` does per request. Served by plain uvicorn with its defaults: `uvicorn prewarm_demo.naive.app:app`.
"""

from __future__ import annotations

import os
import time
import uuid
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import BaseTextChatMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODEL = "gpt-4o-mini"


def get_agent() -> AssistantAgent:
    client = OpenAIChatCompletionClient(model=MODEL)  # key and base URL from OPENAI_API_KEY and OPENAI_BASE_URL
    system_message = os.environ.get("SYSTEM_MESSAGE", "You are a helpful assistant.")
    return AssistantAgent(name="support", model_client=client, system_message=system_message)


async def chat(request: Request) -> Response:
    body = await request.json()
    try:
        result = await get_agent().run(task=body["messages"][-1]["content"])
    except Exception as error:  # the sample answers 500 with the error's text, whatever it was
        return JSONResponse({"error": {"message": str(error), "type": "server_error"}}, status_code=500)
    last = result.messages[-1]
    text = last.content if isinstance(last, BaseTextChatMessage) else last.to_text()
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    answer = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion", "created": int(time.time())}
    return JSONResponse({**answer, "model": MODEL, "choices": [choice]})


app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])
