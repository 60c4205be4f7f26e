"""Opens the connection to a model's API that the first request will use, by asking for something harmless."""

from dataclasses import dataclass
from typing import Any

from autogen_core.models import ChatCompletionClient

from prewarm_agent.framework.http_client import CONNECT_TIMEOUT_SECONDS, OllamaHTTPClient


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a model's API is of no use yet: `text` says what "it" does, `reached` whether it answered at all."""

    text: str
    reached: bool


async def connect(client: ChatCompletionClient) -> Problem | None:
    """Asks for the list of models, once. None when connected: any answer of an API proves it, and many have no list.

    A refused key is a problem, though the connection stands; so is a web page, which is what a login in front of the
    API answers with.
    """
    sdk: Any = client._client  # type: ignore[attr-defined]  # AutoGen has no public way to it, nor to list the models
    try:
        status, media_type = await _list_models(sdk)
    except Exception as error:
        if not isinstance(answered := getattr(error, "status_code", None), int):
            return Problem(f"does not answer: {type(error.__cause__ or error).__name__}", reached=False)
        status, media_type = answered, ""
    if status in (401, 403):
        return Problem(f"refuses the key: HTTP {status}", reached=True)
    if status >= 500:
        return Problem(f"does not answer: HTTP {status}", reached=False)
    if status < 400 and "html" in media_type:
        return Problem("answers with a web page; check its URL", reached=False)
    return None


async def _list_models(sdk: Any) -> tuple[int, str]:
    if isinstance(http_client := getattr(sdk, "_client", None), OllamaHTTPClient):
        response = await http_client.get("/api/tags", timeout=CONNECT_TIMEOUT_SECONDS)
    else:
        options = sdk.with_options(max_retries=0, timeout=CONNECT_TIMEOUT_SECONDS)
        response = await options.models.with_raw_response.list()
    return response.status_code, response.headers.get("content-type", "")
