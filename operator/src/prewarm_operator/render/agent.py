"""One AgentDeployment as it was read: who it is and what it wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.api.agentdeployment import AgentDeployment, AgentDeploymentSpec
from prewarm_operator.api.status import AgentDeploymentStatus


@dataclass(frozen=True)
class Agent:
    """Attributes:
    upgrade: value of the annotation that asks for pods as the present operator makes them, "" if there is none.
    restarted_at: value of the annotation that asks for new pods, "" if there is none.
    status: as last written, or an empty one before the first write.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    upgrade: str
    restarted_at: str
    spec: AgentDeploymentSpec
    status: AgentDeploymentStatus


def parse(body: Mapping[str, Any]) -> Agent:
    """Read an AgentDeployment from the API server's JSON.

    Raises:
        pydantic.ValidationError: a field holds a value that this version does not know, as an object may that was
            stored under another version of the CRD.
    """
    parsed = AgentDeployment.model_validate(body)
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    return Agent(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        upgrade=annotations.get(names.ANNOTATION_UPGRADE, ""),
        restarted_at=annotations.get(names.ANNOTATION_RESTARTED_AT, ""),
        spec=parsed.spec,
        status=parsed.status or AgentDeploymentStatus(),
    )
