"""The name of a request, in its answer and in every line of the log that is about it."""

import re
import uuid
from contextvars import ContextVar

from prewarm_agent.serve.asgi import Scope, header

HEADER = b"x-request-id"

_SANE = re.compile(rb"[\x21-\x7e]{1,128}")

request_id: ContextVar[str] = ContextVar("prewarm_request_id", default="")


def take(scope: Scope) -> str:
    """The client's own name for the request, if it is printable and short, else a new one; set for all its tasks."""
    given = header(scope, HEADER)
    name = given.decode() if given is not None and _SANE.fullmatch(given) else uuid.uuid4().hex
    request_id.set(name)
    return name
