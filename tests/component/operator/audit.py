"""What the API server's audit log says that replicas wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from devcluster.controlplane import ControlPlane


@dataclass(frozen=True)
class Write:
    """One call that changes something; `replica` is the pod name in its user agent."""

    at: datetime
    replica: str
    verb: str
    path: str
    code: int


def writes(api_server: ControlPlane, namespace: str) -> list[Write]:
    """What operators wrote in one namespace, Leases left out, in the order in which it was answered."""
    found = []
    for line in api_server.audit_log.read_text().splitlines():
        entry = json.loads(line)
        product, _, comment = entry["userAgent"].partition(" ")
        path = entry["requestURI"].partition("?")[0]
        ours = product == "prewarm-operator" and f"/namespaces/{namespace}/" in f"{path}/"
        if ours and entry["verb"] not in ("get", "list", "watch") and "/leases" not in path:
            at = datetime.fromisoformat(entry["requestReceivedTimestamp"])
            code = entry.get("responseStatus", {}).get("code", 0)
            found.append(Write(at, comment.strip("()"), entry["verb"], path, code))
    return found
