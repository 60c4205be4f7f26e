"""An operator is replaced by a newer one: another default image, another renderer. Who is rolled, and when."""

import asyncio
from typing import Any

from component.operator import audit
from component.operator.conftest import running
from component.operator.namespace import Namespace, condition, settled

from devcluster.controlplane import ControlPlane
from prewarm_operator.render.template import RENDERER_VERSION

Agent = dict[str, Any]
Object = dict[str, Any]

NEWER_RENDERER = """
from prewarm_operator.render import config_map, pod, template
template.RENDERER_VERSION = "newer"
pod.GRACE_SECONDS = 77
agent_spec = config_map.agent_spec
config_map.agent_spec = lambda agent: {**agent_spec(agent), "format": 2}
from prewarm_operator.cli import main
raise SystemExit(main())
"""
"""An operator whose pod template and whose agent spec look different for the same AgentDeployment."""


def newer(api_server: ControlPlane) -> Any:
    return running(api_server, agent_image="example.com/agent:2", program=("-c", NEWER_RENDERER))


def writes(api_server: ControlPlane, namespace: Namespace) -> list[str]:
    return [f"{write.verb} {write.path}" for write in audit.writes(api_server, namespace.name)]


def about_children(calls: list[str]) -> list[str]:
    return [call for call in calls if "/agentdeployments/" not in call and not call.endswith("/events")]


def pods_run(deployment: Object) -> tuple[str, int]:
    spec = deployment["spec"]["template"]["spec"]
    return spec["containers"][0]["image"], spec["terminationGracePeriodSeconds"]


async def up_to_date(namespace: Namespace, status: str) -> Object:
    found = await namespace.eventually(
        "agentdeployments", "support", lambda found: condition(found, "UpToDate").get("status") == status
    )
    return condition(found, "UpToDate")


async def test_an_upgrade_rolls_nobody_until_the_user_asks_for_it(
    api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    with running(api_server):
        await namespace.create_object("agentdeployments", agent)
        await settled(namespace)
        await up_to_date(namespace, "True")
    before, made = await namespace.get("deployments", "support"), writes(api_server, namespace)
    configs = {each["metadata"]["name"] for each in await namespace.list("configmaps")}
    with newer(api_server):
        told = await up_to_date(namespace, "False")
        await asyncio.sleep(1)
        assert about_children(writes(api_server, namespace)[len(made) :]) == []
        assert await namespace.get("deployments", "support") == before
        assert told["reason"] == "UpdateAvailable"
        assert "image example.com/agent:1 becomes example.com/agent:2" in told["message"]
        assert f"renderer {RENDERER_VERSION} becomes that of renderer newer" in told["message"]
        annotations = {"metadata": {"annotations": {"prewarm.dev/upgrade": "v0.2.0"}}}
        await namespace.merge("agentdeployments", "support", annotations)
        await namespace.eventually(
            "deployments", "support", lambda found: pods_run(found) == ("example.com/agent:2", 142)
        )
        await up_to_date(namespace, "True")
        assert configs < {each["metadata"]["name"] for each in await namespace.list("configmaps")}


async def test_after_an_upgrade_hands_are_still_undone_and_numbers_still_followed(
    api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    with running(api_server):
        await namespace.create_object("agentdeployments", agent)
        before = await settled(namespace)
    with newer(api_server):
        image = {"name": "agent", "image": "example.com/evil:1"}
        patch = {"spec": {"template": {"spec": {"containers": [image]}}}}
        await strategic_merge(namespace, patch)
        await namespace.eventually(
            "deployments", "support", lambda found: pods_run(found) == pods_run(before), seconds=5
        )
        await namespace.merge("agentdeployments", "support", {"spec": {"replicas": 5, "minReplicas": 3}})
        found = await namespace.eventually("deployments", "support", lambda found: found["spec"]["replicas"] == 5)
        assert pods_run(found) == pods_run(before)
        budget = await namespace.eventually(
            "poddisruptionbudgets", "support", lambda found: found["spec"]["minAvailable"] == 2
        )
        assert budget["metadata"]["labels"] == before["metadata"]["labels"]


async def strategic_merge(namespace: Namespace, patch: Object) -> None:
    response = await namespace.http.patch(
        namespace.url("deployments", "support"),
        json=patch,
        headers={"Content-Type": "application/strategic-merge-patch+json"},
    )
    response.raise_for_status()


async def test_a_spec_that_changes_after_an_upgrade_gets_the_newer_pods(
    api_server: ControlPlane, namespace: Namespace, agent: Agent
) -> None:
    with running(api_server):
        await namespace.create_object("agentdeployments", agent)
        await settled(namespace)
    with newer(api_server):
        await namespace.merge("agentdeployments", "support", {"spec": {"concurrencyLimit": 7}})
        await namespace.eventually(
            "deployments", "support", lambda found: pods_run(found) == ("example.com/agent:2", 142)
        )


async def test_a_downgrade_rolls_nobody_either(api_server: ControlPlane, namespace: Namespace, agent: Agent) -> None:
    with newer(api_server):
        await namespace.create_object("agentdeployments", agent)
        await settled(namespace)
        await up_to_date(namespace, "True")
    before, made = await namespace.get("deployments", "support"), writes(api_server, namespace)
    with running(api_server):
        await up_to_date(namespace, "False")
        await asyncio.sleep(1)
        assert about_children(writes(api_server, namespace)[len(made) :]) == []
        assert await namespace.get("deployments", "support") == before
