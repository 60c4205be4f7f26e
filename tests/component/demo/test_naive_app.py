import httpx2
import pytest

from prewarm_demo.naive import app


async def ask(url: str, text: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        body = {"model": "support", "messages": [{"role": "user", "content": text}]}
        return await client.post(f"{url}/v1/chat/completions", json=body, timeout=30)


async def test_it_answers_through_autogen_and_the_model(naive_url: str) -> None:
    response = await ask(naive_url, "hello")

    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == "echo:2:hello", "system message and user's text"


async def test_no_request_sees_another_ones_messages(naive_url: str) -> None:
    await ask(naive_url, "first")

    assert (await ask(naive_url, "second")).json()["choices"][0]["message"]["content"] == "echo:2:second"


async def test_every_request_builds_a_client_of_its_own(naive_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    class Counted(app.OpenAIChatCompletionClient):
        def __init__(self, model: str) -> None:
            super().__init__(model=model)
            built.append(self)

    monkeypatch.setattr(app, "OpenAIChatCompletionClient", Counted)
    for text in ("one", "two", "three"):
        await ask(naive_url, text)

    assert len(built) == 3


async def test_a_model_that_fails_is_an_answer_500(naive_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{naive_url}/nothing/here")

    response = await ask(naive_url, "hello")

    assert response.status_code == 500
    assert "404" in response.json()["error"]["message"]
