"""An AgentDeployment under test, what it says of itself and what its pods say."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from cluster.eventually import eventually
from cluster.kube import Kube, Object
from prometheus_client.parser import text_string_to_metric_families

PROBE_PORT = 8081
REVISION = "prewarm.dev/revision"


def model_client(host: str = "model-server") -> Object:
    """A client of the model API at that host name."""
    return {
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "component_type": "model",
        "version": 1,
        "component_version": 1,
        "config": {"model": "gpt-4o-mini", "base_url": f"http://{host}/v1"},
    }


COMPONENT: Object = {
    "provider": "autogen_agentchat.agents.AssistantAgent",
    "component_type": "agent",
    "version": 1,
    "component_version": 2,
    "config": {
        "name": "support",
        "description": "Answers questions of customers.",
        "system_message": "You are a friendly support agent.",
        "reflect_on_tool_use": False,
        "tool_call_summary_format": "{result}",
        "model_client": model_client(),
    },
}
API_KEY: Object = {"name": "OPENAI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "model-api", "key": "api-key"}}}


def component(**config: Any) -> Object:
    """An assistant with parts of its config changed; None removes a key."""
    changed = deepcopy(COMPONENT)
    changed["config"].update(config)
    changed["config"] = {key: value for key, value in changed["config"].items() if value is not None}
    return changed


def spec(**fields: Any) -> Object:
    """A good spec of two small pods, with fields changed."""
    return {
        "mode": "External",
        "minReplicas": 2,
        "replicas": 2,
        "agent": {"component": component()},
        "env": [API_KEY],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        **fields,
    }


@dataclass(frozen=True)
class Agent:
    """One AgentDeployment. Waits fail with the status that it last had."""

    kube: Kube
    namespace: str
    name: str

    def read(self) -> Object:
        found = self.kube.get("agentdeployments", self.namespace, self.name)
        assert found is not None, f"AgentDeployment {self.namespace}/{self.name} is gone"
        return found

    def patch(self, **fields: Any) -> None:
        """Change fields of the spec by JSON merge patch."""
        self.kube.merge("agentdeployments", self.namespace, self.name, {"spec": fields})

    def say(self, system_message: str) -> None:
        """A rolling change."""
        self.patch(agent={"component": {"config": {"system_message": system_message}}})

    def scale(self, replicas: int) -> None:
        """As a person does it."""
        where = (f"agentdeployment/{self.name}", f"--namespace={self.namespace}")
        self.kube.kubectl("scale", *where, f"--replicas={replicas}")

    def delete(self) -> None:
        self.kube.delete("agentdeployments", self.namespace, self.name)

    def deployment(self) -> Object:
        """Its child, which must be there."""
        found = self.kube.get("deployments", self.namespace, self.name)
        assert found is not None, f"Deployment {self.namespace}/{self.name} is gone"
        return found

    def wait_until(self, type_: str, status: str, *, reason: str | None = None, seconds: float = 60) -> Object:
        """The condition, as soon as the operator has seen the spec as it is now and finds it so."""
        agent = eventually(
            f"{self.name}: condition {type_}={status} for {reason or 'any reason'}",
            self.read,
            lambda seen: _is_current(seen) and _matches(condition(seen, type_), status, reason),
            seconds=seconds,
        )
        return condition(agent, type_)

    def wait_until_settled(self, *, seconds: float = 120) -> Object:
        """The AgentDeployment, once it says so and it is so: the wanted pods are warm, and none of another revision."""

        def look() -> tuple[Object, list[Object], list[Object]]:
            return self.read(), self.pods(), self.ready_pods()

        return eventually(f"{self.name}: settled", look, lambda seen: _is_settled(*seen), seconds=seconds)[0]

    def pods(self) -> list[Object]:
        """Its pods that are not being deleted."""
        pods = self.kube.list("pods", self.namespace, f"prewarm.dev/agent={self.name}")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self) -> list[Object]:
        return [pod for pod in self.pods() if condition(pod, "Ready").get("status") == "True"]

    def delete_a_pod(self) -> str:
        """As a person does it, without waiting for its end."""
        name: str = self.ready_pods()[0]["metadata"]["name"]
        self.kube.kubectl("delete", "pod", name, f"--namespace={self.namespace}", "--wait=false")
        return name

    def warmupz(self, pod: Object) -> tuple[int, Object]:
        response = self.kube.ask_pod(self.namespace, pod["metadata"]["name"], PROBE_PORT, "/warmupz")
        return response.status_code, response.json()

    def metrics(self, pod: Object) -> dict[str, float]:
        """The samples of a pod's metrics by name, summed over all labels."""
        response = self.kube.ask_pod(self.namespace, pod["metadata"]["name"], PROBE_PORT, "/metrics")
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(response.raise_for_status().text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0) + sample.value
        return sums


def condition(body: Mapping[str, Any], type_: str) -> Object:
    """One condition of any object, {} where it is not there."""
    found = [entry for entry in body.get("status", {}).get("conditions", ()) if entry["type"] == type_]
    return found[0] if found else {}


def revision(pod: Object) -> str:
    label: str = pod["metadata"]["labels"][REVISION]
    return label


def _is_current(agent: Object) -> bool:
    return bool(agent.get("status", {}).get("observedGeneration") == agent["metadata"]["generation"])


def _matches(found: Object, status: str, reason: str | None) -> bool:
    return found.get("status") == status and reason in (None, found["reason"])


def _is_settled(agent: Object, pods: list[Object], ready: list[Object]) -> bool:
    status = agent.get("status", {})
    return (
        _is_current(agent)
        and _matches(condition(agent, "Ready"), "True", None)
        and _matches(condition(agent, "Progressing"), "False", "Settled")
        and len(pods) == len(ready) == status["desiredReplicas"]
        and {revision(pod) for pod in pods} == {status["revision"]}
    )
