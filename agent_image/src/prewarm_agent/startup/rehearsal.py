"""Runs the agent for nobody, so that lazy imports and deferred builds are paid for before there is a request."""

import logging

from prewarm_agent.admission.gate import Gate
from prewarm_agent.admission.load import Load
from prewarm_agent.admission.run import Run
from prewarm_agent.framework.blueprint import Blueprint, remembering
from prewarm_agent.framework.http_client import Rehearsal, rehearsal
from prewarm_agent.framework.session import Answer, Delta, Session, Turn

logger = logging.getLogger(__name__)

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
