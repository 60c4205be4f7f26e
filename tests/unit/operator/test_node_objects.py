"""What keeps places on nodes free, from the decision to the writes."""

from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import agent, live, pod, settled_children, snapshot
from unit.operator.test_node_headroom import ahead

from prewarm_operator.decide import reasons
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.drift import first_difference
from prewarm_operator.decide.plan import Apply, Create, Plan, Rank
from prewarm_operator.kube.resources import DEPLOYMENTS
from prewarm_operator.render import container
from prewarm_operator.render.headroom import Placeholders
from prewarm_operator.signals.reading import Reading
from prewarm_operator.world.autoscalers import Autoscalers
from prewarm_operator.world.places import HeadroomMode, NodeHeadroom, Places, places
from prewarm_operator.world.scaling import History, Signals
from prewarm_operator.world.snapshot import Object

MADE_OF = Placeholders("example.com/pause:1", "prewarm-headroom")
BY_BUFFER = Places(True, HeadroomMode.CAPACITY_BUFFER, MADE_OF)
BY_PODS = Places(True, HeadroomMode.PLACEHOLDER, MADE_OF)
NOWHERE = Places(False, None, MADE_OF)
SIGNALS = Signals(Reading(10.0, 1000.0, "streams"), None, replace(ahead(10.0, 10.0, 40.0), at_seconds=1000.0))
PLACEMENT: dict[str, Any] = {
    "overhead": {"cpu": "100m"},
    "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}],
    "resources": {"requests": {"cpu": "4"}},
    "runtimeClassName": "gvisor",
    "schedulerName": "other",
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
}
"""What an overlay may say of where a pod goes."""
AUTO: dict[str, Any] = {"mode": "Auto", "minReplicas": 1, "concurrencyLimit": 10, "replicas": 1}


def planned(by: Places, *headroom: Object, of: dict[str, Any] | None = None, **fields: Any) -> Plan:
    """Of an agent at rest with one pod, of which four are expected."""
    found = agent(**(AUTO | (of or {})))
    children = replace(settled_children(found, 1), headroom=headroom)
    defaults: dict[str, Any] = {"signals": SIGNALS, "history": History(1, recommended=((0.0, 1),))}
    return decide(snapshot(found, children, places=by, **(defaults | fields)))


def created(plan: Plan) -> dict[str, Any]:
    return {write.resource.kind: write.body for write in plan.writes if isinstance(write, Create)}


def test_a_buffer_is_of_pods_like_the_agents_own() -> None:
    settings = {
        "nodeSelector": {"pool": "agents"},
        "resources": {"requests": {"cpu": "2"}},
        "priorityClassName": "high",
    }
    bodies = created(planned(BY_BUFFER, of=settings))
    assert bodies.keys() == {"PodTemplate", "CapacityBuffer"}
    buffer, template = bodies["CapacityBuffer"], bodies["PodTemplate"]
    assert buffer["apiVersion"] == "autoscaling.x-k8s.io/v1beta1"
    assert buffer["spec"] == {"replicas": 3, "podTemplateRef": {"name": template["metadata"]["name"]}}
    of = settled_children(agent(**(AUTO | settings)), 1).deployment
    assert of is not None
    assert template["template"] == of["spec"]["template"]
    assert buffer["metadata"]["ownerReferences"] == of["metadata"]["ownerReferences"]


