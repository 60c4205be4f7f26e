"""Everything that a process builds once: one object of each kind for each distinct configuration."""

import ssl
from functools import cached_property

import httpx2

from prewarm_agent import metrics
from prewarm_agent.framework.http_client import HTTPSettings
from prewarm_agent.framework.model_pool import ModelPool
from prewarm_agent.framework.upstream import OnModelCall


class Parts:
    """Owns the parts: they live until `close`, and belong to the event loop that they were made in."""

    def __init__(self, *, connections: int, read_timeout_seconds: float, on_model_call: OnModelCall) -> None:
        self._connections = connections
        self._read_timeout_seconds = read_timeout_seconds
        self._on_model_call = on_model_call
        self.models = ModelPool(lambda: self._http)

    @cached_property
    def _http(self) -> HTTPSettings:
        return HTTPSettings(_ssl_context(), self._connections, self._read_timeout_seconds, self._on_model_call)

    async def close(self) -> None:
        """Closes every connection. Nothing may run any more."""
        await self.models.close()


def _ssl_context() -> ssl.SSLContext:
    metrics.resources_built.labels(kind="ssl_context").inc()
    return httpx2.create_ssl_context()  # 25 ms: it parses every CA certificate of the system
