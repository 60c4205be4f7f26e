"""Objects for tests, as the API server would hand them out."""

from typing import Any

from prewarm_operator.api import names
from prewarm_operator.render import children, config_map, template
from prewarm_operator.render.agent import Agent, parse
from prewarm_operator.render.children import Children
from prewarm_operator.world.autoscalers import Autoscalers
from prewarm_operator.world.cache import Key, generation_of
from prewarm_operator.world.pods import PodView
from prewarm_operator.world.snapshot import LiveChildren, Object, Snapshot
from prewarm_operator.world.verdicts import ApplyVerdict, PodVerdict

IMAGE = "example.com/agent:1"
NOW = 1767225600.0
"""2026-01-01T00:00:00Z, when live() objects were created."""
COMPONENT = {"provider": "autogen_agentchat.agents.AssistantAgent", "config": {"name": "support"}}


def agent_body(*, uid: str = "uid-1", status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """An AgentDeployment `team/support`; `spec` overrides and adds fields in camelCase."""
    body: dict[str, Any] = {
        "apiVersion": names.API_VERSION,
        "kind": names.AGENT_DEPLOYMENT.kind,
        "metadata": {
            "namespace": "team",
            "name": "support",
            "uid": uid,
            "generation": 3,
            "resourceVersion": "10",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {
            "agent": {"component": COMPONENT},
            "mode": "External",
            "replicas": 3,
            "minReplicas": 2,
            "maxReplicas": 5,
            **spec,
        },
    }
    if status is not None:
        body["status"] = status
    return body


def agent(**spec: Any) -> Agent:
    return parse(agent_body(**spec))


def rendered(of: Agent, replicas: int | None = 3, image: str = IMAGE) -> Children:
    """All children as this operator makes them."""
    config = config_map.render(of)
    return children.render(of, replicas, config, template.render(of, config, image))


def live(rendered: Object, **metadata: Any) -> dict[str, Any]:
    """What the API server holds after `rendered` was created and adopted."""
    uid = f"uid-of-{rendered['kind']}-{rendered['metadata']['name']}"
    common = {
        "uid": uid,
        "resourceVersion": "20",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": names.FIELD_MANAGER, "operation": "Apply"}],
    }
    return {**rendered, "metadata": {**rendered["metadata"], **common, **metadata}}


def pod(name: str = "support-1", revision: str = "", **fields: Any) -> PodView:
    defaults: dict[str, Any] = {"uid": f"uid-of-{name}", "ready": False, "terminating": False}
    defaults |= {"fault": None, "crash": None, "unschedulable": None, "lost_labels": {}}
    return PodView(name=name, revision=revision, **(defaults | fields))


def settled_children(of: Agent, replicas: int, status: dict[str, Any] | None = None) -> LiveChildren:
    """The live children of an agent at rest with `replicas` available pods, or with the Deployment status given."""
    wanted = rendered(of, replicas)
    deployment = live(wanted.deployment)
    deployment["status"] = status or {
        "observedGeneration": 1,
        "replicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
        "updatedReplicas": replicas,
    }
    return LiveChildren(
        deployment=deployment,
        service=live(wanted.service),
        disruption_budget=live(wanted.disruption_budget),
        config_maps=() if wanted.config_map is None else (live(wanted.config_map),),
        replica_sets=(),
        replica_sets_read_at=0.0,
    )


NO_CHILDREN = LiveChildren(None, None, None, (), (), 0.0)


def snapshot(
    of: Agent | None = None, live_children: LiveChildren = NO_CHILDREN, pods: tuple[PodView, ...] = (), **fields: Any
) -> Snapshot:
    """The API server takes the pods and rewrites nothing, unless `pod_verdict` and `apply_verdict` say otherwise."""
    of = of or agent()
    defaults: dict[str, Any] = {"autoscalers": Autoscalers(), "taken_at": NOW, "now": 1000.0, "start_times": None}
    defaults |= {"default_image": IMAGE}
    wanted = template.render(of, config_map.render(of), fields.get("default_image", IMAGE))
    defaults |= {"pod_verdict": PodVerdict(wanted.revision, None)}
    if live_children.deployment is not None:
        defaults |= {"apply_verdict": ApplyVerdict(generation_of(live_children.deployment), changes=True)}
    return Snapshot(Key(of.namespace, of.name), of, live_children, pods, **(defaults | fields))
