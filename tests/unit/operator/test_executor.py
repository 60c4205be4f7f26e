"""The executor against a stand-in of the gateway; the gateway itself is tested on a real API server."""

from dataclasses import replace
from typing import Any, cast

import pytest
from unit.operator.builders import IMAGE, live, snapshot

from prewarm_operator.apply.executor import NEW_NAMESPACE_SECONDS, Executor, Outcome
from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Adopt, Apply, Create, Rank, Relabel, TryApply
from prewarm_operator.kube.errors import Conflict, Invalid, KubeError, NamespaceTerminating, NotFound, Unreachable
from prewarm_operator.kube.resources import DEPLOYMENTS, DISRUPTION_BUDGETS, PODS
from prewarm_operator.world.cache import Cache, Key, generation_of
from prewarm_operator.world.verdicts import ApplyVerdict
from prewarm_operator.world.world import World


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


class Reader:
    """Finds that object, or none."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    async def read(self, *_: Any) -> dict[str, Any]:
        if not self.found:
            raise NotFound(404, "gone")
        return self.found


async def execute(
    errors: dict[str, KubeError], found: dict[str, Any] | None = None
) -> tuple[Outcome, list[str], Cache]:
    gateway: Any = Gateway(errors)
    reader: Any = Reader(found or {})
    cache = Cache()
    outcome = await Executor(gateway, reader, World(cache, IMAGE)).execute(decide(snapshot()), "uid-1")
    return outcome, gateway.created, cache


async def test_a_write_that_fails_does_not_keep_the_next_from_being_made() -> None:
    outcome, created, _ = await execute({"Service": Unreachable("away")})
    assert created == ["ConfigMap", "PodDisruptionBudget", "Deployment"]
    assert len(outcome.errors) == 1


async def test_what_the_api_server_rewrites_in_a_new_deployment_is_nobodys_change() -> None:
    class Rewriting(Gateway):
        async def create(self, write: Create) -> Any:
            spec = {**write.body["spec"], "revisionHistoryLimit": 10} if write.resource == DEPLOYMENTS else {}
            return {**live(write.body), "spec": spec}

    gateway: Any = Rewriting({})
    world, reader = World(Cache(), IMAGE), cast(Any, Reader({}))
    await Executor(gateway, reader, world).execute(decide(snapshot()), "uid-1")
    assert not world.apply_verdicts[SUPPORT].changes


async def test_a_deployment_of_placeholders_says_nothing_about_an_agent_of_its_name() -> None:
    class Rewriting(Gateway):
        async def create(self, write: Create) -> Any:
            return {**live(write.body), "spec": {}}

    body = decided_deployment()
    placeholders = {**body, "metadata": {**body["metadata"], "name": "support-headroom"}}
    plan = replace(decide(snapshot()), writes=(Create(DEPLOYMENTS, placeholders),))
    world = World(Cache(), IMAGE)
    await Executor(cast(Any, Rewriting({})), cast(Any, Reader({})), world).execute(plan, "uid-1")
    assert world.apply_verdicts == {}


@pytest.mark.parametrize(
    ("answer", "changes"),
    [
        pytest.param({"replicas": 0}, False, id="the-answer-is-what-is-there"),
        pytest.param({"replicas": 3}, True, id="the-answer-is-another-one"),
        pytest.param(Invalid(400, "the webhook takes no dry run"), True, id="refused"),
    ],
)
async def test_whether_an_apply_would_change_anything_is_found_out_without_a_write(answer: Any, changes: bool) -> None:
    class Trying(Gateway):
        async def try_apply(self, write: TryApply) -> Any:
            if isinstance(answer, KubeError):
                raise answer
            return {**write.body, "spec": answer}

    edited = live(decided_deployment(), generation=7)
    edited["spec"] = {"replicas": 0}
    world = World(Cache(), IMAGE)
    world.cache.put(DEPLOYMENTS, edited)
    plan = replace(decide(snapshot()), writes=(TryApply(DEPLOYMENTS, edited),))
    outcome = await Executor(cast(Any, Trying({})), cast(Any, Reader({})), world).execute(plan, "uid-1")
    assert (outcome.problems, outcome.errors) == ([], [])
    assert world.apply_verdicts[SUPPORT] == ApplyVerdict(generation_of(edited), changes)


def decided_deployment() -> Any:
    """The Deployment that a new agent gets."""
    writes = decide(snapshot()).writes
    return next(write.body for write in writes if isinstance(write, Create) and write.resource == DEPLOYMENTS)


async def test_what_the_api_server_refuses_becomes_a_sentence_for_people() -> None:
    outcome, _, _ = await execute({"Deployment": Invalid(422, "spec.x: Required value")})
    (problem,) = outcome.problems
    assert problem.reason == reasons.CHILD_REFUSED
    assert problem.message == "Deployment team/support was refused: spec.x: Required value"
    assert outcome.errors == []


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


async def test_a_namespace_that_ends_is_no_problem_and_no_further_write_is_tried() -> None:
    outcome, created, _ = await execute({"Service": NamespaceTerminating(403, "is being terminated")})
    assert outcome.namespace_ends
    assert (outcome.problems, outcome.errors) == ([], [])
    assert created == ["ConfigMap"]


class Refusing:
    """Refuses whatever is asked."""

    def __init__(self, error: KubeError) -> None:
        self.error = error

    def __getattr__(self, _: str) -> Any:
        async def refuse(*_: Any) -> Any:
            raise self.error

        return refuse


def asking_in_a_new_namespace(clock: Any) -> Executor:
    class Refusing(Gateway):
        async def ask_for_pod(self, _: Any) -> None:
            raise Invalid(403, 'error looking up service account team/default: serviceaccount "default" not found')

    return Executor(cast(Any, Refusing({})), cast(Any, Reader({})), World(Cache(), IMAGE), clock)


async def test_a_namespace_without_its_service_account_gets_time_and_then_it_is_told() -> None:
    now = 100.0
    executor = asking_in_a_new_namespace(lambda: now)
    plan = decide(snapshot(pod_verdict=None))
    assert "not complete yet" in str((await executor.execute(plan, "uid-1")).errors)
    now += NEW_NAMESPACE_SECONDS
    assert (await executor.execute(plan, "uid-1")).errors == []


BUDGET = live({"kind": "PodDisruptionBudget", "metadata": {"namespace": "team", "name": "support"}})
NEWER = {**BUDGET, "metadata": {**BUDGET["metadata"], "resourceVersion": "21"}}
SUPPORT = Key("team", "support")
ADOPT = Adopt(DISRUPTION_BUDGETS, "team", "support", "20", 0)
APPLY = Apply(DISRUPTION_BUDGETS, BUDGET, "spec.minAvailable", by_hand=True)
RELABEL = Relabel("team", "support", "uid-of-PodDisruptionBudget-support", {})
RANK = Rank("team", "support", "uid-of-PodDisruptionBudget-support", 3)


async def refuse(
    write: Adopt | Apply | Relabel | Rank, error: KubeError, found: dict[str, Any]
) -> tuple[Outcome, Cache]:
    gateway: Any = Refusing(error)
    reader: Any = Reader(found)
    cache = Cache()
    cache.put(write.resource, BUDGET)
    plan = replace(decide(snapshot()), writes=(write,))
    return await Executor(gateway, reader, World(cache, IMAGE)).execute(plan, "uid-1"), cache


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (ADOPT, Invalid(422, "testing path /metadata/resourceVersion")),
        (ADOPT, Conflict(409, "changed")),
        (APPLY, Conflict(409, "uid mismatch")),
    ],
)
async def test_a_lost_race_is_no_problem_and_the_object_is_read_again(write: Adopt | Apply, error: KubeError) -> None:
    outcome, cache = await refuse(write, error, NEWER)
    assert (outcome.problems, outcome.errors) == ([], [])
    known = cache.get(DISRUPTION_BUDGETS, SUPPORT)
    assert known is not None
    assert known["metadata"]["resourceVersion"] == "21"


async def test_a_child_that_was_deleted_behind_our_back_is_forgotten_and_so_made_again() -> None:
    outcome, cache = await refuse(APPLY, Conflict(409, "no existing object was found"), {})
    assert (outcome.problems, outcome.errors) == ([], [])
    assert cache.get(DISRUPTION_BUDGETS, SUPPORT) is None


async def test_an_apply_that_is_refused_for_what_it_says_is_a_problem() -> None:
    outcome, _ = await refuse(APPLY, Invalid(422, "spec.minAvailable: Invalid value"), NEWER)
    assert [problem.reason for problem in outcome.problems] == [reasons.CHILD_REFUSED]


@pytest.mark.parametrize("write", [RELABEL, RANK], ids=["labels", "cost"])
@pytest.mark.parametrize("error", [NotFound(404, "gone"), Invalid(422, "metadata.uid: field is immutable")])
async def test_a_pod_that_is_gone_needs_neither_labels_nor_a_cost(write: Relabel | Rank, error: KubeError) -> None:
    outcome, cache = await refuse(write, error, {})
    assert (outcome.problems, outcome.errors) == ([], [])
    assert cache.get(PODS, SUPPORT) is None
