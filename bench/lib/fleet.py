"""Many AgentDeployments on an API server without nodes."""

import asyncio
import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from devcluster.controlplane import STANDALONE_API_FLAGS, ControlPlane
from devcluster.settings import Cache

KEEP_AUDIT_LOGS = "--audit-log-maxbackup=0"  # of all flags of this name the last one counts
CRDS = Path(__file__).parents[2] / "crds"
NAMESPACES = 10
CONCURRENCY = 16
AGENTS = "/apis/prewarm.dev/v1alpha1/namespaces/{}/agentdeployments"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass
class Fleet:
    """The administrator's view of an API server."""

    control_plane: ControlPlane
    http: httpx.AsyncClient

    async def create(self, count: int) -> None:
        """Create AgentDeployments, spread over ten namespaces."""
        for number in range(NAMESPACES):
            (await self.http.post("/api/v1/namespaces", json={"metadata": {"name": f"ns-{number}"}})).raise_for_status()
        slots = asyncio.Semaphore(CONCURRENCY)

        async def one(number: int) -> None:
            async with slots:
                url = AGENTS.format(f"ns-{number % NAMESPACES}")
                (await self.http.post(url, json=_agent(f"agent-{number}"))).raise_for_status()

        await asyncio.gather(*(one(number) for number in range(count)))

    async def settled(self, count: int, timeout_seconds: float = 600.0) -> None:
        """Wait until `count` child Deployments exist and are adopted, and every agent has a status."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(2)
            deployments = (await self.http.get("/apis/apps/v1/deployments")).json()["items"]
            agents = (await self.http.get("/apis/prewarm.dev/v1alpha1/agentdeployments")).json()["items"]
            adopted = sum(_is_adopted(item) for item in deployments)
            print(f"    {adopted} of {count} settled", flush=True)
            if adopted == count and all("conditions" in item.get("status", {}) for item in agents):
                return
        raise SystemExit(f"the operator did not settle {count} objects in {timeout_seconds:.0f} s")

    async def patch_agent(self, spec: dict[str, Any]) -> None:
        """Change the spec of agent-0."""
        url = AGENTS.format("ns-0") + "/agent-0"
        (await self.http.patch(url, json={"spec": spec}, headers=MERGE_PATCH)).raise_for_status()

    def writes(self) -> int:
        """Writes of the operator so far but Lease renewals, from the audit log."""
        count = 0
        for log in self.control_plane.run_dir.glob("audit*.log"):  # the present one and those that were rotated away
            with log.open() as lines:
                count += sum(_is_operators_write(json.loads(line)) for line in lines)
        return count


@asynccontextmanager
async def on_new_api_server(folder: Path) -> AsyncIterator[Fleet]:
    """An empty API server with our CRDs."""
    with ControlPlane(folder, api_flags=(*STANDALONE_API_FLAGS, KEEP_AUDIT_LOGS)) as control_plane:
        kubectl = [Cache.from_environment().current / "kubectl", f"--kubeconfig={control_plane.kubeconfig}"]
        for arguments in (["apply", "-f", CRDS], ["wait", "--for=condition=Established", "crd", "--all"]):
            subprocess.run([*kubectl, *arguments], check=True, capture_output=True)
        tls = ssl.create_default_context(cafile=str(control_plane.pki / "ca.crt"))
        tls.load_cert_chain(control_plane.pki / "admin.crt", control_plane.pki / "admin.key")
        url = control_plane.endpoints.server
        async with httpx.AsyncClient(base_url=url, verify=tls, timeout=60) as http:
            yield Fleet(control_plane, http)


def _agent(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "prewarm.dev/v1alpha1",
        "kind": "AgentDeployment",
        "metadata": {"name": name},
        "spec": {
            "mode": "External",
            "replicas": 2,
            "agent": {"component": {"provider": "autogen_agentchat.agents.AssistantAgent", "config": {"name": "a"}}},
        },
    }


def _is_operators_write(entry: dict[str, Any]) -> bool:
    writing = entry["verb"] in ("create", "update", "patch", "delete", "deletecollection")
    lease = entry.get("objectRef", {}).get("resource") == "leases"
    return writing and not lease and entry.get("userAgent", "").startswith("prewarm-operator")


def _is_adopted(deployment: dict[str, Any]) -> bool:
    entries = deployment["metadata"].get("managedFields", [])
    return any(entry["manager"] == "prewarm" and entry["operation"] == "Apply" for entry in entries)
