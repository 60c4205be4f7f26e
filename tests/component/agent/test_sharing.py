"""Everything expensive is built once; nothing that remembers is shared."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial

import httpx
import pytest
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, model_client, spec, team


async def test_requests_build_nothing(agent: AgentProcess) -> None:
    built = await agent.metric("prewarm_agent_resources_built_total")
    assert built['{kind="model_client"}'] == built['{kind="http_client"}'] == built['{kind="ssl_context"}'] == 1
    async with agent.openai() as client:  # one client, so that the test does not pay for a TLS context a thousand times
        ask = partial(client.chat.completions.create, model="support", messages=[{"role": "user", "content": "hello"}])
        for _ in range(50):
            await asyncio.gather(*(ask() for _ in range(20)))
    assert await agent.metric("prewarm_agent_resources_built_total") == built


async def test_equal_model_clients_are_one_and_different_ones_are_not(model: ModelServer) -> None:
    component = team(model.url)
    component["config"]["participants"].append(
        assistant(model.url, "third", model_client=model_client(model.url, temperature=0))
    )
    async with running(spec(component)) as agent:
        await agent.warm()
        assert (await agent.metric("prewarm_agent_resources_built_total"))['{kind="model_client"}'] == 2
        assert (await agent.metric("prewarm_agent_resources_built_total"))['{kind="ssl_context"}'] == 1


def assert_apart(conversations: Sequence[object], secrets: Sequence[str]) -> None:
    """No conversation that the model saw holds more than one of the secrets."""
    seen = [{secret for secret in secrets if secret in json.dumps(conversation)} for conversation in conversations]
    assert all(len(found) == 1 for found in seen)
    assert set().union(*seen) == set(secrets)


SECRETS = [f"secret-{number:02}-of-a-user" for number in range(20)]


@pytest.mark.parametrize("stream", [False, True])
async def test_texts_of_users_never_meet(agent: AgentProcess, model: ModelServer, *, stream: bool) -> None:
    async def ask(secret: str) -> str:
        messages = [{"role": "user", "content": secret}]
        async with agent.openai() as client:
            if not stream:
                return await agent.ask(secret)
            chunks = await client.chat.completions.create(model="support", messages=messages, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    one_by_one = [await ask(secret) for secret in SECRETS]
    at_once = await asyncio.gather(*map(ask, SECRETS))
    assert one_by_one == at_once == [f"heard 2: {secret}" for secret in SECRETS]
    assert_apart(model.conversations, SECRETS)


async def test_texts_of_users_never_meet_in_a_turn_that_begins_or_goes_on(
    agent: AgentProcess, model: ModelServer
) -> None:
    async with httpx.AsyncClient(base_url=agent.url, timeout=30) as client:

        async def converse(secret: str) -> list[str]:
            first = (await client.post("/invocations", json={"input": secret, "return_state": True})).json()
            second = (await client.post("/invocations", json={"input": "And now?", "state": first["state"]})).json()
            return [first["output"], second["output"]]

        answers = await asyncio.gather(*map(converse, SECRETS))
    assert answers == [[f"heard 2: {secret}", "heard 4: And now?"] for secret in SECRETS]
    assert len(model.conversations) == 2 * len(SECRETS)
    assert_apart(model.conversations, SECRETS)


async def test_texts_of_users_never_meet_in_a_team(model: ModelServer) -> None:
    async with running(spec(team(model.url))) as agent:
        await agent.warm()
        await asyncio.gather(*map(agent.ask, SECRETS))
        await agent.ask(SECRETS[0])
    assert len(model.conversations) == 2 * (len(SECRETS) + 1)
    assert_apart(model.conversations, SECRETS)


@pytest.mark.parametrize("kind", ["plain", "streamed", "team"])
async def test_an_aborted_request_leaves_nothing_to_the_next(model: ModelServer, kind: str) -> None:
    async with running(spec(team(model.url) if kind == "team" else assistant(model.url))) as agent:
        await agent.warm()
        body = {"model": "support", "messages": [{"role": "user", "content": "SLEEP=5 secret"}]}
        async with httpx.AsyncClient(timeout=0.3) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(f"{agent.url}/v1/chat/completions", json={**body, "stream": kind == "streamed"})
        calls = len(model.conversations)
        await asyncio.gather(*(agent.ask("hello") for _ in range(5)))
        assert "secret" not in json.dumps(model.conversations[calls:])
