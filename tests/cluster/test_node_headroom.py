"""Placeholder pods as the scheduler, the kubelet and Pod Security see them."""

from datetime import UTC, datetime, timedelta

from cluster.agents import Agent
from cluster.eventually import eventually
from cluster.kube import Kube, Object
from cluster.operator_release import OperatorRelease
from cluster.sandbox import IMAGE, Sandbox

from devcluster.settings import PAUSE_IMAGE

SHARE = 0.4
"""Of the CPU that nobody asked for: two such pods have a place, three have not."""


def test_a_place_is_kept_under_restricted_pod_security_and_goes_to_whoever_comes(
    sandbox: Sandbox, operator: OperatorRelease
) -> None:
    kube = sandbox.kube
    kube.kubectl("label", "namespace", sandbox.name, "pod-security.kubernetes.io/enforce=restricted")
    opens = datetime.now(UTC) + timedelta(minutes=4)
    window = {"name": "soon", "start": f"{opens.minute} {opens.hour} * * *", "duration": "1h", "replicas": 2}
    with operator.installed_with("nodeHeadroom.mode=Placeholder", f"nodeHeadroom.placeholderImage={PAUSE_IMAGE}"):
        requests = {"cpu": f"{int(SHARE * free_millicores(kube))}m", "memory": "64Mi"}
        bounds = {"mode": "Auto", "minReplicas": 1, "replicas": 1, "maxReplicas": 2}
        agent = sandbox.agent(**bounds, resources={"requests": requests}, scaling={"schedule": [window]})
        (place,) = eventually("one place is kept", lambda: placeholders(agent), lambda pods: len(pods) == 1)
        eventually("it runs", lambda: placeholders(agent), lambda pods: phases(pods) == ["Running"])
        assert place["spec"]["priority"] == -10
        sandbox.apply({"kind": "Pod", "metadata": {"name": "whoever"}, "spec": a_pod(requests)})
        kube.kubectl("wait", "pod/whoever", f"--namespace={sandbox.name}", "--for=condition=Ready", "--timeout=30s")
        eventually("there is no place any more", lambda: placeholders(agent), lambda pods: phases(pods) == ["Pending"])


def placeholders(agent: Agent) -> list[Object]:
    pods = agent.kube.list("pods", agent.namespace, "app.kubernetes.io/name=prewarm-headroom")
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def phases(pods: list[Object]) -> list[str]:
    return [pod["status"]["phase"] for pod in pods]


def a_pod(requests: Object) -> Object:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "x", "image": IMAGE, "command": ["sleep", "600"], "securityContext": security}
    return {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65535, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{**container, "resources": {"requests": requests}}],
    }


def free_millicores(kube: Kube) -> int:
    """CPU of the node that no pod has asked for."""
    (node,) = kube.http.get("/api/v1/nodes").raise_for_status().json()["items"]
    pods = kube.http.get("/api/v1/pods").raise_for_status().json()["items"]
    alive = [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]
    asked = [each.get("resources", {}).get("requests", {}) for pod in alive for each in pod["spec"]["containers"]]
    return millicores(node["status"]["allocatable"]["cpu"]) - sum(millicores(each.get("cpu", "0")) for each in asked)


def millicores(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else round(float(quantity) * 1000)
