"""The token that users must show, where the agent asks for one."""

import os
from pathlib import Path

import httpx
import openai
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec


async def get(agent: AgentProcess, token: str | None) -> int:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{agent.url}/v1/models", headers=headers)).status_code


async def test_without_a_token_everybody_is_served(agent: AgentProcess) -> None:
    assert [await get(agent, None), await get(agent, "any")] == [200, 200]


async def test_a_request_without_the_token_is_refused_before_it_is_looked_at(model: ModelServer) -> None:
    async with running(spec(assistant(model.url)), PREWARM_API_TOKEN="correct-token") as agent:
        await agent.warm()
        assert await get(agent, "correct-token") == 200
        wrong = (None, "wrong", "correct-token2", "correct-toke", "correct-token correct-token")
        assert [await get(agent, token) for token in wrong] == [401] * 5
        async with httpx.AsyncClient() as client:
            for path in ("/v1/chat/completions", "/invocations", "/no/such/path"):
                answer = await client.post(f"{agent.url}{path}", content=b"not JSON")
                error = answer.json()["error"]
                assert (answer.status_code, error["type"], error["code"]) == (
                    *(401, "authentication_error"),
                    "invalid_api_key",
                )
                assert answer.headers["www-authenticate"] == "Bearer"
        with pytest.raises(openai.AuthenticationError):
            await agent.ask("hello")
        async with agent.openai().with_options(api_key="correct-token") as sdk:
            assert [model.id async for model in sdk.models.list()] == ["support"]
        assert (await agent.probe("/readyz")).status_code == 200  # probes and metrics ask for none
        assert "correct-token" not in str(agent.log)
    assert model.conversations == []


async def test_of_two_tokens_neither_counts(model: ModelServer) -> None:
    async with running(spec(assistant(model.url)), PREWARM_API_TOKEN="correct-token") as agent:
        await agent.warm()
        async with httpx.AsyncClient() as client:
            for other in ("wrong", "correct-token"):
                headers = [("authorization", f"Bearer {token}") for token in ("correct-token", other)]
                for pair in (headers, headers[::-1]):
                    assert (await client.get(f"{agent.url}/v1/models", headers=pair)).status_code == 401


async def test_a_token_in_a_file_is_read_again_when_it_changes(model: ModelServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    async with running(spec(assistant(model.url)), PREWARM_API_TOKEN_FILE=str(file)) as agent:
        await agent.warm()
        assert [await get(agent, "first"), await get(agent, "second")] == [200, 401]
        (tmp_path / "next").write_text("second\n")
        os.replace(tmp_path / "next", file)  # noqa: PTH105 - as the kubelet does it
        assert [await get(agent, "first"), await get(agent, "second")] == [401, 200]
        file.unlink()
        assert [await get(agent, None), await get(agent, "second")] == [401, 200]


async def test_a_token_file_that_is_missing_or_empty_lets_nobody_in(model: ModelServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    async with running(spec(assistant(model.url)), PREWARM_API_TOKEN_FILE=str(file)) as agent:
        await agent.warm()
        assert [await get(agent, token) for token in (None, "x", "None")] == [401] * 3
        assert [entry["message"] for entry in agent.log].count("token not readable") == 1
        file.touch()
        assert [await get(agent, token) for token in (None, "x", "None")] == [401] * 3
