"""Bodies of requests: each has a size and a time, and all of them together a size."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prewarm_agent.serve.asgi import BodyTooLarge, Disconnected, Receive, read_chunks

# A million tokens of text. Bodies are read and parsed before there is a place: they cost memory, and time of the loop.
MAX_BODY_BYTES = 4 * 1024 * 1024
# What all requests together may hold, from the first byte to the answer: parsed and on its way to the model, a body
# takes several times its size, and a pod that runs out of memory loses everyone's answers.
MAX_BYTES_OF_ALL = 64 * 1024 * 1024
UPLOAD_SECONDS = 30.0


class TooSlow(Exception):
    """The body did not come within UPLOAD_SECONDS."""


class TooMany(Exception):
    """The bodies of all requests that have no answer yet hold as much memory as they may."""


class Uploads:
    """Holds the bodies of one port."""

    def __init__(self) -> None:
        self._held_bytes = 0

    @asynccontextmanager
    async def held(self, receive: Receive) -> AsyncIterator[bytes]:
        """The whole body, which counts until the request has its answer: in one form or another, it is in memory.

        Raises BodyTooLarge, TooSlow, TooMany or Disconnected.
        """
        body = bytearray()
        try:
            await self._read(receive, body)
            yield bytes(body)
        finally:
            self._held_bytes -= len(body)

    async def _read(self, receive: Receive, body: bytearray) -> None:
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                async for chunk in read_chunks(receive):
                    body += chunk
                    self._held_bytes += len(chunk)
                    if len(body) > MAX_BODY_BYTES:
                        raise BodyTooLarge
                    if self._held_bytes > MAX_BYTES_OF_ALL:
                        raise TooMany
        except TimeoutError:
            raise TooSlow from None


async def drop(receive: Receive) -> None:
    """Lets the body of a request that is refused go by, as far as it would have been read, and keeps nothing of it.

    To close a connection with unread bytes resets it, answer and all.
    """
    dropped = 0
    with suppress(Disconnected, TimeoutError):
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for chunk in read_chunks(receive):
                dropped += len(chunk)
                if dropped > MAX_BODY_BYTES:
                    return
