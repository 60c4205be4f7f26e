"""Whatever ends a call is a KubeError, so that it ends neither the election nor the listing. Calls themselves are
tested on a real API server."""

from typing import Any

import pytest
from kubernetes.aio.config.config_exception import ConfigException

from prewarm_operator.kube.client import Client
from prewarm_operator.kube.errors import Unreachable


class Response:
    status = 200

    async def read(self) -> bytes:
        return b"<html>sign in</html>"


class Api:
    """The official client, as far as ours uses it."""

    def __init__(self, no_token: Exception | None = None) -> None:
        self.no_token = no_token

    async def param_serialize(self, *_: Any, **__: Any) -> tuple[Any, ...]:
        if self.no_token is not None:
            raise self.no_token
        return "GET", "https://api/", {}, None, []

    async def call_api(self, *_: Any, **__: Any) -> Response:
        return Response()


@pytest.mark.parametrize(
    "api", [Api(ConfigException("Token file exists but empty.")), Api(FileNotFoundError("token")), Api()]
)
async def test_a_missing_token_or_an_answer_of_a_proxy_is_no_answer(api: Any) -> None:
    with pytest.raises(Unreachable, match="GET /api"):
        await Client(api).request("GET", "/api")
