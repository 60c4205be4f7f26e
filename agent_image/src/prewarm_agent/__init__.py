"""The runtime that serves one AutoGen agent, warm before its first request.

Authors of agents in Python need one name from here, :class:`Resources`; it is what a factory is called with.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prewarm_agent.startup.resources import Resources

__all__ = ["Resources"]


def __getattr__(name: str) -> object:
    # Lazy: the command line imports this package before its ports are bound, when every millisecond shows.
    if name == "Resources":
        from prewarm_agent.startup.resources import Resources

        return Resources
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
