"""An admission webhook that takes the request and never answers."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
from component.operator.namespace import Namespace, condition

from devcluster.controlplane import ControlPlane
from prewarm_operator.settings import WORKERS

Agent = dict[str, Any]


@pytest.fixture
async def webhook_url(api_server: ControlPlane) -> AsyncIterator[str]:
    """Of a server that reads a request and says nothing to it."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            await reader.read()

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(api_server.pki / "apiserver.crt", api_server.pki / "apiserver.key")
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0, ssl=tls) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def install_webhook(api_server: ControlPlane, namespace: Namespace, url: str) -> None:
    """It is asked about every pod of the namespace and has the longest time that Kubernetes allows."""
    authority = base64.b64encode((api_server.pki / "ca.crt").read_bytes()).decode()
    webhook = {
        "name": "policy.example.com",
        "clientConfig": {"url": url, "caBundle": authority},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 30,
    }
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    body = {"metadata": {"name": namespace.name}, "webhooks": [webhook]}
    (await namespace.http.post(path, json=body)).raise_for_status()
    await asyncio.sleep(1)  # admission sees its configuration through a watch of its own


async def test_a_webhook_that_hangs_is_told_and_keeps_no_other_agent_waiting_for_long(
    operator: str, api_server: ControlPlane, namespace: Namespace, agent: Agent, webhook_url: str
) -> None:
    await install_webhook(api_server, namespace, webhook_url)
    for number in range(WORKERS + 2):
        await namespace.create_object("agentdeployments", {**agent, "metadata": {"name": f"held-{number}"}})
    async with Namespace.create(api_server, 1) as other:
        await other.create_object("agentdeployments", agent)
        await other.eventually("deployments", "support", lambda _: True, seconds=30)
    found = await namespace.eventually(
        "agentdeployments", "held-0", lambda found: condition(found, "Ready").get("reason") == "PodRefused", seconds=45
    )
    assert "no answer within 12 s, look for an admission webhook that hangs" in condition(found, "Ready")["message"]
    assert condition(found, "UpToDate")["status"] == "False"