def test_placeholders_ask_for_the_same_place_and_give_way() -> None:
    settings = {
        "nodeSelector": {"pool": "agents"},
        "tolerations": [{"key": "agents", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "resources": {"requests": {"cpu": "2"}},
        "podTemplate": {
            "spec": {
                **PLACEMENT,
                "initContainers": [
                    {"name": "once", "image": "x", "resources": {"requests": {"cpu": "9"}}},
                    {"name": "proxy", "image": "x", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
                ],
            }
        },
    }
    bodies = created(planned(BY_PODS, of=settings))
    assert bodies.keys() == {"Deployment"}
    spec = bodies["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (3, {"type": "Recreate"})
    placed = spec["template"]["spec"]
    assert placed["nodeSelector"] == {"pool": "agents"}
    assert placed["tolerations"] == settings["tolerations"]
    assert PLACEMENT.items() <= placed.items()
    assert [each["resources"]["requests"]["cpu"] for each in placed["containers"]] == ["2", "1"]
    assert {each["image"] for each in placed["containers"]} == {MADE_OF.image}
    assert placed["priorityClassName"] == MADE_OF.priority_class
    assert placed["terminationGracePeriodSeconds"] == 0
    annotations = spec["template"]["metadata"]["annotations"]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}


def test_a_placeholder_is_never_behind_the_agents_service_nor_taken_for_its_pod() -> None:
    labels = created(planned(BY_PODS))["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert not [key for key in labels if key.startswith("prewarm.dev/")]


def test_a_placeholder_runs_where_pod_security_is_restricted() -> None:
    placed = created(planned(BY_PODS))["Deployment"]["spec"]["template"]["spec"]
    assert placed["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    secured = placed["containers"][0]["securityContext"]
    assert container.RESTRICTED.items() <= secured.items()
    assert secured["readOnlyRootFilesystem"] is True
    assert placed["automountServiceAccountToken"] is False


@pytest.mark.parametrize("by", [BY_BUFFER, BY_PODS], ids=["buffer", "placeholders"])
def test_what_was_written_is_left_alone_and_follows_the_number(by: Places) -> None:
    bodies = created(planned(by))
    kept = tuple(live(body) for body in bodies.values())
    assert planned(by, *kept).writes == ()
    more = replace(SIGNALS, forecast=replace(ahead(10.0, 10.0, 50.0), at_seconds=1000.0))
    (write,) = planned(by, *kept, signals=more).writes
    assert isinstance(write, Apply)
    assert write.body["spec"]["replicas"] == 4
    assert first_difference(write.body, {**bodies[write.resource.kind]}, "") is not None


def test_placeholders_that_a_hand_has_changed_are_put_back_at_once() -> None:
    """Only of the agent's own Deployment it is asked first what an apply would change."""
    (body,) = created(planned(BY_PODS)).values()
    edited = live({**body, "spec": {**body["spec"], "replicas": 50}})
    (write,) = planned(BY_PODS, edited).writes
    assert isinstance(write, Apply)
    assert (write.because, write.by_hand) == ("spec.replicas", True)


@pytest.mark.parametrize("mode", ["Observe", "External"])
def test_where_somebody_else_sets_the_number_nothing_is_made(mode: str) -> None:
    plan = planned(BY_PODS, of={"mode": mode})
    assert (created(plan), plan.scale.nodes) == ({}, None)


def test_an_autoscaler_on_the_child_sets_the_number_so_nothing_is_made() -> None:
    plan = planned(BY_PODS, autoscalers=Autoscalers(("HorizontalPodAutoscaler support",)))
    assert (created(plan), plan.scale.nodes) == ({}, None)


def test_nothing_is_made_before_a_place_is_needed() -> None:
    quiet = replace(SIGNALS, forecast=replace(ahead(10.0), at_seconds=1000.0))
    plan = planned(BY_BUFFER, signals=quiet)
    assert created(plan) == {}
    assert plan.scale.nodes is not None
    assert plan.scale.nodes.replicas == 0


def test_somebody_elses_object_of_that_name_is_no_problem_before_a_place_is_needed() -> None:
    (body,) = created(planned(BY_PODS)).values()
    foreign = live({**body, "metadata": {**body["metadata"], "ownerReferences": []}})
    quiet = replace(SIGNALS, forecast=replace(ahead(10.0), at_seconds=1000.0))
    plan = planned(BY_PODS, foreign, signals=quiet)
    assert (plan.writes, plan.problems) == ((), ())
    (problem,) = planned(BY_PODS, foreign).problems
    assert problem.reason == reasons.NAME_CONFLICT


def test_turned_off_the_placeholders_go_to_none() -> None:
    (kept,) = created(planned(BY_PODS)).values()
    (write,) = planned(NOWHERE, live(kept)).writes
    assert isinstance(write, Apply)
    assert (write.resource, write.body["spec"]["replicas"]) == (DEPLOYMENTS, 0)


def test_where_a_buffer_takes_over_the_placeholders_go_so_that_no_place_is_paid_twice() -> None:
    (kept,) = created(planned(BY_PODS)).values()
    writes = planned(BY_BUFFER, live(kept)).writes
    (write,) = [each for each in writes if isinstance(each, Apply)]
    assert (write.resource, write.body["spec"]["replicas"]) == (DEPLOYMENTS, 0)
    assert [each.resource.kind for each in writes if isinstance(each, Create)] == ["PodTemplate", "CapacityBuffer"]


def test_a_cluster_without_the_kind_is_named_and_nothing_is_made() -> None:
    plan = planned(Places(True, None, MADE_OF))
    assert created(plan) == {}
    assert plan.scale.nodes is not None
    assert plan.scale.nodes.reason == reasons.NO_CAPACITY_BUFFER
    assert "autoscaling.x-k8s.io/v1beta1" in plan.scale.nodes.message


@pytest.mark.parametrize(
    ("mode", "served", "by"),
    [
        ("Disabled", True, None),
        ("Auto", True, "CapacityBuffer"),
        ("Auto", False, "Placeholder"),
        ("CapacityBuffer", True, "CapacityBuffer"),
        ("CapacityBuffer", False, None),
        ("Placeholder", True, "Placeholder"),
    ],
)
def test_by_what_places_are_kept(mode: str, served: bool, by: str | None) -> None:
    assert places(NodeHeadroom(HeadroomMode(mode), MADE_OF), served) == Places(mode != "Disabled", by, MADE_OF)


BUSY = {"uid-of-support-1": 0, "uid-of-support-2": 4, "uid-of-support-3": 0}


def scaled_down(to: int, of: int = 3, **fields: Any) -> Plan:
    found = agent(mode="Observe", minReplicas=1, replicas=to)
    pods = tuple(pod(f"support-{number}", ready=True) for number in (1, 2, 3))
    return decide(snapshot(found, settled_children(found, of), pods, **({"in_flight": BUSY} | fields)))


def ranked(plan: Plan) -> dict[str, int]:
    return {write.name: write.cost for write in plan.writes if isinstance(write, Rank)}


def test_the_one_busy_pod_is_told_from_the_idle_ones_before_the_number_falls() -> None:
    plan = scaled_down(1)
    assert ranked(plan) == {"support-2": 4}
    assert [type(write) for write in plan.writes] == [Rank, Apply]


def test_a_number_that_stays_or_rises_writes_no_pod() -> None:
    assert ranked(scaled_down(3)) == ranked(scaled_down(5)) == {}


def test_another_change_of_the_deployment_writes_no_pod() -> None:
    found = agent(mode="Observe", minReplicas=1, replicas=3)
    children = settled_children(found, 3)
    assert children.deployment is not None
    bare = {**children.deployment, "metadata": {**children.deployment["metadata"], "labels": {}}}
    pods = (pod("support-2", ready=True),)
    (write,) = decide(snapshot(found, replace(children, deployment=bare), pods, in_flight=BUSY)).writes
    assert isinstance(write, Apply)


def test_placeholders_that_go_say_nothing_of_the_agents_pods() -> None:
    (kept,) = created(planned(BY_PODS)).values()
    found = agent(mode="Observe", minReplicas=1, replicas=3)
    children = replace(settled_children(found, 3), headroom=(live(kept),))
    plan = decide(snapshot(found, children, (pod("support-2", ready=True),), in_flight=BUSY, places=NOWHERE))
    assert [type(write) for write in plan.writes] == [Apply]


def test_a_pod_that_goes_already_is_not_written() -> None:
    pods = (pod("support-1", ready=True), pod("support-2", terminating=True))
    found = agent(mode="Observe", minReplicas=1, replicas=1)
    assert ranked(decide(snapshot(found, settled_children(found, 3), pods, in_flight=BUSY))) == {}


def test_a_pod_that_was_busy_at_the_last_scale_down_and_is_no_more_loses_its_cost() -> None:
    pods = (pod("support-1", ready=True, deletion_cost=7), pod("support-2", ready=True, deletion_cost=4))
    found = agent(mode="Observe", minReplicas=1, replicas=1)
    plan = decide(snapshot(found, settled_children(found, 3), pods, in_flight=BUSY))
    assert ranked(plan) == {"support-1": 0}


def test_of_a_silent_pod_nothing_is_known_and_nothing_is_written() -> None:
    assert ranked(scaled_down(1, in_flight={})) == {}


def test_a_load_beyond_an_int32_is_a_cost_that_the_api_server_takes() -> None:
    assert ranked(scaled_down(1, in_flight={"uid-of-support-2": 2**40})) == {"support-2": 2**31 - 1}
