"""A release of the chart on an API server, and the operator's process with its rights."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from component.operator import replica
from helmcli import CHART, helm

from devcluster.controlplane import ControlPlane
from devcluster.settings import Cache

SYSTEM = "prewarm-system"
DECISION = "authorization.k8s.io/decision"

Right = tuple[str, str, str]
"""API group, resource or resource/subresource, verb."""


@dataclass(frozen=True)
class Release:
    """The release prewarm in namespace prewarm-system of `server`, once installed."""

    server: ControlPlane
    folder: Path

    def run(self, *command: str | Path) -> str:
        program, *arguments = command
        path = Cache.from_environment().current / program
        done = subprocess.run(
            [path, f"--kubeconfig={self.server.kubeconfig}", *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout

    def install(self, *values: str) -> None:
        where = (f"--kubeconfig={self.server.kubeconfig}", f"--namespace={SYSTEM}", "--create-namespace")
        done = helm("install", "prewarm", str(CHART), *where, *values)
        assert done.returncode == 0, done.stderr
        self.run("kubectl", "wait", "--for=condition=Established", "crd", "--all")

    def operators_kubeconfig(self) -> Path:
        """The administrator's, with a token of the chart's ServiceAccount in place of the certificate."""
        token = self.run("kubectl", "create", "token", "prewarm", f"--namespace={SYSTEM}").strip()
        config = yaml.safe_load(self.server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        file = self.folder / "operator.kubeconfig"
        file.write_text(yaml.safe_dump(config))
        return file

    @contextmanager
    def operator(self, before: str = "", **environment: str) -> Iterator[None]:
        """The operator's process as the chart's pod runs it, after the statements `before`."""
        program = ("-c", f"{before}from prewarm_operator import cli; raise SystemExit(cli.main())")
        environment = {"PREWARM_NAMESPACE": SYSTEM, **environment}
        with replica.running(self.operators_kubeconfig(), "prewarm-0", program=program, **environment):
            yield

    def asked(self, decision: str) -> set[Right]:
        """What the operator has asked the API server for and was allowed to do (`allow`), or not (`forbid`)."""
        rights = set()
        for line in self.server.audit_log.read_text().splitlines():
            entry = json.loads(line)
            ours = entry["user"]["username"] == f"system:serviceaccount:{SYSTEM}:prewarm"
            if ours and "objectRef" in entry and entry["annotations"][DECISION] == decision:
                target = entry["objectRef"]
                resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
                rights.add((target.get("apiGroup", ""), resource, entry["verb"]))
        return rights
