from typing import Any

import pytest
from unit.operator.builders import agent_body

from prewarm_operator.kube.resources import (
    AGENT_DEPLOYMENTS,
    AUTOSCALERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from prewarm_operator.world.autoscalers import Autoscalers
from prewarm_operator.world.cache import Cache, Key
from prewarm_operator.world.start_times import StartTimeLog
from prewarm_operator.world.world import World

SUPPORT = Key("team", "support")


def thing(name: str = "support-1", version: int = 1, uid: str = "u1", **metadata: Any) -> dict[str, Any]:
    labels = {"prewarm.dev/agent": "support"}
    body = {"namespace": "team", "name": name, "uid": uid, "resourceVersion": str(version), "labels": labels}
    return {"kind": "Pod", "metadata": {**body, **metadata}}


def ready(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def test_an_older_object_never_replaces_a_newer_one() -> None:
    cache = Cache()
    assert cache.put(PODS, thing(version=9))
    assert not cache.put(PODS, thing(version=10 - 2))
    assert not cache.put(PODS, thing(version=9))
    kept = cache.get(PODS, Key("team", "support-1"))
    assert kept is not None
    assert kept["metadata"]["resourceVersion"] == "9"


def test_versions_are_numbers_not_text() -> None:
    cache = Cache()
    cache.put(PODS, thing(version=9))
    assert cache.put(PODS, ready(thing(version=10)))


def test_a_late_deletion_of_a_predecessor_does_not_remove_its_successor() -> None:
    cache = Cache()
    cache.put(PODS, thing(version=20, uid="new"))
    assert not cache.remove(PODS, thing(version=15, uid="old"))
    assert cache.get(PODS, Key("team", "support-1")) is not None


def test_a_list_removes_what_a_watch_has_missed_and_keeps_what_came_after_it() -> None:
    cache = Cache()
    cache.put(PODS, thing("gone", version=5))
    cache.put(PODS, thing("later", version=50))
    touched = cache.replace(PODS, [thing("listed", version=7)], list_version=40)
    assert {body["metadata"]["name"] for body in cache.belonging_to(PODS, SUPPORT)} == {"later", "listed"}
    assert touched == {SUPPORT}


def test_a_list_that_changes_nothing_touches_nobody() -> None:
    cache = Cache()
    cache.put(PODS, thing(version=5))
    assert cache.replace(PODS, [thing(version=5)], list_version=40) == set()


def test_what_is_older_than_a_deletion_brings_nothing_back() -> None:
    cache = Cache()
    cache.put(PODS, thing(version=5))
    cache.remove(PODS, thing(version=12))
    assert not cache.put(PODS, thing(version=7))  # the answer to a write that was made before
    assert cache.replace(PODS, [thing(version=5)], list_version=10) == set()
    assert cache.get(PODS, Key("team", "support-1")) is None
    assert cache.put(PODS, thing(version=12))  # it had only left the watch
    assert cache.put(PODS, thing(version=13, uid="next"))


def test_deletions_are_forgotten_with_the_next_list() -> None:
    cache = Cache()
    for number in range(9):
        cache.put(PODS, thing(str(number), version=5))
        cache.remove(PODS, thing(str(number), version=12))
    cache.replace(PODS, [], list_version=40)
    assert cache._removed_at == {PODS: {}}


def test_an_object_that_loses_the_label_no_longer_belongs() -> None:
    cache = Cache()
    cache.put(PODS, thing(version=1))
    cache.put(PODS, thing(version=2, labels={}))
    assert cache.belonging_to(PODS, SUPPORT) == []


@pytest.mark.parametrize("resource", [DEPLOYMENTS, SERVICES, DISRUPTION_BUDGETS], ids=lambda kind: kind.plural)
@pytest.mark.parametrize("labels", [{}, {"prewarm.dev/agent": "other"}], ids=["unlabelled", "relabelled"])
def test_a_child_whose_label_a_hand_has_changed_still_asks_for_its_own_agent(
    resource: Resource, labels: dict[str, str]
) -> None:
    world = World(Cache(), "image")
    world.observe(resource, None, thing("support", version=1), 0.0)
    assert world.observe(resource, "MODIFIED", thing("support", version=2, labels=labels), 0.0) == SUPPORT


def test_a_config_map_whose_label_a_hand_has_taken_off_is_still_known_by_its_owner() -> None:
    cache = Cache()
    owner = {"kind": "AgentDeployment", "name": "support", "uid": "uid-1", "controller": True}
    cache.put(CONFIG_MAPS, thing("support-0a1b", labels={}, ownerReferences=[owner]))
    assert len(cache.belonging_to(CONFIG_MAPS, SUPPORT)) == 1


def test_a_replica_set_that_somebody_labels_as_ours_harms_nobody() -> None:
    world = World(Cache(), "image")
    theirs = replica_set(selector={"matchExpressions": [{"key": "a", "operator": "Exists"}]})
    assert world.cache.replace(REPLICA_SETS, [theirs], list_version=40) == set()
    assert world.observe(PODS, "ADDED", thing("support-5d9f-x7k2p"), 0.0) is None


def test_of_managed_fields_only_the_managers_and_who_owns_the_replicas_are_kept() -> None:
    cache = Cache()
    ours = {"manager": "prewarm", "operation": "Apply", "time": "x"}
    theirs = {"manager": "hpa", "operation": "Update", "subresource": "scale"}
    replicas = {"f:spec": {"f:replicas": {}}}
    entries = [{**ours, "fieldsV1": {"f:spec": {"f:template": {}}}}, {**theirs, "fieldsV1": replicas}]
    cache.put(DEPLOYMENTS, thing(managedFields=entries))
    kept = cache.get(DEPLOYMENTS, Key("team", "support-1"))
    assert kept is not None
    assert kept["metadata"]["managedFields"] == [ours, {**theirs, "fieldsV1": replicas}]


def test_an_event_names_the_agent_to_look_at_and_an_old_event_names_none() -> None:
    world = World(Cache(), "image")
    assert world.observe(AGENT_DEPLOYMENTS, None, agent_body(), 0.0) == SUPPORT
    assert world.observe(PODS, "ADDED", thing(version=2), 0.0) == SUPPORT
    assert world.observe(PODS, "MODIFIED", thing(version=2), 0.0) is None
    assert world.observe(PODS, "DELETED", thing(version=3), 0.0) == SUPPORT


def measured(world: World) -> Any:
    return world.snapshot(SUPPORT, agent_body()).start_times


def test_created_to_ready_is_measured_from_the_arrival_of_events() -> None:
    world = World(Cache(), "image")
    world.observe(PODS, "ADDED", thing(version=1), 100.0)
    world.observe(PODS, "MODIFIED", thing(version=2), 101.0)
    assert measured(world) is None
    world.observe(PODS, "MODIFIED", ready(thing(version=3)), 103.5)
    world.observe(PODS, "MODIFIED", ready(thing(version=4)), 200.0)
    assert (measured(world).p50_seconds, measured(world).samples) == (3.5, 1)


def test_a_start_during_which_events_were_missed_is_not_measured() -> None:
    world = World(Cache(), "image")
    world.observe(PODS, "ADDED", thing(version=1), 100.0)
    world.watches_had_a_gap()
    world.observe(PODS, "MODIFIED", ready(thing(version=2)), 900.0)
    assert measured(world) is None


def test_a_pod_that_got_its_labels_back_is_no_start_from_nothing() -> None:
    world = World(Cache(), "image")
    world.observe(REPLICA_SETS, None, replica_set(), 0.0)
    world.observe(PODS, None, ready(origin("support-5d9f-a", 1)), 0.0)
    world.observe(PODS, "DELETED", ready(origin("support-5d9f-a", 2)), 1.0)
    world.observe(PODS, "ADDED", ready(origin("support-5d9f-a", 3)), 2.0)
    assert measured(world) is None


def test_a_new_pod_that_a_list_knows_before_the_watch_is_measured() -> None:
    world = World(Cache(), "image")
    world.cache.replace(PODS, [thing(version=1)], 5)
    world.observe(PODS, "ADDED", thing(version=1), 100.0)
    world.observe(PODS, "MODIFIED", ready(thing(version=2)), 102.0)
    times = measured(world)
    assert times is not None
    assert times.p50_seconds == 2.0


def test_a_pod_that_is_gone_is_not_waited_for_whoever_it_belongs_to_by_then() -> None:
    world = World(Cache(), "image")
    world.observe(PODS, "ADDED", thing(version=1), 100.0)
    world.cache.replace(PODS, [], 5)
    world.observe(PODS, "DELETED", thing(version=2, labels={}), 101.0)
    assert world.observe(PODS, "ADDED", thing(version=3), 102.0) == SUPPORT
    world.observe(PODS, "MODIFIED", ready(thing(version=4)), 103.0)
    times = measured(world)
    assert times is not None
    assert times.p50_seconds == 1.0


def test_pods_that_were_there_before_us_are_not_measured() -> None:
    world = World(Cache(), "image")
    world.observe(PODS, None, thing(version=1), 100.0)
    world.observe(PODS, "MODIFIED", ready(thing(version=2)), 101.0)
    assert measured(world) is None


def test_a_standby_keeps_no_measurements_of_agents_that_are_gone() -> None:
    world = World(Cache(), "image")
    world.observe(AGENT_DEPLOYMENTS, None, agent_body(), 0.0)
    world.observe(PODS, "ADDED", thing(version=1), 100.0)
    world.observe(PODS, "MODIFIED", ready(thing(version=2)), 101.0)
    assert measured(world) is not None
    assert world.observe(AGENT_DEPLOYMENTS, "DELETED", agent_body(), 0.0) == SUPPORT
    assert measured(world) is None


@pytest.mark.parametrize(("count", "p50", "p90"), [(1, 1, 1), (2, 1, 2), (10, 5, 9), (11, 6, 10), (100, 50, 90)])
def test_percentiles_are_nearest_rank(count: int, p50: int, p90: int) -> None:
    log = StartTimeLog()
    for number in range(1, count + 1):
        log.pod_added(str(number), 0.0)
        log.pod_seen(SUPPORT, ready(thing(uid=str(number))), float(number))
    times = log.of(SUPPORT)
    assert times is not None
    assert (times.p50_seconds, times.p90_seconds, times.samples) == (p50, p90, count)


def test_only_the_latest_hundred_starts_count() -> None:
    log = StartTimeLog()
    for number in range(250):
        log.pod_added(str(number), 0.0)
        log.pod_seen(SUPPORT, ready(thing(uid=str(number))), 1000.0 if number < 150 else 1.0)
    times = log.of(SUPPORT)
    assert times is not None
    assert (times.p90_seconds, times.samples) == (1.0, 100)


def replica_set(name: str = "support-5d9f", version: int = 1, **spec: Any) -> dict[str, Any]:
    labels = {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own"}
    template = {"metadata": {"labels": labels}, "spec": {"volumes": [{"name": "tmp", "emptyDir": {}}]}}
    body = thing(name, version)
    return {**body, "kind": "ReplicaSet", "spec": {"selector": {"matchLabels": labels}, "template": template, **spec}}


def test_a_pod_belongs_to_the_agent_whose_replica_set_made_it_whatever_its_labels() -> None:
    world = World(Cache(), "image")
    world.observe(REPLICA_SETS, None, replica_set(), 0.0)
    stolen = thing("support-5d9f-x7k2p", labels={"prewarm.dev/agent": "other", "prewarm.dev/origin": "own"})
    assert world.observe(PODS, "ADDED", stolen, 0.0) == SUPPORT
    assert world.cache.belonging_to(PODS, Key("team", "other")) == []
    (view,) = world.snapshot(SUPPORT, agent_body()).pods
    assert view.lost_labels == {"prewarm.dev/agent": "support"}


def origin(name: str, version: int, **metadata: Any) -> dict[str, Any]:
    labels = {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own"}
    return {**thing(name, version, labels=labels, **metadata), "spec": {"nodeName": "n"}}


def test_a_pod_that_only_left_the_watch_is_missed_and_one_that_was_told_to_stop_is_not() -> None:
    world = World(Cache(), "image")
    world.observe(REPLICA_SETS, None, replica_set(), 0.0)
    for name in ("support-5d9f-a", "support-5d9f-b"):
        world.observe(PODS, "ADDED", origin(name, 1), 0.0)
    assert world.observe(PODS, "DELETED", origin("support-5d9f-a", 2), 0.0) == SUPPORT
    world.observe(PODS, "DELETED", origin("support-5d9f-b", 2, deletionTimestamp="2026-01-01T00:00:00Z"), 0.0)
    (view,) = world.snapshot(SUPPORT, agent_body()).pods
    assert view.name == "support-5d9f-a"
    assert view.lost_labels == {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own"}


def test_a_replica_set_that_only_counts_its_pods_asks_for_no_decision() -> None:
    world = World(Cache(), "image")
    assert world.observe(REPLICA_SETS, "ADDED", replica_set(), 0.0) == SUPPORT
    counted = {**replica_set(version=2, replicas=7), "status": {"replicas": 7}}
    assert world.observe(REPLICA_SETS, "MODIFIED", counted, 0.0) is None
    assert world.observe(REPLICA_SETS, "DELETED", replica_set(version=3), 0.0) == SUPPORT


def autoscaler(kind: str = "Deployment", name: str = "support", version: int = 1) -> dict[str, Any]:
    target = {"kind": kind, "name": name}
    return {**thing("web", version, labels={}), "spec": {"scaleTargetRef": target, "maxReplicas": 9}}


def test_an_autoscaler_of_the_child_is_seen_once_and_seen_to_go() -> None:
    now = 100.0
    world = World(Cache(), "image", clock=lambda: now)
    world.observe(AGENT_DEPLOYMENTS, None, agent_body(), 0.0)
    assert world.observe(AUTOSCALERS, "ADDED", autoscaler(), 0.0) == SUPPORT
    assert world.snapshot(SUPPORT, agent_body()).autoscalers == Autoscalers(("HorizontalPodAutoscaler web",))
    measured = {**autoscaler(version=2), "status": {"currentReplicas": 4}}
    assert world.observe(AUTOSCALERS, "MODIFIED", measured, 0.0) is None
    assert world.observe(AUTOSCALERS, "DELETED", autoscaler(version=3), 0.0) == SUPPORT
    assert world.snapshot(SUPPORT, agent_body()).autoscalers == Autoscalers(gone_for_seconds=0.0)
    now += 7
    assert world.snapshot(SUPPORT, agent_body()).autoscalers == Autoscalers(gone_for_seconds=7.0)


@pytest.mark.parametrize(("kind", "name"), [("AgentDeployment", "support"), ("StatefulSet", "else")])
def test_an_autoscaler_that_is_pointed_elsewhere_is_seen_to_go(kind: str, name: str) -> None:
    world = World(Cache(), "image")
    world.observe(AGENT_DEPLOYMENTS, None, agent_body(), 0.0)
    world.observe(AUTOSCALERS, "ADDED", autoscaler(), 0.0)
    assert world.observe(AUTOSCALERS, "MODIFIED", autoscaler(kind, name, version=2), 0.0) == SUPPORT
    assert world.snapshot(SUPPORT, agent_body()).autoscalers.names == ()


@pytest.mark.parametrize(("kind", "name"), [("Deployment", "another"), ("StatefulSet", "support")])
def test_an_autoscaler_of_anything_else_is_no_concern(kind: str, name: str) -> None:
    world = World(Cache(), "image")
    world.observe(AGENT_DEPLOYMENTS, None, agent_body(), 0.0)
    assert world.observe(AUTOSCALERS, "ADDED", autoscaler(kind, name), 0.0) is None
    assert world.snapshot(SUPPORT, agent_body()).autoscalers == Autoscalers()


def test_an_autoscaler_of_the_agent_itself_is_known_as_such() -> None:
    world = World(Cache(), "image")
    world.observe(AGENT_DEPLOYMENTS, None, agent_body(), 0.0)
    assert world.observe(AUTOSCALERS, "ADDED", autoscaler("AgentDeployment", "support"), 0.0) == SUPPORT
    found = world.snapshot(SUPPORT, agent_body()).autoscalers
    assert found == Autoscalers(of_the_agent=("HorizontalPodAutoscaler web",))


def test_a_deployment_of_placeholders_belongs_to_its_owner_and_not_to_an_agent_of_its_name() -> None:
    owner = {"kind": "AgentDeployment", "name": "support", "uid": "u0", "controller": True}
    body = {**thing("support-headroom", ownerReferences=[owner]), "spec": {"replicas": 3}, "kind": "Deployment"}
    assert Cache().agent_of(DEPLOYMENTS, body) == SUPPORT
    assert Cache().agent_of(DEPLOYMENTS, thing("support")) == SUPPORT
