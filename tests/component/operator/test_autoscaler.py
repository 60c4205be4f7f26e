"""An autoscaler on the child Deployment. The test plays it: it writes /scale under a field manager of its own."""

import asyncio
import re
from pathlib import Path
from typing import Any

import yaml
from component.operator.namespace import Namespace, condition, settled

Agent = dict[str, Any]
Object = dict[str, Any]


GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "ownership.md"


def autoscaler(**metadata: Any) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "support"}
    return {"metadata": {"name": "web", **metadata}, "spec": {"scaleTargetRef": target, "maxReplicas": 20}}


async def scale(namespace: Namespace, replicas: int) -> None:
    """What kube-controller-manager and keda-operator do."""
    await namespace.merge("deployments", "support", {"spec": {"replicas": replicas}}, "scale")


async def noticed(namespace: Namespace) -> Object:
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "ScalingActive").get("status") == "False"
    )
    return condition(found, "ScalingActive")


async def replicas_during(namespace: Namespace, seconds: float) -> set[int]:
    """Every number of replicas that was seen."""
    seen = set()
    for _ in range(int(seconds / 0.05)):
        seen.add((await namespace.get("deployments", "support"))["spec"]["replicas"])
        await asyncio.sleep(0.05)
    return seen


def owns_replicas(deployment: Object) -> list[str]:
    entries = deployment["metadata"]["managedFields"]
    return [entry["manager"] for entry in entries if "f:replicas" in entry["fieldsV1"].get("f:spec", {})]


async def test_an_autoscaler_on_the_child_is_named_and_gets_its_way(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.create_object("horizontalpodautoscalers", autoscaler())
    told = await noticed(namespace)
    assert (told["reason"], told["message"].partition(":")[0]) == (
        "AutoscalerOnChild",
        "HorizontalPodAutoscaler web scales the child Deployment",
    )
    assert await replicas_during(namespace, 1) == {3}
    await scale(namespace, 7)
    assert await replicas_during(namespace, 2) == {7}
    assert owns_replicas(await namespace.get("deployments", "support")) == ["somebody"]
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: found["status"]["desiredReplicas"] == 7
    )
    assert found["status"]["scaling"]["reason"] == "AutoscalerOnChild"
    warnings = await namespace.events_of("AutoscalerOnChild")
    assert [event["type"] for event in warnings] == ["Warning"]


async def test_a_new_revision_rolls_without_a_dip_to_one(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.create_object("horizontalpodautoscalers", autoscaler())
    await noticed(namespace)
    await scale(namespace, 7)
    watching = asyncio.create_task(replicas_during(namespace, 2))
    await namespace.merge("agentdeployments", "support", {"spec": {"concurrencyLimit": 7}})
    old = (await namespace.get("deployments", "support"))["spec"]["template"]
    await namespace.eventually("deployments", "support", lambda found: found["spec"]["template"] != old)
    assert await watching == {7}


async def test_an_autoscaler_that_has_not_written_yet_leaves_the_number_as_it_is(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.create_object("horizontalpodautoscalers", autoscaler())
    await noticed(namespace)
    await namespace.merge("agentdeployments", "support", {"spec": {"concurrencyLimit": 7, "replicas": 5}})
    await namespace.eventually("agentdeployments", "support", lambda found: found["status"]["observedGeneration"] == 2)
    found = await namespace.get("deployments", "support")
    assert found["spec"]["replicas"] == 3
    assert owns_replicas(found) == ["prewarm"]


async def test_two_minimums_are_not_fought_over(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.create_object("horizontalpodautoscalers", autoscaler())
    await noticed(namespace)
    for _ in range(5):
        await scale(namespace, 1)
        await asyncio.sleep(0.2)
    assert await replicas_during(namespace, 1) == {1}
    found = await namespace.eventually(
        "agentdeployments",
        "support",
        lambda found: "raise its own minimum" in condition(found, "ScalingActive")["message"],
    )
    assert condition(found, "Ready")["reason"] == "BelowMinimum"


async def test_the_number_does_not_jump_when_the_autoscaler_goes(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.create_object("horizontalpodautoscalers", autoscaler())
    await noticed(namespace)
    await scale(namespace, 7)
    await namespace.eventually("agentdeployments", "support", lambda found: found["status"]["desiredReplicas"] == 7)
    await namespace.delete("horizontalpodautoscalers", "web")
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "ScalingActive")["status"] == "True"
    )
    assert found["status"]["scaling"]["reason"] == "HeldAfterAutoscaler"
    assert await replicas_during(namespace, 1) == {7}


async def test_a_scaled_object_is_called_by_its_own_name(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    owner = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "burst", "uid": "1-2-3"}
    await namespace.create_object("horizontalpodautoscalers", autoscaler(ownerReferences=[owner]))
    assert (await noticed(namespace))["message"].startswith("ScaledObject burst scales the child Deployment")


async def test_an_autoscaler_on_an_agent_in_mode_auto_is_named_and_not_followed(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"]["mode"] = "Auto"
    await namespace.create_object("agentdeployments", agent)
    target = {"apiVersion": "prewarm.dev/v1alpha1", "kind": "AgentDeployment", "name": "support"}
    hpa = autoscaler() | {"spec": {"scaleTargetRef": target, "maxReplicas": 20}}
    await namespace.create_object("horizontalpodautoscalers", hpa)
    found = await namespace.eventually(
        "agentdeployments",
        "support",
        lambda found: condition(found, "ScalingActive").get("reason") == "AutoscalerNotRead",
    )
    assert condition(found, "ScalingActive")["message"] == (
        "HorizontalPodAutoscaler web sets spec.replicas, which mode Auto does not read: delete it, or set spec.mode to "
        "External"
    )
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 6}}, "scale")
    assert await replicas_during(namespace, 1) == {2}


async def test_an_autoscaler_on_the_agent_itself_is_right_and_not_reported(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    (manifest,) = re.findall(r"```yaml\n(apiVersion: autoscaling/v2\n.*?)```", GUIDE.read_text(), re.DOTALL)
    await namespace.create_object("horizontalpodautoscalers", yaml.safe_load(manifest))
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 6}}, "scale")
    await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 6)
    found = await namespace.get("agentdeployments", "support")
    assert condition(found, "ScalingActive")["reason"] == "PrewarmScales"
