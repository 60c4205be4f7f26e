"""Whether a model API is connected to, by what it answers when asked for its models: many have no such list."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from component.agent.specs import model_client
from component.web_server import serving

from prewarm_agent.framework.connect import connect
from prewarm_agent.framework.http_client import HTTPSettings
from prewarm_agent.framework.model_pool import ModelPool

HTTP = HTTPSettings(ssl.create_default_context(), 10, 5, lambda _: None)


@asynccontextmanager
async def api(status: int, media_type: str) -> AsyncIterator[str]:
    """A server that answers so, with a login page behind any redirect; gives its base URL."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/login":
            return web.Response(text="<html>Please log in</html>", content_type="text/html")
        return web.Response(status=status, text="{}", content_type=media_type, headers={"Location": "/login"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with serving(application) as address:
        yield f"http://{address}/v1"


async def problem_with(url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool] | None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    found = await connect(ModelPool(lambda: HTTP).get(model_client(url), "x").client)
    return None if found is None else (found.text, found.reached)


@pytest.mark.parametrize("status", [200, 400, 404, 405, 422, 429])
async def test_any_answer_of_an_api_proves_the_connection(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api(status, "application/json") as url:
        assert await problem_with(url, monkeypatch) is None


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_told_though_the_api_was_reached(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api(status, "application/json") as url:
        assert await problem_with(url, monkeypatch) == (f"refuses the key: HTTP {status}", True)


@pytest.mark.parametrize("status", [500, 503])
async def test_an_api_that_is_down_behind_its_gateway_is_not_connected(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api(status, "application/json") as url:
        assert await problem_with(url, monkeypatch) == (f"does not answer: HTTP {status}", False)


@pytest.mark.parametrize("status", [200, 301])
async def test_a_login_page_is_no_api(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api(status, "text/html") as url:
        assert await problem_with(url, monkeypatch) == ("answers with a web page; check its URL", False)


async def test_an_api_that_is_not_there_is_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await problem_with("http://127.0.0.1:9/v1", monkeypatch)
    assert found is not None
    text, reached = found
    assert text.startswith("does not answer: ")
    assert not reached
