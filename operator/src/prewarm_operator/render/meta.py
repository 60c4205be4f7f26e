"""What all children have in common: labels, the owner, and a hash of their content."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.render.agent import Agent


def content_hash(content: Any) -> str:
    """Ten hex digits that change when the content does. Key order does not matter."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:10]


def child_labels(name: str, component: str = "agent") -> dict[str, str]:
    """Labels of every child and every pod of the AgentDeployment `name`."""
    return {
        "app.kubernetes.io/name": "prewarm-agent",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/managed-by": names.MANAGED_BY,
        names.LABEL_AGENT: name,
    }


def child(
    agent: Agent,
    api_version: str,
    kind: str,
    name: str,
    content: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
    component: str = "agent",
) -> dict[str, Any]:
    """A child object: `content` (spec or data) under our metadata, with the hash of all of it as annotation.

    The hash tells a later reconcile that a field which we no longer render has to go.
    """
    body: dict[str, Any] = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": agent.namespace,
            "labels": child_labels(agent.name, component),
            "annotations": dict(annotations or {}),
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": names.AGENT_DEPLOYMENT.kind,
                    "name": agent.name,
                    "uid": agent.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        **content,
    }
    body["metadata"]["annotations"][names.ANNOTATION_APPLIED_HASH] = content_hash(body)
    return body
