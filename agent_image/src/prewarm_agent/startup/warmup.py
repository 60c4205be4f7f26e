"""Proves that what the agent depends on answers: the models, what its author has built, and with `live` the agent."""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from prewarm_agent import metrics
from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.load import Load
from prewarm_agent.admission.run import Run, RunEnded
from prewarm_agent.framework.connect import connect as open_connection
from prewarm_agent.framework.model_pool import SharedModel
from prewarm_agent.framework.session import Session, Turn
from prewarm_agent.framework.upstream import UpstreamFailure

if TYPE_CHECKING:
    from prewarm_agent.startup.phases import Startup

logger = logging.getLogger(__name__)

# Unless it is required, a model API that does not answer holds readiness back no longer than this.
CONNECT_PATIENCE_SECONDS = 3.0
_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 30.0

# Asked of a real model, in mode `live`, with every start.
_QUESTION = Turn("user", "Hello")

# Gives what is wrong, as a sentence, or None.
Check = Callable[[], Awaitable[str | None]]


async def prove(startup: "Startup") -> None:
    """Tries until everything answers; if that is not required, for a moment, and then in the background for a while.

    Asks nobody for an agent that needs nothing but what its pool has proven.
    """
    spec = startup.spec.warmup
    if spec.mode == "offline" or _is_proven(startup):
        return
    startup.attempt = None  # one that is under way is the pool's, and knows nothing of the agent
    if spec.required:
        await _retry(startup, give_up_after_seconds=math.inf)
        return
    task = asyncio.create_task(_retry(startup, give_up_after_seconds=spec.timeout_seconds))
    startup.background.add(task)
    costly = spec.mode == "live" or startup.resources.warmups
    patience = startup.step_seconds if costly else CONNECT_PATIENCE_SECONDS
    await asyncio.wait({task}, timeout=patience)


def _is_proven(startup: "Startup") -> bool:
    resources = startup.resources
    connected = startup.connected.issuperset(model.name for model in resources.parts.models.models)
    return startup.spec.warmup.mode == "connect" and connected and not resources.warmups


async def again(startup: "Startup") -> dict[str, str]:
    """Proves everything once more. Returns what does not answer, by name, each with a sentence: nothing when all does.

    Single flight: who asks while others do gets what they get.
    """
    if startup.attempt is None or startup.attempt.done():
        startup.attempt = asyncio.create_task(_counted_attempt(startup))
    return await asyncio.shield(startup.attempt)


async def _retry(startup: "Startup", *, give_up_after_seconds: float) -> None:
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + give_up_after_seconds
    delay = _FIRST_RETRY_SECONDS
    while await again(startup):
        pause = delay * random.uniform(0.5, 1)  # noqa: S311 - spreads the retries of many pods
        if clock() + pause > give_up_at:
            return
        await asyncio.sleep(pause)
        delay = min(delay * 2, _LAST_RETRY_SECONDS)


async def _counted_attempt(startup: "Startup") -> dict[str, str]:
    lacking = await _attempt(startup)
    outcome = "lacking" if lacking else "ok"
    metrics.warmup_attempts.labels(mode=startup.spec.warmup.mode, outcome=outcome).inc()
    return lacking


async def _attempt(startup: "Startup") -> dict[str, str]:
    if startup.spec.warmup.mode == "offline":
        return {}
    resources = startup.resources
    checks: dict[str, Check] = {
        f"model {model.name}": partial(_connect, startup, model) for model in resources.parts.models.models
    }
    checks |= {f"warm-up of {name}": partial(_run_hook, name, hook) for name, hook in resources.warmups.items()}
    lacking = await _failing(checks, startup)
    # A generic pod has models, but no agent yet.
    if startup.spec.warmup.mode == "live" and not lacking and startup.has_agent:
        lacking = await _failing({"live run": partial(_run_agent, startup)}, startup)
    return lacking


async def _failing(checks: dict[str, Check], startup: "Startup") -> dict[str, str]:
    """What the checks say is wrong, by their names. They run at the same time."""
    errors = await asyncio.gather(*(_error(name, check, startup.step_seconds) for name, check in checks.items()))
    for name, error in zip(checks, errors, strict=True):
        startup.lifecycle.lacks(name, error)
        if error is not None:
            logger.warning("warm-up failed", extra={"part": name, "error": error})
    return {name: error for name, error in zip(checks, errors, strict=True) if error is not None}


async def _error(name: str, check: Check, timeout_seconds: float) -> str | None:
    try:
        async with asyncio.timeout(timeout_seconds):
            return await check()
    except TimeoutError:
        return f"The {name} did not end within {timeout_seconds:.3g} s."


async def _connect(startup: "Startup", model: SharedModel) -> str | None:
    startup.connected.discard(model.name)
    problem = await open_connection(model.client)
    metrics.model_connected.labels(model=model.name).set(problem is None or problem.reached)
    if problem is not None:
        return f"The API of model {model.name} {problem.text}."
    startup.connected.add(model.name)
    return None


async def _run_hook(name: str, hook: Callable[[], Awaitable[object]]) -> str | None:
    try:
        await hook()
    except Exception as error:
        return f"The warm-up of {name} raised {type(error).__name__}: {error}."
    return None


async def _run_agent(startup: "Startup") -> str | None:
    session = Session(startup.blueprint, (_QUESTION,), stream=False)
    try:
        async for _ in Run(session, Gate(1, Load()), deadline_seconds=startup.step_seconds):
            pass
    except RunEnded:
        return f"The live run did not end within {startup.step_seconds:.3g} s."
    except UpstreamFailure as error:
        return f"The live run failed. {error}"
    except Exception as error:
        return f"The live run failed: {type(error).__name__}."  # its text may quote what the model said
    return None
