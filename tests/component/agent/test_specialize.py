"""POST /specialize: a generic pod becomes an agent, once and for good, for the operator only."""

import asyncio
import hashlib
import json
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio
from component.agent.agent_process import AgentProcess
from component.agent.model_server import ModelServer
from component.agent.pool import FAST, Pool, member, pool
from component.agent.specs import assistant, model_client, spec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

BODY = json.dumps(member()).encode()
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def generic(model_api: ModelServer) -> AsyncIterator[tuple[Pool, AgentProcess]]:
    """A pod that refuses whatever the tests of this file that share it send."""
    with pool(model_api.url, allowedEntrypoints=["my_agents:support"]) as small:
        async with small.pod() as pod:
            yield small, pod


async def test_a_generic_pod_becomes_the_agent_of_the_spec(model: ModelServer) -> None:
    with pool(model.url) as small:
        async with small.pod() as pod:
            await still_generic(small, pod)
            answer = await small.specialize(pod, member(system_message="You are the shop's."))
            assert (answer.status_code, answer.json()["state"], answer.json()["agent"]) == (200, "warm", "support")
            assert model.conversations == []  # the rehearsal reached nobody
            assert await pod.ask("hello") == "heard 2: hello"
            assert model.conversations[0][0]["content"] == "You are the shop's."
            assert (await pod.probe("/load")).json()["state"] == "warm"
            kept = small.state / "accepted.json"
            assert json.loads(kept.read_bytes()) == member(system_message="You are the shop's.")
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_the_agent_builds_nothing_that_the_pool_has_built(model: ModelServer) -> None:
    with pool(model.url) as small:
        async with small.pod() as pod:
            built = await pod.metric("prewarm_agent_resources_built_total")
            await small.specialize(pod, BODY)
            assert await asyncio.gather(*(pod.ask(f"hello {number}") for number in range(20))) == [
                f"heard 2: hello {number}" for number in range(20)
            ]
            assert await pod.metric("prewarm_agent_resources_built_total") == built


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another-pod"}, "WrongAudience"),
        ({"iat": -100, "exp": -50}, "Expired"),
        ({"iat": 100, "exp": 130}, "NotYetValid"),
        ({"exp": 100}, "LifetimeTooLong"),
        ({"body_sha256": "0" * 64}, "BodyMismatch"),
    ],
)
async def test_a_token_that_does_not_allow_it(
    generic: tuple[Pool, AgentProcess], claims: dict[str, Any], reason: str
) -> None:
    small, pod = generic
    now = int(time.time())
    claims = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    answer = await small.specialize(pod, BODY, authorization=small.token(BODY, **claims))
    assert (answer.status_code, answer.json()["reason"]) == (401, reason)
    await still_generic(small, pod)


async def test_a_token_that_is_not_the_operators(generic: tuple[Pool, AgentProcess]) -> None:
    small, pod = generic
    with pool("http://unused") as stranger:
        answers = [
            await small.specialize(pod, BODY, authorization=authorization)
            for authorization in ("", "Bearer x", small.token(BODY, kid="other"), stranger.token(BODY))
        ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert [answer.json()["reason"] for answer in answers] == [
        "NoToken",
        "MalformedToken",
        "UnknownKey",
        "BadSignature",
    ]
    await still_generic(small, pod)


async def test_of_two_tokens_neither_counts(generic: tuple[Pool, AgentProcess]) -> None:
    small, pod = generic
    async with httpx.AsyncClient() as client:
        for other in ("Bearer x", small.token(BODY)):
            headers = [("authorization", value) for value in (small.token(BODY), other)]
            for pair in (headers, headers[::-1]):
                url = f"http://127.0.0.1:{pod.probe_port}/specialize"
                answer = await client.post(url, content=BODY, headers=pair)
                assert (answer.status_code, answer.json()["reason"]) == (401, "NoToken")
    await still_generic(small, pod)


@pytest.mark.parametrize("path", ["/specialize", "/warmup"])
async def test_who_need_not_be_obeyed_is_told_before_there_is_a_body(
    generic: tuple[Pool, AgentProcess], path: str
) -> None:
    small, pod = generic
    bad = {"NoToken": "", "WrongAudience": small.token(BODY, aud="other"), "Expired": small.token(BODY, iat=1, exp=2)}
    for reason, authorization in bad.items():
        reader, writer = await asyncio.open_connection("127.0.0.1", pod.probe_port)
        length = 10 * 1024 * 1024
        head = f"POST {path} HTTP/1.1\r\nhost: pod\r\nauthorization: {authorization}\r\n"
        writer.write(f"{head}content-length: {length}\r\n\r\n".encode())
        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"}")
            assert answer.startswith(b"HTTP/1.1 401")
            assert reason.encode() in answer
            # What still comes is nobody's, and the connection is good for the next order.
            writer.write(b" " * length + b"GET /livez HTTP/1.1\r\nhost: pod\r\n\r\n")
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.close()
    await still_generic(small, pod)


