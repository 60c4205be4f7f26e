"""AutoGen's HttpTool, on an HTTP client of the process: AutoGen's own makes one, TLS context and all, for each call."""

import asyncio
from typing import Any, Self

import httpx
from autogen_core import CancellationToken
from autogen_ext.tools.http import HttpTool
from pydantic import BaseModel


class SharedHttpTool(HttpTool):
    http_client: httpx.AsyncClient

    @classmethod
    def on(cls, http_client: httpx.AsyncClient, config: dict[str, Any]) -> Self:
        tool = cls._from_config(cls.component_config_schema.model_validate(config))
        tool.http_client = http_client
        return tool

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:  # noqa: ARG002 - by its caller
        """The timeout of the config bounds the whole call."""
        values = args.model_dump()
        server = self.server_params
        path = server.path.format(**{name: values.pop(name) for name in self._path_params})
        url = httpx.URL(scheme=server.scheme, host=server.host, port=server.port, path=path)
        method = server.method or "POST"
        query, body = (values, None) if method in ("GET", "DELETE") else (None, values)
        async with asyncio.timeout(server.timeout):
            response = await self.http_client.request(method, url, headers=server.headers, params=query, json=body)
        return response.json() if server.return_type == "json" else response.text
