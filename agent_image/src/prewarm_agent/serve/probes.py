"""The port for the kubelet, Prometheus and the operator. It answers from the first moment, and never asks the model."""

from prewarm_agent.serve.asgi import Receive, Scope, Send, send_bytes, send_json
from prewarm_agent.serve.load import LoadEndpoint
from prewarm_agent.serve.specialize import SPECIALIZE_PATH, WARMUP_PATH, Orders
from prewarm_agent.startup.state import Lifecycle, Stage

_METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class ProbeApplication:
    def __init__(self, lifecycle: Lifecycle, orders: Orders) -> None:
        self._lifecycle = lifecycle
        self._load = LoadEndpoint(lifecycle)
        self._orders = orders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in (SPECIALIZE_PATH, WARMUP_PATH):
            if scope["method"] == "POST":
                await self._orders(scope, receive, send)
            else:
                await send_json(send, 405, {"error": "only POST"}, [(b"allow", b"POST")])
        elif scope["method"] in ("GET", "HEAD"):
            await self._get(scope, receive, send)
        else:
            await send_json(send, 405, {"error": "only GET"}, [(b"allow", b"GET")])

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/livez":
                fault = self._lifecycle.incurable
                body = {"status": "live"} if fault is None else {"status": "stuck", "error": fault}
                await send_json(send, 200 if fault is None else 503, body)
            case "/warmupz":
                warm = self._lifecycle.stage in (Stage.GENERIC, Stage.WARM)
                await send_json(send, 200 if warm else 503, self._lifecycle.report())
            case "/readyz":
                ready = self._lifecycle.ready
                await send_json(send, 200 if ready else 503, {"status": "ready" if ready else "not ready"})
            case "/metrics":
                await self._metrics(send)
            case "/load":
                await self._load.answer(scope, receive, send)
            case _:
                paths = "/livez, /warmupz, /readyz, /metrics or /load; POST goes to /specialize or /warmup"
                await send_json(send, 404, {"error": f"use {paths}"})

    async def _metrics(self, send: Send) -> None:
        # Imported on demand: it is one of the imports that the ports do not wait for.
        from prewarm_agent import metrics

        await send_bytes(send, 200, metrics.render(self._lifecycle), _METRICS_TYPE)