async def test_a_key_that_came_after_the_start_is_obeyed_and_one_that_went_is_not(model: ModelServer) -> None:
    with pool(model.url) as small:
        async with small.pod() as pod:
            old, small.key = small.key, Ed25519PrivateKey.generate()
            token = small.token(BODY, kid="next")
            assert (await small.specialize(pod, BODY, authorization=token)).json()["reason"] == "UnknownKey"
            small.publish(next=small.key)
            small.key, new = old, small.key
            assert (await small.specialize(pod, BODY)).json()["reason"] == "UnknownKey"
            small.key = new
            assert (await small.specialize(pod, BODY, authorization=token)).status_code == 200


OWN = "models.example"
TOOL = {
    "provider": "autogen_agentchat.tools.AgentTool",
    "config": {"agent": assistant(f"http://{OWN}", "helper"), "return_value_as_last_message": True},
}


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b"{", [""]),
        (b"[]", [""]),
        (member(agent={}), ["agent"]),
        (spec(assistant(f"http://{OWN}")), ["agent.component.config.model_client"]),
        (
            member(models=[{"name": "own", "component": model_client(f"http://{OWN}")}]),
            ["models[0]"],
        ),
        (
            spec(assistant("", model_client=FAST, tools=[TOOL])),
            ["agent.component.config.tools[0].config.agent.config.model_client"],
        ),
        (
            spec(assistant("", model_client={**FAST, "config": {"name": "fast", "base_url": f"http://{OWN}"}})),
            ["agent.component.config.model_client.config.base_url"],
        ),
        (
            spec(assistant("", model_client={**FAST, "config": {"name": "slow"}})),
            ["agent.component.config.model_client.config.name"],
        ),
        (
            spec(assistant("", model_client={"provider": "OpenAIChatCompletionClient", "config": {"model": "o3"}})),
            ["agent.component.config.model_client"],
        ),
        (
            member(agent={"entrypoint": "my_agents:support", "config": {"model": {"provider": "prewarm.NamedModel"}}}),
            ["agent.config.model.config.name"],
        ),
        (
            member(agent={"entrypoint": "my_agents:support", "config": {"model": model_client(f"http://{OWN}")}}),
            ["agent.config.model"],
        ),
        (spec(entrypoint="os:getcwd"), ["agent.entrypoint"]),
        (spec(assistant("", model_client=FAST) | {"provider": "os.system"}), ["agent.component.provider"]),
        (member(security={"allowCode": True}), ["security.allowCode"]),
    ],
)
async def test_a_spec_that_may_not_be_is_refused_and_the_pod_stays_generic(
    generic: tuple[Pool, AgentProcess], body: object, paths: list[str]
) -> None:
    small, pod = generic
    answer = await small.specialize(pod, body)
    assert answer.status_code == 422, answer.text
    assert [finding["path"] for finding in answer.json()["findings"]] == paths
    await still_generic(small, pod)


async def test_all_findings_about_a_spec_come_at_once(generic: tuple[Pool, AgentProcess]) -> None:
    small, pod = generic
    models = [{"name": "own", "component": model_client(f"http://{OWN}")}]
    answer = await small.specialize(
        pod, spec(entrypoint="my_agents:other", models=models, security={"allowCode": True})
    )
    paths = [finding["path"] for finding in answer.json()["findings"]]
    assert paths == ["models[0]", "agent.entrypoint", "security.allowCode"]


async def test_what_is_refused_before_does_not_spoil_what_is_accepted_after(model: ModelServer) -> None:
    with pool(model.url) as small:
        async with small.pod() as pod:
            assert (await small.specialize(pod, spec(assistant(f"http://{OWN}")))).status_code == 422
            assert (await small.specialize(pod, BODY)).status_code == 200
            assert await pod.ask("hello") == "heard 2: hello"


async def test_a_second_call_learns_what_the_pod_is(model: ModelServer) -> None:
    with pool(model.url) as small:
        async with small.pod() as pod:
            await small.specialize(pod, BODY)
            for again in (BODY, json.dumps(member("other", "You are another.")).encode()):
                answer = await small.specialize(pod, again)
                assert (answer.status_code, answer.json()["reason"]) == (409, "AlreadySpecialized")
                assert (answer.json()["agent"], answer.json()["body_sha256"]) == ("support", SHA256)
                assert (answer.json()["state"], answer.json()["error"]) == ("warm", None)
            await pod.ask("hello")
            assert model.conversations[0][0]["content"] == "You answer questions."


async def test_of_many_calls_at_once_one_wins(model: ModelServer) -> None:
    bodies = [json.dumps(member(system_message=f"You are {number}.")).encode() for number in range(10)]
    with pool(model.url) as small:
        async with small.pod() as pod:
            answers = await asyncio.gather(*(small.specialize(pod, body) for body in bodies))
            won = [number for number, answer in enumerate(answers) if answer.status_code == 200]
            assert len(won) == 1
            lost = [answer for answer in answers if answer.status_code != 200]
            assert {answer.status_code for answer in lost} == {409}
            assert {answer.json()["reason"] for answer in lost} <= {"Busy", "AlreadySpecialized"}
            await pod.ask("hello")
            assert model.conversations[0][0]["content"] == f"You are {won[0]}."


