"""An image that knows nothing of Prewarm but a path that says when it is warm."""

from cluster.sandbox import IMAGE, Sandbox
from cluster.traffic import ClientPod

# Answers everything with 503 for its first three seconds, as a server does that loads something large.
PROGRAM = """
import time
import uvicorn
from prewarm_demo.model_server import build_app
from starlette.responses import PlainTextResponse

app, warm_at = build_app(latency_seconds=0), time.monotonic() + 3

async def slow_start(scope, receive, send):
    if time.monotonic() < warm_at:
        await PlainTextResponse("loading", status_code=503)(scope, receive, send)
    elif scope["path"] == "/warm":
        await PlainTextResponse("warm")(scope, receive, send)
    else:
        await app(scope, receive, send)

uvicorn.run(slow_start, host="0.0.0.0", port=7000, lifespan="off", access_log=False, timeout_keep_alive=90)
"""


def test_a_foreign_image_gets_no_request_before_its_own_path_says_it_is_warm(
    sandbox: Sandbox, client: ClientPod
) -> None:
    container = {"image": IMAGE, "command": ["python", "-c"], "args": [PROGRAM], "port": 7000, "warmupPath": "/warm"}
    agent = sandbox.agent("foreign", agent={"container": container}, env=[])
    status = agent.wait_until_settled()["status"]
    assert status["startup"]["createdToReadyP50Seconds"] > 3
    assert client.ask(agent, "hello") == (200, "echo:1:hello")
    assert sandbox.kube.list("configmaps", sandbox.name, f"prewarm.dev/agent={agent.name}") == []

    with client.steady(agent) as traffic:
        agent.scale(3)
        agent.wait_until_settled()
        traffic.go_on(answers=30)
    traffic.assert_nothing_failed()

    agent.patch(env=[{"name": "COLOUR", "value": "blue"}])
    assert agent.wait_until_settled()["status"]["revision"] != status["revision"]
