"""The executor against a stand-in of the gateway; the gateway itself is tested on a real API server."""

from dataclasses import replace
from typing import Any

from unit.operator.builders import live, snapshot

from prewarm_operator.apply.executor import Executor, Outcome
from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Adopt, Create, Plan
from prewarm_operator.kube.errors import Conflict, Invalid, KubeError, Unreachable
from prewarm_operator.kube.resources import SERVICES
from prewarm_operator.world.cache import Cache, Key


class Gateway:
    """Accepts every create, but those whose kind is in `errors`."""

    def __init__(self, errors: dict[str, KubeError]) -> None:
        self.errors = errors
        self.created: list[str] = []

    async def create(self, write: Create) -> Any:
        if write.resource.kind in self.errors:
            raise self.errors[write.resource.kind]
        self.created.append(write.resource.kind)
        return live(write.body)

    async def adopt(self, write: Adopt) -> Any:
        raise self.errors[write.resource.kind]


class Reader:
    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    async def read(self, *_: Any) -> dict[str, Any]:
        return self.found


async def execute(
    errors: dict[str, KubeError], found: dict[str, Any] | None = None, plan: Plan | None = None
) -> tuple[Outcome, list[str], Cache]:
    gateway: Any = Gateway(errors)
    reader: Any = Reader(found or {})
    cache = Cache()
    outcome = await Executor(gateway, reader, cache).execute(plan or decide(snapshot()), "uid-1")
    return outcome, gateway.created, cache


async def test_a_write_that_fails_does_not_keep_the_next_from_being_made() -> None:
    outcome, created, _ = await execute({"Service": Unreachable("away")})
    assert created == ["ConfigMap", "PodDisruptionBudget", "Deployment"]
    assert len(outcome.errors) == 1


async def test_what_the_api_server_refuses_becomes_a_sentence_for_people() -> None:
    outcome, _, _ = await execute({"Deployment": Invalid(422, "spec.x: Required value")})
    (problem,) = outcome.problems
    assert problem.reason == reasons.CHILD_REFUSED
    assert problem.message == "Deployment team/support was refused: spec.x: Required value"
    assert outcome.errors == []


async def test_an_object_that_changed_before_it_was_adopted_is_looked_at_again() -> None:
    changed = service(kind="AgentDeployment", name="support", uid="uid-1", controller=True)
    adopt = Adopt(SERVICES, "team", "support", changed["metadata"]["uid"], 0)
    plan = replace(decide(snapshot()), writes=(adopt,))
    outcome, _, cache = await execute({"Service": Invalid(422, "testing value failed")}, changed, plan)
    assert (outcome.problems, outcome.errors) == ([], [])
    assert cache.get(SERVICES, Key("team", "support")) is not None


def service(**owner: Any) -> dict[str, Any]:
    body = live({"kind": "Service", "metadata": {"namespace": "team", "name": "support"}})
    body["metadata"]["ownerReferences"] = [owner] if owner else []
    return body


async def test_a_taken_name_is_a_conflict_and_nothing_is_seized() -> None:
    outcome, _, _ = await execute({"Service": Conflict(409, "exists")}, service())
    assert [problem.reason for problem in outcome.problems] == [reasons.NAME_CONFLICT]


async def test_our_own_object_that_the_cache_did_not_know_is_taken_in() -> None:
    ours = service(kind="AgentDeployment", name="support", uid="uid-1", controller=True)
    outcome, _, _ = await execute({"Service": Conflict(409, "exists")}, ours)
    assert (outcome.problems, outcome.errors) == ([], [])


async def test_a_namesakes_object_that_is_being_collected_is_waited_for() -> None:
    old = service(kind="AgentDeployment", name="support", uid="uid-0", controller=True)
    outcome, _, _ = await execute({"Service": Conflict(409, "exists")}, old)
    assert outcome.problems == []
    assert len(outcome.errors) == 1
