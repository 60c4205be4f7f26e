"""An AgentDeployment is deleted and made again, many times, while the operator sees nothing or only glimpses of it."""

import asyncio
from contextlib import nullcontext
from typing import Any

import pytest
from component.operator.controllers import pods_of, rolled_out
from component.operator.fault_proxy import FaultProxy
from component.operator.namespace import Namespace
from component.operator.replica import Replica

Agent = dict[str, Any]
Object = dict[str, Any]

RECREATIONS = 20
CHILDREN = ("deployments", "services", "poddisruptionbudgets", "configmaps")


@pytest.mark.parametrize("outage", ["silent", "refused"])
async def test_of_twenty_agents_of_one_name_that_came_and_went_unseen_the_last_one_alone_is_left(
    controllers: None, proxy: FaultProxy, proxied_operator: Replica, namespace: Namespace, agent: Agent, outage: str
) -> None:
    await rolled_out(namespace, agent)
    proxy.silence_watches()
    # Where the watches are refused, the operator lists again and again, and acts on what it happens to find.
    refused = outage == "refused"
    with proxy.answering(503, lambda request: request.is_watch) if refused else nullcontext():
        if refused:
            proxy.send_error(500)
        for number in range(1, RECREATIONS + 1):
            await namespace.delete("agentdeployments", "support")
            last = await namespace.create_object("agentdeployments", numbered(agent, number))
            await asyncio.sleep(0.2 if refused else 0)
    if not refused:
        proxy.send_error(410)
    uid = last["metadata"]["uid"]
    await namespace.eventually("deployments", "support", lambda found: owner(found) == uid, seconds=60)
    deployment = await rolled_out(namespace, agent)
    assert deployment["spec"]["replicas"] == RECREATIONS
    await eventually_nothing_of_others(namespace, uid, deployment)
    for plural in ("deployments", "services", "poddisruptionbudgets"):
        assert [owner(child) for child in await namespace.list(plural)] == [uid]
    assert len([child for child in await namespace.list("configmaps") if owner(child) == uid]) == 1


def numbered(agent: Agent, number: int) -> Agent:
    """Each looks different, in its pods and in their number."""
    spec = {**agent["spec"], "replicas": number, "maxReplicas": RECREATIONS, "minReplicas": 1}
    return {**agent, "spec": {**spec, "concurrencyLimit": 100 + number}}


async def eventually_nothing_of_others(namespace: Namespace, uid: str, deployment: Object) -> None:
    """Wait until the garbage collector has taken all that belongs to agents of before."""
    others: list[str] = []
    try:
        async with asyncio.timeout(30):
            while others := await belonging_to_others(namespace, uid, deployment):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"still there: {others}") from None


async def belonging_to_others(namespace: Namespace, uid: str, deployment: Object) -> list[str]:
    children = [(plural, child, uid) for plural in CHILDREN for child in await namespace.list(plural)]
    sets = await namespace.list("replicasets")
    children += [("replicasets", child, deployment["metadata"]["uid"]) for child in sets]
    current = next((each["metadata"]["uid"] for each in sets if owner(each) == deployment["metadata"]["uid"]), "")
    children += [("pods", pod, current) for pod in (await pods_of(namespace)).values()]
    return [
        f"{plural}/{child['metadata']['name']}"
        for plural, child, wanted in children
        if owner(child) not in (wanted, "")
    ]


def owner(child: Object) -> str:
    """The uid of its controller, "" if it has none."""
    return next((str(each["uid"]) for each in child["metadata"].get("ownerReferences", ()) if each["controller"]), "")
