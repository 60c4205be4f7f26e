"""From pods to conditions. The test plays kubelet: it makes pods and patches their status."""

import asyncio
from typing import Any

from component.operator.namespace import Namespace, condition

Agent = dict[str, Any]


async def revision(namespace: Namespace) -> str:
    found = await namespace.eventually(
        "agentdeployments", "support", lambda agent: "revision" in agent.get("status", {})
    )
    return str(found["status"]["revision"])


async def make_pod(namespace: Namespace, name: str, of_revision: str) -> None:
    accounts = await namespace.list("serviceaccounts")
    if not accounts:
        await namespace.create_object("serviceaccounts", {"metadata": {"name": "default"}})
    labels = {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own", "prewarm.dev/revision": of_revision}
    body = {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [{"name": "agent", "image": "x"}]}}
    await namespace.create_object("pods", body)


async def set_status(namespace: Namespace, name: str, *, ready: bool, **container: Any) -> None:
    status = {"name": "agent", "image": "x", "imageID": "", "ready": ready, "restartCount": 0, **container}
    conditions = [{"type": "Ready", "status": str(ready)}]
    patch = {"status": {"conditions": conditions, "containerStatuses": [status]}}
    await namespace.merge("pods", name, patch, "status")


async def test_created_to_ready_is_measured(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    await make_pod(namespace, "support-1", await revision(namespace))
    await asyncio.sleep(1.2)
    await set_status(namespace, "support-1", ready=True, state={"running": {}})
    found = await namespace.eventually("agentdeployments", "support", lambda found: "startup" in found["status"])
    assert found["status"]["startup"]["samples"] == 1
    assert 1.2 <= found["status"]["startup"]["createdToReadyP90Seconds"] < 2.5


async def test_a_permanent_error_is_told_with_what_and_where(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    await make_pod(namespace, "support-1", await revision(namespace))
    report = '{"reason": "UnknownKey", "message": "agent.component.config.temperatur is no key", "path": "x"}'
    ended = {"terminated": {"exitCode": 78, "message": report}}
    await set_status(namespace, "support-1", ready=False, state=ended)
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "AgentValid").get("status") == "False"
    )
    assert condition(found, "AgentValid")["reason"] == "UnknownKey"
    assert "agent.component.config.temperatur" in condition(found, "AgentValid")["message"]
    events = await namespace.events_of("UnknownKey")
    assert [event["type"] for event in events] == ["Warning"]


async def test_warm_pods_make_the_agent_valid_and_ready(operator: str, namespace: Namespace, agent: Agent) -> None:
    await namespace.create_object("agentdeployments", agent)
    label = await revision(namespace)
    for number in range(2):
        await make_pod(namespace, f"support-{number}", label)
        await set_status(namespace, f"support-{number}", ready=True, state={"running": {}})
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("status") == "True"
    )
    assert condition(found, "AgentValid")["status"] == "True"
    assert condition(found, "Warm")["message"].startswith("2 of 3")


async def test_a_deleted_pod_counts_no_more(operator: str, namespace: Namespace, agent: Agent) -> None:
    agent["spec"] |= {"replicas": 1, "minReplicas": 1}
    await namespace.create_object("agentdeployments", agent)
    await make_pod(namespace, "support-1", await revision(namespace))
    await set_status(namespace, "support-1", ready=True, state={"running": {}})
    await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("status") == "True"
    )
    await namespace.delete("pods", "support-1")
    await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "Ready").get("status") == "False"
    )
