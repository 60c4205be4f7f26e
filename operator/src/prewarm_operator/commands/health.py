"""What is wrong with an AgentDeployment, by its conditions."""

from collections.abc import Sequence

from prewarm_operator.api.status import AgentDeploymentStatus, Condition

GOOD = {
    "AgentValid": "True",
    "Ready": "True",
    "ScalingActive": "True",
    "Warm": "True",
    "Progressing": "False",
    "UpToDate": "True",
}
"""Status of each condition at rest, causes first. Reconciling and Stalled repeat Progressing."""

NO_STATUS = "no status yet: is the operator running?"


def not_as_it_should_be(status: AgentDeploymentStatus) -> Sequence[Condition]:
    """Conditions that are not as at rest, causes first. To be on the way somewhere is among them."""
    known = {condition.type: condition for condition in status.conditions}
    return [known[type_] for type_, good in GOOD.items() if type_ in known and known[type_].status != good]


def problem(status: AgentDeploymentStatus) -> str:
    """What keeps the agent from being as it should be, in a few words; "" if nothing does."""
    if not status.conditions:
        return NO_STATUS
    stalled = next((each for each in status.conditions if each.type == "Stalled" and each.status == "True"), None)
    worst = next((each for each in not_as_it_should_be(status) if _is_wrong(each)), stalled)
    return "" if worst is None else f"{worst.reason}: {worst.message}"


def _is_wrong(condition: Condition) -> bool:
    """To be on the way, not yet known, or able to be newer is no problem."""
    return condition.status == "False" and condition.type in ("Ready", "AgentValid", "ScalingActive", "Warm")
