"""Pays, before the pod is ready, for what a first request would pay: lazy imports, deferred builds, the connection."""

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from prewarm_agent import metrics
from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.load import Load
from prewarm_agent.admission.run import Run
from prewarm_agent.framework.blueprint import Blueprint, remembering
from prewarm_agent.framework.connect import connect as open_connection
from prewarm_agent.framework.http_client import Rehearsal, rehearsal
from prewarm_agent.framework.model_pool import SharedModel
from prewarm_agent.framework.session import Answer, Delta, Session, Turn

if TYPE_CHECKING:
    from prewarm_agent.startup.phases import Startup

logger = logging.getLogger(__name__)

# A model API that does not answer holds readiness back no longer than this.
CONNECT_PATIENCE_SECONDS = 3.0
_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 30.0

_TEXT = "Hello, this is the rehearsal of a warm-up."
_CONVERSATION = (Turn("user", _TEXT), Turn("assistant", _TEXT), Turn("user", _TEXT))


async def rehearse(blueprint: Blueprint, *, timeout_seconds: float) -> None:
    """Runs the agent, plainly and streaming, with its own model clients, which answer without a network.

    Both runs together end within the time.

    What a canned answer breaks (a planner that expects JSON, say) proves nothing about the agent: it is logged. Raises
    PermanentError if an agent that is built afterwards remembers the rehearsal.
    """
    for stream in (False, True):
        session = Session(blueprint, _CONVERSATION, stream=stream)
        current = Rehearsal(stop=session.cancel)
        before = rehearsal.set(current)
        try:
            run: Run[Delta | Answer] = Run(session, Gate(1, Load()), deadline_seconds=timeout_seconds / 2)
            async for _ in run:
                pass
        except Exception as error:
            if not current.complete:
                logger.warning("rehearsal failed", extra={"stream": stream, "error": type(error).__name__})
        finally:
            rehearsal.reset(before)
    if await _is_remembered(blueprint):
        raise remembering("a new agent remembers what another one heard")


async def _is_remembered(blueprint: Blueprint) -> bool:
    runner = await blueprint.build(stream=False)
    try:
        return _TEXT in repr(await runner.save_state())
    except Exception:
        return False  # an agent of the user's own that cannot tell; the rehearsal asked it too, and logged that


async def connect(startup: "Startup") -> None:
    """Opens a connection to each model's API, and leaves what does not answer soon to the background."""
    attempts = [_connect(model, startup) for model in startup.resources.parts.models.models]
    if not attempts:
        return
    task = asyncio.gather(*attempts)
    startup.background.add(task)
    await asyncio.wait({task}, timeout=CONNECT_PATIENCE_SECONDS)


async def _connect(model: SharedModel, startup: "Startup") -> None:
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + startup.spec.warmup.timeout_seconds
    delay = _FIRST_RETRY_SECONDS
    connected = metrics.model_connected.labels(model=model.name)
    connected.set(0)
    while (problem := await open_connection(model.client)) is not None:
        connected.set(problem.reached)
        startup.lifecycle.transient_errors[model.name] = f"The API of model {model.name} {problem.text}."
        logger.warning("connect failed", extra={"model": model.name, "error": problem.text})
        pause = delay * random.uniform(0.5, 1)  # noqa: S311 - spreads the retries of many pods
        if loop.time() + pause > give_up_at:
            return
        await asyncio.sleep(pause)
        delay = min(delay * 2, _LAST_RETRY_SECONDS)
    startup.lifecycle.transient_errors.pop(model.name, None)
    connected.set(1)
