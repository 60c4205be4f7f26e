"""What the operator makes and keeps, as a real API server holds it."""

import asyncio
from typing import Any

from component.operator.audit import writes
from component.operator.conftest import running
from component.operator.namespace import Namespace, condition, settled

from devcluster.controlplane import ControlPlane

Agent = dict[str, Any]


async def test_all_children_exist_and_belong_to_the_agent(operator: str, namespace: Namespace, agent: Agent) -> None:
    created = await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    for plural in ("deployments", "services", "poddisruptionbudgets", "configmaps"):
        (child,) = [item for item in await namespace.list(plural) if item["metadata"]["name"] != "kube-root-ca.crt"]
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (created["metadata"]["uid"], True)


async def test_a_hand_that_scales_the_child_to_zero_is_corrected(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.merge("deployments", "support", {"spec": {"replicas": 0}}, "scale")
    await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 3, seconds=5)


async def test_scaling_the_agent_to_zero_keeps_the_minimum(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 0}}, "scale")
    await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 2)


async def test_a_field_taken_out_of_the_spec_is_taken_out_of_the_pod(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"]["env"] = [{"name": "A", "value": "1"}]
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.merge("agentdeployments", "support", {"spec": {"env": None}})

    def without_env(deployment: dict[str, Any]) -> bool:
        return "env" not in deployment["spec"]["template"]["spec"]["containers"][0]

    await namespace.eventually("deployments", "support", without_env)


async def test_fields_of_other_managers_are_left_alone(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.merge("deployments", "support", {"metadata": {"annotations": {"team": "a"}}})
    await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 4}})
    found = await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 4)
    assert found["metadata"]["annotations"]["team"] == "a"


async def test_a_service_of_somebody_else_is_not_touched_and_the_conflict_is_told(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    theirs = {"metadata": {"name": "support"}, "spec": {"ports": [{"port": 1}], "selector": {"app": "x"}}}
    before = await namespace.create_object("services", theirs)
    await namespace.create_object("agentdeployments", agent)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") == "NameConflict"
    )
    assert "Service support" in condition(found, "Ready")["message"]
    assert await namespace.get("services", "support") == before


async def test_a_child_that_the_api_server_refuses_is_told_in_its_words(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    agent["spec"]["service"] = {"annotations": {"example.com/too-long": "x" * 300_000}}
    await namespace.create_object("agentdeployments", agent)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("reason") == "ChildRefused"
    )
    assert "Service" in condition(found, "Ready")["message"]
    assert "Too long: may not be more than 262144 bytes" in condition(found, "Ready")["message"]


async def test_an_agent_that_is_made_again_does_not_trip_over_its_predecessors_children(
    operator: str, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await namespace.delete("agentdeployments", "support")
    again = await namespace.create_object("agentdeployments", agent)
    await asyncio.sleep(1)
    for plural in ("deployments", "services", "poddisruptionbudgets", "configmaps"):
        # Nobody collects garbage here: the test does.
        for item in await namespace.list(plural):
            await namespace.delete(plural, item["metadata"]["name"])
    for plural in ("deployments", "services", "poddisruptionbudgets"):
        found = await namespace.eventually(plural, "support", lambda _: True)
        assert found["metadata"]["ownerReferences"][0]["uid"] == again["metadata"]["uid"]
    latest = await namespace.get("agentdeployments", "support")
    assert condition(latest, "Ready")["reason"] != "NameConflict"


async def test_a_broken_agent_does_not_delay_another(operator: str, namespace: Namespace, agent: Agent) -> None:
    for number in range(8):
        broken = {**agent, "metadata": {"name": f"broken-{number}"}}
        broken["spec"] = {**agent["spec"], "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}
        await namespace.create_object("agentdeployments", broken)
    await namespace.create_object("agentdeployments", agent)
    await namespace.eventually("deployments", "support", lambda _: True, seconds=3)


async def test_an_operator_that_starts_over_writes_nothing_when_nothing_changed(
    operator: str, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    await namespace.create_object("agentdeployments", agent)
    await settled(namespace)
    await asyncio.sleep(1)
    before = writes(api_server, namespace.name)
    assert len(before) >= 5  # the creations are there, so that the comparison below can fail
    with running(api_server):
        await asyncio.sleep(2)
    assert writes(api_server, namespace.name) == before


async def test_a_value_that_the_api_server_rewrites_is_nobodys_change_after_a_restart_either(
    operator: str, api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    probe = {"httpGet": {"path": "/", "port": 1}, "timeoutSeconds": 0}
    agent["spec"]["podTemplate"] = {"spec": {"containers": [{"name": "agent", "livenessProbe": probe}]}}
    await namespace.create_object("agentdeployments", agent)
    before = await settled(namespace)
    (container,) = before["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["timeoutSeconds"] == 1
    await asyncio.sleep(1)
    before = await namespace.get("deployments", "support")
    with running(api_server):
        await asyncio.sleep(2)
    after = await namespace.get("deployments", "support")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert [event for event in await namespace.list("events") if event["reason"] == "Repaired"] == []
