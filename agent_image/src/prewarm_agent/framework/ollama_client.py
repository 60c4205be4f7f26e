"""AutoGen's Ollama client on an HTTP client of the process, with the headers and the timeout that the spec gives it."""

from typing import Any

import httpx
import ollama
from autogen_ext.models.ollama import OllamaChatCompletionClient

from prewarm_agent.framework.http_client import HTTPSettings, OllamaHTTPClient


class SharedOllamaClient(OllamaChatCompletionClient):
    def __init__(self, http: HTTPSettings, **config: Any) -> None:
        super().__init__(**config)  # makes an HTTP client of its own, which is dropped unused
        options = http.options(httpx) | {
            key: config[key] for key in ("headers", "timeout", "follow_redirects") if config.get(key) is not None
        }
        self._client = _OllamaSDK(config.get("host"), on_model_call=http.on_model_call, **options)

    async def close(self) -> None:
        await self._client._client.aclose()


class _OllamaSDK(ollama.AsyncClient):
    def __init__(self, host: str | None, **options: Any) -> None:
        super(ollama.AsyncClient, self).__init__(OllamaHTTPClient, host, **options)
