"""When the controller looks again, and what it tells; its writes are tested on a real API server."""

from typing import Any

from unit.operator.builders import IMAGE, agent, agent_body, settled_children

from prewarm_operator.apply.executor import Outcome
from prewarm_operator.control.controller import RETRY_SECONDS, Controller
from prewarm_operator.control.pace import REPAIR_SECONDS
from prewarm_operator.decide import reasons
from prewarm_operator.decide.plan import Event, Plan, Problem
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS, DEPLOYMENTS, DISRUPTION_BUDGETS
from prewarm_operator.world.cache import Cache, Key, generation_of
from prewarm_operator.world.verdicts import ApplyVerdict
from prewarm_operator.world.world import World

SUPPORT = Key("team", "support")


class Cluster:
    """Executor, gateway and recorder at once: it writes nothing, and every write ends as `outcome` says."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.told: list[Event] = []

    async def execute(self, plan: Plan, _: str) -> Outcome:
        return self.outcome if plan.writes else Outcome()

    async def patch_status(self, body: Any, status: Any) -> Any:
        return {**body, "status": status}

    async def record(self, _: Any, event: Event) -> None:
        self.told.append(event)


def scaled_to_zero() -> World:
    """A hand has scaled the child to zero. The name of the Service is somebody else's."""
    children = settled_children(agent(), 3)
    assert children.deployment is not None
    assert children.disruption_budget is not None
    world = World(Cache(), IMAGE)
    world.cache.put(AGENT_DEPLOYMENTS, agent_body())
    spec = {**children.deployment["spec"], "replicas": 0}
    edited = {**children.deployment, "spec": spec}
    world.cache.put(DEPLOYMENTS, edited)
    world.apply_verdicts[SUPPORT] = ApplyVerdict(generation_of(edited), changes=True)
    budget = children.disruption_budget
    world.cache.put(DISRUPTION_BUDGETS, {**budget, "metadata": {**budget["metadata"], "ownerReferences": []}})
    return world


def controller(cluster: Any) -> Controller:
    return Controller(scaled_to_zero(), cluster, cluster, cluster, clock=lambda: 1000.0)


async def test_a_repair_that_has_to_wait_is_not_put_off_by_what_only_a_person_can_repair() -> None:
    controls = controller(Cluster(Outcome(problems=[Problem(reasons.CHILD_REFUSED, "no")])))
    assert await controls.reconcile(SUPPORT) == RETRY_SECONDS
    assert await controls.reconcile(SUPPORT) == REPAIR_SECONDS


async def test_what_was_refused_is_not_told_as_put_back() -> None:
    for outcome, told in ((Outcome(problems=[Problem(reasons.CHILD_REFUSED, "no")]), False), (Outcome(), True)):
        cluster = Cluster(outcome)
        await controller(cluster).reconcile(SUPPORT)
        assert (reasons.REPAIRED in {event.reason for event in cluster.told}) is told
