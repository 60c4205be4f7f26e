"""What only the operator may order: `POST /specialize` and `POST /warmup`, with a token that it has signed."""

import asyncio
import dataclasses
import logging
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from prewarm_agent.serve.asgi import (
    BodyTooLarge,
    Disconnected,
    Receive,
    Scope,
    Send,
    bearer_token,
    read_body,
    send_json,
)
from prewarm_agent.startup.generic import WARMING, AlreadySpecialized, Busy, GenericPod, NotReady, SpecializeFailed
from prewarm_agent.startup.phases import Startup
from prewarm_agent.startup.state import Stage

if TYPE_CHECKING:
    from prewarm_agent.generic.token import Verifier

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024

SPECIALIZE_PATH = "/specialize"
WARMUP_PATH = "/warmup"

Answer: TypeAlias = tuple[int, dict[str, Any]]


class Orders:
    """Takes orders for a process; `pod` is None if it was started with an agent."""

    def __init__(self, startup: Startup, pod: GenericPod | None) -> None:
        self._startup = startup
        self._pod = pod
        self._verifier: Verifier | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, answer = await self._obey(scope, receive)
        except Disconnected:
            return
        await send_json(send, status, answer, [(b"connection", b"close")] if status == 413 else ())

    async def _obey(self, scope: Scope, receive: Receive) -> Answer:
        if scope["path"] == SPECIALIZE_PATH and self._pod is None:
            return 404, _refusal("NotGeneric", "This pod was started with an agent; it takes no other.")
        if self._verifier is None:
            # In a thread: with a pod of an agent's own, cryptography is not imported yet.
            self._verifier = await asyncio.to_thread(self._load_verifier)
        from prewarm_agent.generic.token import TokenRefused

        try:
            # The body of a caller that need not be obeyed is not kept: uvicorn drops what still comes of it.
            order = self._verifier.verify(bearer_token(scope).decode("latin-1"))
            body = await read_body(receive, MAX_BODY_BYTES)
            order.require(body)
        except BodyTooLarge:
            return 413, _refusal("BodyTooLarge", f"The body is larger than {MAX_BODY_BYTES} bytes.")
        except TokenRefused as refused:
            logger.warning("order refused", extra={"reason": refused.fault, "text": str(refused)})
            return 401, _refusal(refused.fault, str(refused))
        logger.info("order accepted", extra={"subject": order.subject})
        if scope["path"] == SPECIALIZE_PATH and self._pod is not None:
            return await _specialize(self._pod, body)
        return await _warm_up(self._startup)

    def _load_verifier(self) -> "Verifier":
        from prewarm_agent.generic.keys import Keys
        from prewarm_agent.generic.token import Verifier

        settings = self._startup.settings
        return Verifier(Keys(settings.keys_path), settings.pod_uid)


async def _warm_up(startup: Startup) -> Answer:
    """Proves once more what the agent depends on: a connection that was warm is gone after a quiet while."""
    if startup.lifecycle.stage not in (Stage.GENERIC, Stage.WARM):
        return 503, _refusal("NotReady", f"This pod is {startup.lifecycle.state}; wait until it is warm.")
    from prewarm_agent.startup import warmup

    return 200, {"state": startup.lifecycle.state, "lacking": await warmup.again(startup)}


async def _specialize(pod: GenericPod, body: bytes) -> Answer:
    from prewarm_agent.spec.findings import PermanentError

    started = time.perf_counter()
    try:
        accepted = await pod.specialize(body)
    except PermanentError as error:
        findings = [{"reason": each.reason, "path": each.path, "message": each.text} for each in error.findings]
        return 422, {**_refusal(error.reason, str(error)), "findings": findings}
    except AlreadySpecialized as error:
        now = {"state": error.state, "error": error.error}
        return 409, {**_refusal("AlreadySpecialized", str(error)), **dataclasses.asdict(error.accepted), **now}
    except Busy as error:
        return 409, {**_refusal("Busy", str(error)), "state": WARMING}
    except NotReady as error:
        return 503, _refusal("NotReady", str(error))
    except SpecializeFailed as error:
        logger.error("specialize failed", exc_info=error.__cause__)
        return 500, _refusal("SpecializeFailed", str(error))
    seconds = time.perf_counter() - started
    return 200, {"state": "warm", "agent": accepted.agent, "seconds": round(seconds, 4)}


def _refusal(reason: str, message: str) -> dict[str, Any]:
    return {"reason": reason, "message": message}
