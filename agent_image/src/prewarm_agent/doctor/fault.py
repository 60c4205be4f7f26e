"""What a fault is, and words that all of them use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prewarm_agent.doctor.observation import Calls


@dataclass(frozen=True)
class Fault:
    """A name for machines, what was seen, and what to do."""

    name: str
    seen: str
    remedy: str


def in_every(requests: Sequence[Calls], of: Callable[[Calls], Sequence[str]]) -> list[str]:
    """What is in all requests but perhaps the first, of which there must be two."""
    if len(requests) < 2:
        return []
    common = set(of(requests[1])).intersection(*(of(request) for request in requests[2:]))
    return [name for name in dict.fromkeys(of(requests[1])) if name in common]


def some(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - 3} more" if len(unique) > 3 else ""
    return ", ".join(unique[:3]) + more
