"""The call that an agent makes, without the agent: prints the CPU milliseconds of one. Started by overhead.py."""

import asyncio
import gc
import os
import sys

import uvloop
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "You answer questions."},
    {"role": "user", "content": "hello"},
]


async def main(url: str, clients: int, requests: int) -> None:
    sdk = AsyncOpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)

    async def calls(count: int) -> None:
        left = iter(range(count))

        async def client() -> None:
            for _ in left:
                await sdk.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)

        await asyncio.gather(*(client() for _ in range(clients)))

    await calls(requests // 5)
    gc.collect()
    gc.freeze()  # as the agent does
    before = os.times()
    await calls(requests)
    after = os.times()
    print((after.user + after.system - before.user - before.system) / requests * 1000)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
