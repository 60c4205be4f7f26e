"""Whatever ends a call is a KubeError, so that it ends neither the election nor the listing. Calls themselves are
tested on a real API server."""

from collections.abc import Mapping
from typing import Any

import pytest
from kubernetes.aio.config.config_exception import ConfigException

from prewarm_operator.kube.client import Client
from prewarm_operator.kube.errors import Refused, Unreachable


class Response:
    def __init__(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}

    async def read(self) -> bytes:
        return b"<html>sign in</html>"


class Api:
    """The official client, as far as ours uses it."""

    def __init__(self, no_token: Exception | None = None, response: Response | None = None) -> None:
        self.no_token = no_token
        self.response = response or Response()

    async def param_serialize(self, *_: Any, **__: Any) -> tuple[Any, ...]:
        if self.no_token is not None:
            raise self.no_token
        return "GET", "https://api/", {}, None, []

    async def call_api(self, *_: Any, **__: Any) -> Response:
        return self.response


@pytest.mark.parametrize(
    "api", [Api(ConfigException("Token file exists but empty.")), Api(FileNotFoundError("token")), Api()]
)
async def test_a_missing_token_or_an_answer_of_a_proxy_is_no_answer(api: Any) -> None:
    with pytest.raises(Unreachable, match="GET /api"):
        await Client(api).request("GET", "/api")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7.0), ({}, None), ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None)],
)
async def test_a_refusal_says_for_how_long_the_api_server_asks_to_wait(
    headers: Mapping[str, str], seconds: float | None
) -> None:
    api: Any = Api(response=Response(429, headers))
    with pytest.raises(Refused) as refusal:
        await Client(api).request("GET", "/api")
    assert refusal.value.retry_after_seconds == seconds