MODULE = """
from autogen_agentchat.agents import AssistantAgent

def support(resources):
    return AssistantAgent("support", resources.named_model("fast"), system_message=resources.config["greeting"])

def broken(resources):
    raise KeyError("database")

async def slow(resources):
    import asyncio
    await asyncio.sleep(0.3)
    return AssistantAgent("support", resources.named_model("fast"))
"""


@pytest.fixture
def python_path(tmp_path: Path) -> str:
    (tmp_path / "my_agents.py").write_text(MODULE)
    return str(tmp_path)


async def test_code_on_the_image_that_the_pool_allows(model: ModelServer, python_path: str) -> None:
    with pool(model.url, allowedEntrypoints=["my_agents:support"], preload=["my_agents"]) as small:
        async with small.pod(PYTHONPATH=python_path) as pod:
            body = spec(entrypoint="my_agents:support")
            body["agent"]["config"] = {"greeting": "You greet."}
            assert (await small.specialize(pod, body)).status_code == 200
            assert await pod.ask("hello") == "heard 2: hello"
            assert model.conversations[0][0]["content"] == "You greet."


async def test_a_pod_whose_accepted_spec_cannot_be_built_says_so_and_serves_nobody(
    model: ModelServer, python_path: str
) -> None:
    with pool(model.url, allowedEntrypoints=["my_agents:broken"]) as small:
        async with small.pod(PYTHONPATH=python_path) as pod:
            answer = await small.specialize(pod, spec(entrypoint="my_agents:broken"))
            assert (answer.status_code, answer.json()["reason"]) == (500, "SpecializeFailed")
            assert "KeyError: 'database'" in answer.json()["message"]
            assert (await pod.probe("/readyz")).status_code == 503
            assert (await pod.probe("/load")).json()["state"] == "failed"
            with pytest.raises(openai.InternalServerError):
                await pod.ask("hello")
            again = (await small.specialize(pod, BODY)).json()
            assert (again["reason"], again["agent"], again["state"]) == ("AlreadySpecialized", "support", "failed")
            assert "KeyError: 'database'" in again["error"]
            assert again["error"] in again["message"]


async def test_who_asks_while_the_pod_becomes_an_agent_is_told_that_it_does(
    model: ModelServer, python_path: str
) -> None:
    body = spec(entrypoint="my_agents:slow")
    with pool(model.url, allowedEntrypoints=["my_agents:slow"]) as small:
        async with small.pod(PYTHONPATH=python_path) as pod:
            first = asyncio.create_task(small.specialize(pod, body))
            while "specialize-admit" not in (await pod.probe("/warmupz")).json()["phases"]:
                await asyncio.sleep(0.01)
            second = await small.specialize(pod, body)
            assert (second.status_code, second.json()["reason"], second.json()["state"]) == (409, "Busy", "warming")
            assert (await first).status_code == 200
        async with small.pod(PYTHONPATH=python_path, warm=False) as pod:
            while (second := await small.specialize(pod, body)).status_code == 503:
                await asyncio.sleep(0.01)
            assert (second.json()["reason"], second.json()["state"]) == ("AlreadySpecialized", "warming")


async def test_a_body_of_more_than_a_mebibyte_is_not_read(generic: tuple[Pool, AgentProcess]) -> None:
    small, pod = generic
    answer = await small.specialize(pod, b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["reason"]) == (413, "BodyTooLarge")


async def test_only_a_post_is_an_order(generic: tuple[Pool, AgentProcess]) -> None:
    _, pod = generic
    assert [(await pod.probe(path)).status_code for path in ("/specialize", "/warmup")] == [405, 405]


async def test_a_pod_with_an_agent_of_its_own_takes_no_other(agent: AgentProcess) -> None:
    with pool("http://unused") as small:
        answer = await small.specialize(agent, BODY)
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotGeneric")


async def test_the_agent_drains_as_others_do(model: ModelServer) -> None:
    with pool(model.url) as small:
        async with small.pod() as pod:
            await small.specialize(pod, BODY)
            asking = asyncio.create_task(pod.ask("hello SLEEP=0.5"))
            while not model.conversations:
                await asyncio.sleep(0.01)
            pod.terminate()
            assert await asking == "heard 2: hello SLEEP=0.5"
            assert await pod.exit_code() == 0


async def still_generic(small: Pool, pod: AgentProcess) -> None:
    assert (await pod.probe("/load")).json()["state"] == "generic"
    assert (await pod.probe("/readyz")).status_code == 200
    assert not (small.state / "accepted.json").exists()
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{pod.url}/v1/chat/completions", json={})
    assert answer.json()["error"]["code"] == "not_specialized"
