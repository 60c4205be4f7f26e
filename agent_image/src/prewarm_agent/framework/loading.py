"""The heavy imports: a second of CPU, done once, in a thread, while the probe port already answers."""

import gc
import importlib
import os

# What a request can reach. The agent's own modules come last: they import the framework.
_MODULES = (
    "autogen_agentchat.agents",
    "autogen_agentchat.conditions",
    "autogen_agentchat.teams",
    "autogen_agentchat.tools",
    "autogen_ext.models.openai",
    "prewarm_agent.metrics",
    "prewarm_agent.spec.check",
    "prewarm_agent.framework.blueprint",
    "prewarm_agent.framework.session",
    "prewarm_agent.serve.completions",
    "prewarm_agent.startup.warmup",
)


def import_framework() -> None:
    """Imports AutoGen, the model clients and everything of this package that needs them."""
    # A team of two would write 36 spans a run, with random names; it costs 1-2 ms of CPU. Set it to false to get them.
    os.environ.setdefault("AUTOGEN_DISABLE_RUNTIME_TRACING", "true")
    gc.disable()  # nearly all that an import allocates stays: collecting meanwhile only costs time
    try:
        for module in _MODULES:
            importlib.import_module(module)
    finally:
        gc.enable()
