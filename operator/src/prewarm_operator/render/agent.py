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
    status: as last written, or an empty one before the first write.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    upgrade: str
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
    return Agent(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        upgrade=(metadata.get("annotations") or {}).get(names.ANNOTATION_UPGRADE, ""),
        spec=parsed.spec,
        status=parsed.status or AgentDeploymentStatus(),
    )
