"""A container's process killed without a word, as the out-of-memory killer does it."""

from cluster.agents import Agent
from cluster.eventually import eventually
from cluster.kube import Object
from cluster.sandbox import IMAGE, Sandbox
from cluster.traffic import ClientPod

# Only a process outside of a container's PID namespace can kill the first process in it.
PROGRAM = """
import contextlib, os, pathlib, signal, sys

def first_processes(container_id):
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended while we looked
            numbers = (folder / "status").read_text().partition("NSpid:")[2].splitlines()[0].split()
            if len(numbers) > 1 and numbers[-1] == "1" and container_id in (folder / "cgroup").read_text():
                yield int(folder.name)

(pid,) = first_processes(sys.argv[1])
os.kill(pid, signal.SIGKILL)
"""


# What kube-proxy may need to hear that a pod is not ready.
PROXY_SECONDS = 1.0


def test_a_killed_container_loses_what_it_had_in_flight_and_comes_back_through_the_gate(
    sandbox: Sandbox, client: ClientPod
) -> None:
    agent = sandbox.agent()
    agent.wait_until_settled()
    victim = agent.ready_pods()[0]
    with client.steady(agent) as traffic:
        _kill_container(sandbox, victim)
        # The kubelet tells of the restart and of the lost readiness in one write; the gate may be passed soon after.
        eventually("its end is seen", lambda: _restarts(agent, victim), lambda restarts: restarts == 1)
        out_of_service_seconds = traffic.report().elapsed_seconds + PROXY_SECONDS
        eventually("it is back in service", agent.ready_pods, lambda pods: len(pods) == 2)
        traffic.go_on(answers=60)
    assert _restarts(agent, victim) == 1
    failures = traffic.report().failures
    # Until Kubernetes sees the death, no one can keep users away: new connections are refused. Then the gate holds.
    assert [failure for failure in failures if failure["sent_seconds"] > out_of_service_seconds] == []
    # What was accepted and lost was under way at one and the same moment.
    lost = [failure for failure in failures if failure["outcome"].startswith("broken")]
    assert all(one["sent_seconds"] <= other["ended_seconds"] for one in lost for other in lost), lost


def _kill_container(sandbox: Sandbox, victim: Object) -> None:
    container_id = victim["status"]["containerStatuses"][0]["containerID"].rpartition("//")[2]
    killer = {
        "name": "killer",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", PROGRAM, container_id],
        "securityContext": {"runAsUser": 0, "privileged": True},
    }
    pod_spec = {
        "nodeName": victim["spec"]["nodeName"],
        "hostPID": True,
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [killer],
    }
    sandbox.apply({"kind": "Pod", "metadata": {"name": "killer"}, "spec": pod_spec})
    done = ("--for=jsonpath={.status.phase}=Succeeded", f"--namespace={sandbox.name}", "--timeout=60s")
    sandbox.kube.kubectl("wait", "pod/killer", *done)


def _restarts(agent: Agent, victim: Object) -> int:
    pod = agent.kube.get("pods", agent.namespace, victim["metadata"]["name"])
    assert pod is not None
    count: int = pod["status"]["containerStatuses"][0]["restartCount"]
    return count
