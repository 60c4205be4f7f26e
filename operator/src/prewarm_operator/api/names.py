"""Names that operator, chart, agent image and users agree on (docs/design/0001-parts-and-contracts.md, section 3)."""

from dataclasses import dataclass

GROUP = "prewarm.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


@dataclass(frozen=True, slots=True)
class ResourceName:
    """What one kind is called in URLs, in manifests and on the command line."""

    kind: str
    plural: str
    singular: str
    short_name: str

    @property
    def crd_name(self) -> str:
        return f"{self.plural}.{GROUP}"


AGENT_DEPLOYMENT = ResourceName(
    kind="AgentDeployment", plural="agentdeployments", singular="agentdeployment", short_name="pwad"
)

FIELD_MANAGER = "prewarm"

LABEL_AGENT = f"{GROUP}/agent"
"""On pods and children: the name of the AgentDeployment."""
LABEL_ORIGIN = f"{GROUP}/origin"
"""On pods: where the pod comes from, one of the ORIGIN_ values."""
LABEL_REVISION = f"{GROUP}/revision"
"""On pods: hash of the rendered pod template."""
ORIGIN_OWN = "own"

ANNOTATION_APPLIED_HASH = f"{GROUP}/applied-hash"
"""On children: hash of what was applied."""
ANNOTATION_RENDERER = f"{GROUP}/renderer"
"""On the child Deployment: version of the code that rendered the pod template."""
ANNOTATION_SPEC_HASH = f"{GROUP}/spec-hash"
"""On the child Deployment: hash of what the pod template was rendered from."""
ANNOTATION_TEMPLATE = f"{GROUP}/template"
"""On the child Deployment: the pod template as it was rendered, in JSON."""
ANNOTATION_UPGRADE = f"{GROUP}/upgrade"
"""On an AgentDeployment: a new value asks for pods as the present operator makes them."""

ANNOTATION_RESTARTED_AT = f"{GROUP}/restarted-at"
"""On an AgentDeployment and its pods: another value replaces the pods by new ones that are otherwise the same."""
ANNOTATION_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
"""On pods: of two alike, a ReplicaSet deletes the one with the lower number first."""

RECOMMENDED_LABELS = tuple(f"app.kubernetes.io/{word}" for word in ("name", "instance", "component", "managed-by"))
"""On children and pods: what other tools know them by."""

MANAGED_BY = "prewarm"
"""On children: value of the label app.kubernetes.io/managed-by."""
