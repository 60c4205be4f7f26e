"""The port for the kubelet and for Prometheus. It answers from the first moment, and never asks the model."""

from prewarm_agent.serve.asgi import Receive, Scope, Send, send_bytes, send_json
from prewarm_agent.serve.load import LoadEndpoint
from prewarm_agent.startup.state import Lifecycle, Stage

_METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class ProbeApplication:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._load = LoadEndpoint(lifecycle)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await send_json(send, 405, {"error": "only GET"}, [(b"allow", b"GET")])
            return
        match scope["path"]:
            case "/livez":
                await send_json(send, 200, {"status": "live"})
            case "/warmupz":
                status = 200 if self._lifecycle.stage is Stage.WARM else 503
                await send_json(send, status, self._lifecycle.report())
            case "/readyz":
                ready = self._lifecycle.ready
                await send_json(send, 200 if ready else 503, {"status": "ready" if ready else "not ready"})
            case "/metrics":
                await self._metrics(send)
            case "/load":
                await self._load.answer(scope, receive, send)
            case _:
                await send_json(send, 404, {"error": "use /livez, /warmupz, /readyz, /metrics or /load"})

    async def _metrics(self, send: Send) -> None:
        # Imported on demand: it is one of the imports that the ports do not wait for.
        from prewarm_agent import metrics

        await send_bytes(send, 200, metrics.render(self._lifecycle), _METRICS_TYPE)
