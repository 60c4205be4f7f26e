import copy
from dataclasses import replace
from typing import Any

from unit.operator.builders import agent, live, rendered, settled_children, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Adopt, Apply, Create, Delete, TryApply
from prewarm_operator.world.cache import generation_of
from prewarm_operator.world.verdicts import ApplyVerdict


def test_a_new_agent_gets_its_children_with_the_config_map_first_and_the_deployment_last() -> None:
    kinds = [write.body["kind"] for write in decide(snapshot()).writes if isinstance(write, Create)]
    assert kinds == ["ConfigMap", "Service", "PodDisruptionBudget", "Deployment"]


def test_nothing_is_written_when_nothing_changed() -> None:
    of = agent()
    assert decide(snapshot(of, settled_children(of, 3))).writes == ()


def test_a_hand_that_scales_to_zero_is_corrected_on_that_very_object() -> None:
    of = agent()
    settled = settled_children(of, 3)
    assert settled.deployment is not None
    spec = {**settled.deployment["spec"], "replicas": 0}
    (write,) = decide(snapshot(of, replace(settled, deployment={**settled.deployment, "spec": spec}))).writes
    assert isinstance(write, Apply)
    assert write.because == "spec.replicas"
    assert write.body["spec"]["replicas"] == 3
    assert write.body["metadata"]["uid"] == settled.deployment["metadata"]["uid"]


def test_a_field_that_is_no_longer_rendered_is_applied_away() -> None:
    before = agent(env=[{"name": "A", "value": "1"}])
    (*_, write) = decide(snapshot(agent(), settled_children(before, 3))).writes
    assert isinstance(write, Apply)
    assert write.because.startswith("metadata.annotations.prewarm.dev/")
    assert not write.by_hand


def test_ownership_left_by_post_is_adopted_before_anything_is_applied() -> None:
    of = agent()
    settled = settled_children(of, 2)
    fresh = live(
        rendered(of, 2).deployment,
        managedFields=[
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"},
            {"manager": "prewarm", "operation": "Update"},
        ],
    )
    (write,) = decide(snapshot(of, replace(settled, deployment=fresh))).writes
    assert isinstance(write, Adopt)
    assert (write.entry, write.uid) == (1, fresh["metadata"]["uid"])


def foreign(**metadata: Any) -> dict[str, Any]:
    service = live(rendered(agent()).service)
    return {**service, "metadata": {**service["metadata"], **metadata}}


def test_an_object_of_somebody_else_is_reported_and_not_touched() -> None:
    of = agent()
    settled = settled_children(of, 3)
    assert settled.deployment is not None
    metadata = {**settled.deployment["metadata"], "ownerReferences": []}
    plan = decide(snapshot(of, replace(settled, deployment={**settled.deployment, "metadata": metadata})))
    assert plan.writes == ()
    (problem,) = plan.problems
    assert problem.reason == reasons.NAME_CONFLICT
    assert "Deployment support" in problem.message


def test_an_object_that_is_not_watched_is_looked_at_again_before_it_is_called_somebody_elses() -> None:
    of = agent()
    plan = decide(snapshot(of, replace(settled_children(of, 3), service=foreign(ownerReferences=[]))))
    assert [type(write) for write in plan.writes] == [Create]
    assert plan.problems == ()


def test_what_a_deleted_namesake_left_is_waited_for_not_called_a_conflict() -> None:
    of = agent()
    owner = {"kind": "AgentDeployment", "name": "support", "uid": "uid-of-predecessor", "controller": True}
    plan = decide(snapshot(of, replace(settled_children(of, 3), service=foreign(ownerReferences=[owner]))))
    assert plan.problems == ()
    assert [type(write) for write in plan.writes] == [Create]


def config_map_plan(*, mounted_by_replica_set: bool, listed_seconds_later: float) -> tuple[Any, ...]:
    old = rendered(agent(concurrencyLimit=7))
    assert old.config_map is not None
    old_map = live(old.config_map)
    created = 1767225600.0  # 2026-01-01T00:00:00Z, the creationTimestamp of live()
    of = agent()
    settled = settled_children(of, 3)
    replica_set = {"spec": {"template": old.deployment["spec"]["template"]}}
    return decide(
        snapshot(
            of,
            replace(
                settled,
                config_maps=(*settled.config_maps, old_map),
                replica_sets=(replica_set,) if mounted_by_replica_set else (),
                replica_sets_read_at=created + listed_seconds_later,
            ),
        )
    ).writes


def test_a_config_map_stays_as_long_as_a_replica_set_mounts_it() -> None:
    assert config_map_plan(mounted_by_replica_set=True, listed_seconds_later=3600) == ()


def test_a_config_map_that_no_replica_set_mounts_is_deleted() -> None:
    (write,) = config_map_plan(mounted_by_replica_set=False, listed_seconds_later=3600)
    assert isinstance(write, Delete)


def test_a_config_map_whose_replica_set_may_not_be_listed_yet_stays() -> None:
    assert config_map_plan(mounted_by_replica_set=False, listed_seconds_later=30) == ()


def test_a_value_that_the_api_server_rewrites_is_not_written_again_and_asked_about_once_for_each_change() -> None:
    of = agent(podTemplate={"spec": {"containers": [{"name": "agent", "livenessProbe": {"timeoutSeconds": 0}}]}})
    settled = settled_children(of, 3)
    rewritten = copy.deepcopy(dict(settled.deployment or {}))
    rewritten["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["timeoutSeconds"] = 1
    as_kept = replace(settled, deployment=rewritten)
    verdict = ApplyVerdict(generation_of(rewritten), changes=False)
    assert decide(snapshot(of, as_kept, apply_verdict=verdict)).writes == ()
    rewritten["metadata"]["generation"] += 1
    for outdated in (None, verdict):
        plan = decide(snapshot(of, as_kept, apply_verdict=outdated))
        assert [type(write) for write in plan.writes] == [TryApply]
        assert plan.notices == ()
    verdict = ApplyVerdict(generation_of(rewritten), changes=True)
    assert [type(write) for write in decide(snapshot(of, as_kept, apply_verdict=verdict)).writes] == [Apply]
