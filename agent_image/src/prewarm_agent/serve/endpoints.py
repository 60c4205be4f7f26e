"""What the port for users offers once there is an agent."""

import time
from collections.abc import Mapping

from prewarm_agent.framework.blueprint import Blueprint
from prewarm_agent.serve.asgi import Receive, Scope, Send, send_json
from prewarm_agent.serve.completions import Completions
from prewarm_agent.serve.invocations import Invocations
from prewarm_agent.serve.running import Running
from prewarm_agent.serve.users import Endpoint


def endpoints(name: str, blueprint: Blueprint, running: Running) -> Mapping[str, Endpoint]:
    """By path, for the agent called `name`."""
    return {
        "/v1/chat/completions": Endpoint("chat_completions", "POST", Completions(name, blueprint, running).answer),
        "/v1/models": Endpoint("models", "GET", _Models(name).answer, runs=False),
        "/invocations": Endpoint("invocations", "POST", Invocations(name, blueprint, running).answer),
    }


class _Models:
    """`GET /v1/models`: clients ask it to see whether they have the right server."""

    def __init__(self, name: str) -> None:
        model = {"id": name, "object": "model", "created": int(time.time()), "owned_by": "prewarm"}
        self._list = {"object": "list", "data": [model]}

    async def answer(self, _scope: Scope, _body: bytes, _receive: Receive, send: Send) -> None:
        await send_json(send, 200, self._list)
