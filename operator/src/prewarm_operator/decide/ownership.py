"""Whose an object is. Only the controller reference says so; names and labels are anybody's."""

from collections.abc import Iterator, Mapping
from typing import Any

from prewarm_operator.decide import reasons
from prewarm_operator.decide.plan import Problem
from prewarm_operator.world.snapshot import Object


def controlled_by(owner_uid: str, live: Object) -> bool:
    """Whether the object's controller is the AgentDeployment of that uid."""
    return any(reference["uid"] == owner_uid for reference in _controllers(live))


def left_by_predecessor(wanted: Object, live: Object) -> bool:
    """Whether the object's controller was an AgentDeployment of our name that has been deleted since."""
    owner = wanted["metadata"]["ownerReferences"][0]
    return any(
        (reference["kind"], reference["name"]) == (owner["kind"], owner["name"]) and reference["uid"] != owner["uid"]
        for reference in _controllers(live)
    )


def name_conflict(kind: str, live: Object) -> Problem:
    """Somebody else's object has a child's name."""
    name = live["metadata"]["name"]
    owner = next((f"{reference['kind']} {reference['name']}" for reference in _controllers(live)), None)
    whose = "has no owner" if owner is None else f"belongs to {owner}"
    return Problem(
        reasons.NAME_CONFLICT,
        f"{kind} {name} exists and {whose}: delete it, or give the AgentDeployment another name",
    )


def _controllers(live: Object) -> Iterator[Mapping[str, Any]]:
    return (reference for reference in live["metadata"].get("ownerReferences") or () if reference.get("controller"))
