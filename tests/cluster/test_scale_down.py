"""Which pods go when their number falls (knative/serving #3759: the one busy pod was picked)."""

from concurrent.futures import ThreadPoolExecutor

from cluster.agents import PROBE_PORT, component, model_client
from cluster.eventually import eventually
from cluster.kube import Object, path
from cluster.sandbox import Sandbox, start_program

RUN_SECONDS = 30
SLOW_MODEL = f"""
import uvicorn
from prewarm_demo.model_server import build_app

uvicorn.run(build_app(latency_seconds={RUN_SECONDS}), host="0.0.0.0", port=8000, access_log=False)
"""
QUESTION = {"model": "support", "messages": [{"role": "user", "content": "take your time"}]}


def test_of_ten_pods_the_one_with_a_long_run_survives_a_scale_down_to_one(sandbox: Sandbox) -> None:
    start_program(sandbox, "slow-model", SLOW_MODEL)
    slow = {"component": component(model_client=model_client("slow-model"))}
    number = {"mode": "Observe", "replicas": 10, "minReplicas": 1, "maxReplicas": 10}
    agent = sandbox.agent(agent=slow, warmup={"mode": "offline"}, **number)
    agent.wait_until_settled(seconds=180)
    agent.wait_until("ScalingActive", "True", reason="PrewarmScales")
    # Of pods alike, a ReplicaSet deletes the youngest first.
    busy = max(agent.ready_pods(), key=lambda pod: pod["metadata"]["creationTimestamp"])["metadata"]["name"]

    def load() -> Object:
        found: Object = sandbox.kube.ask_pod(sandbox.name, busy, PROBE_PORT, "/load").json()
        return found

    with ThreadPoolExecutor() as threads:
        url = f"{path('pods', sandbox.name, f'{busy}:8080')}/proxy/v1/chat/completions"
        answer = threads.submit(sandbox.kube.http.post, url, json=QUESTION, timeout=3 * RUN_SECONDS)
        eventually("the run has begun", load, lambda seen: seen["in_flight"] == 1)
        agent.scale(1)
        left = eventually("one pod is left", agent.pods, lambda pods: len(pods) == 1)
        assert [pod["metadata"]["name"] for pod in left] == [busy]
        assert answer.result().status_code == 200
