"""The little of ASGI that two small applications need. A web framework would delay the first answer by 40 ms."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


class BodyTooLarge(Exception):
    """The body is larger than allowed."""


class Disconnected(Exception):
    """The client went away before it had sent its body."""


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge or Disconnected."""
    body = bytearray()
    async for chunk in read_chunks(receive):
        body += chunk
        if len(body) > limit_bytes:
            raise BodyTooLarge
    return bytes(body)


async def read_chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it comes in. Raises Disconnected."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        yield message.get("body", b"")
        more = message.get("more_body", False)


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of this name (lower case), or None."""
    return next((value for key, value in scope["headers"] if key == name), None)


def bearer_token(scope: Scope) -> bytes:
    """The token of the header Authorization, empty if there is none or more than one.

    Of several, a proxy in front may have checked another one than we would take.
    """
    values = [value for key, value in scope["headers"] if key == b"authorization"]
    scheme, _, token = (values[0] if len(values) == 1 else b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


async def send_bytes(send: Send, status: int, body: bytes, content_type: bytes, headers: Headers = ()) -> None:
    length = str(len(body)).encode()
    all_headers = [(b"content-type", content_type), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, value: object, headers: Headers = ()) -> None:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    await send_bytes(send, status, body, b"application/json", headers)
