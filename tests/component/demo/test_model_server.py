import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "how are you today"},
]


@pytest.fixture
def client(model_url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="unused", base_url=f"{model_url}/v1", max_retries=0)


async def test_the_openai_sdk_reads_an_answer_and_its_usage(client: openai.AsyncOpenAI) -> None:
    completion = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)

    assert completion.choices[0].message.content == "echo:2:how are you today"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (6, 4)


async def test_the_openai_sdk_reads_a_stream(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == "echo:2:how are you today"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 10


async def test_usage_is_streamed_only_to_those_who_ask(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)

    assert all(chunk.usage is None for chunk in [chunk async for chunk in stream])


async def test_a_message_in_parts_is_echoed_as_text(client: openai.AsyncOpenAI) -> None:
    completion = await client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": [{"type": "text", "text": "in parts"}]}]
    )

    assert completion.choices[0].message.content == "echo:1:in parts"


async def test_models_are_listed(client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["gpt-4o-mini-2024-07-18"]


async def test_no_messages_is_an_openai_error(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="messages: must not be empty"):
        await client.chat.completions.create(model="gpt-4o-mini", messages=[])


async def test_its_probe_answers(model_url: str) -> None:
    async with httpx2.AsyncClient() as client:
        assert (await client.get(f"{model_url}/healthz")).text == "ok"
