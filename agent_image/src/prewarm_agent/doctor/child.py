"""One measured process, `python -m prewarm_agent.doctor.child`: told on standard input, answers on a descriptor."""

import asyncio
import importlib
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FRAMEWORKS = (
    "autogen_agentchat.agents",
    "autogen_agentchat.teams",
    "autogen_agentchat.conditions",
    "autogen_ext.models.openai",
)


def main() -> None:
    """Read an order, carry it out, and write the observation."""
    order = json.load(sys.stdin)
    sys.path.insert(0, order["folder"])
    with os.fdopen(order["answer"], "w") as answer:
        measure = _faults if order["instruments"] else _times
        json.dump(asyncio.run(measure(order)), answer)


async def _times(order: dict[str, Any]) -> Any:
    """Nothing is put in but a clock and, offline, the model: the numbers are the user's own."""
    from prewarm_agent.doctor.instruments import Recorder

    recorder = Recorder()
    with recorder.phase("import"):
        from prewarm_agent.doctor import target

        try:
            # Of a module that imports AutoGen, most of this is AutoGen; the doctor itself needs no more of it.
            found = target.load(order["target"], order["request"])
        except Exception as error:
            return _failed(recorder, error)
    return await _run(recorder, found, order, watched=False)


async def _faults(order: dict[str, Any]) -> Any:
    from prewarm_agent.doctor import instruments, target

    for module in FRAMEWORKS:
        importlib.import_module(module)
    recorder = instruments.Recorder()
    instruments.install(recorder)
    with recorder.phase("import"):
        try:
            found = target.load(order["target"], order["request"])
        except Exception as error:
            return _failed(recorder, error)
    return await _run(recorder, found, order, watched=True)


async def _run(recorder: Any, found: Any, order: dict[str, Any], *, watched: bool) -> Any:
    from prewarm_agent.doctor.model_calls import ModelCalls
    from prewarm_agent.doctor.stalls import StallWatch
    from prewarm_agent.doctor.target import QUESTION, refuse_people
    from prewarm_agent.startup.resources import Resources

    recorder.observation.kind = found.kind
    resources = Resources(connections=100, read_timeout_seconds=300.0)
    calls = ModelCalls(recorder, offline=order["offline"])
    calls.install()
    refuse_people()
    if order["offline"]:
        warnings.filterwarnings("ignore", "Resolved model mismatch")  # the doctor's answer names no model of anybody's
    stalls = StallWatch(recorder)
    if watched:
        stalls.start()
    try:
        with recorder.phase("build"):
            await found.build(resources)
        recorder.observation.start_seconds = time.time() - order["began"]
        for number in range(1, order["requests"] + 1):
            calls.begin_request(QUESTION.format(number=number))
            with recorder.phase(f"request {number}"), _key_of_the_process(recorder):
                await found.ask(number, resources)
            await asyncio.sleep(0.05)  # lets the watch see a loop that turns, and the last phase end by itself
    except Exception as error:
        return _failed(recorder, error)
    finally:
        stalls.stop()
    recorder.observation.shared_agent = found.shares_an_agent
    return recorder.observation.to_json()


@contextmanager
def _key_of_the_process(recorder: Any) -> Iterator[None]:
    """Records a write to the module openai's own key, which all users of the process share, and takes it back."""
    before = getattr(sys.modules.get("openai"), "api_key", None)
    try:
        yield
    finally:
        sdk: Any = sys.modules.get("openai")
        if sdk is not None and sdk.api_key != before:
            recorder.current.environment_writes.append("openai.api_key")
            sdk.api_key = before


def _failed(recorder: Any, error: Exception) -> Any:
    last = traceback.extract_tb(error.__traceback__)[-1]
    own = "prewarm_agent" not in last.filename and not last.filename.startswith("<")
    where = f" ({os.path.relpath(last.filename)}:{last.lineno})" if own else ""
    text = str(error).partition("\n")[0].rstrip(".")  # a team's error holds the traceback of its member's
    recorder.observation.error = f"{type(error).__name__}: {text}{where}"
    return recorder.observation.to_json()


if __name__ == "__main__":
    main()
