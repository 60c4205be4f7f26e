"""On which nodes pods run, in the words of Kubernetes."""

from typing import Literal

from pydantic import Field

from prewarm_operator.api.model import ApiModel, Int32, Int64, OpenObject


class Toleration(ApiModel):
    """A taint of nodes that does not keep the pods away."""

    key: str | None = Field(
        default=None, max_length=317, description="Key of the taint, for example nvidia.com/gpu. Default: every key."
    )
    operator: Literal["Exists", "Equal"] | None = Field(
        default=None, description="Exists: whatever its value. Equal: with this value. Default: Equal."
    )
    value: str | None = Field(default=None, max_length=63, description="Value of the taint, for operator Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint. Default: every effect."
    )
    toleration_seconds: Int64 | None = Field(
        default=None, description="Seconds that a pod stays on a node after a NoExecute taint. Default: for ever."
    )


class TopologySpreadConstraint(ApiModel):
    """How evenly pods are spread over zones, nodes or other groups of nodes."""

    max_skew: Int32 = Field(ge=1, description="By how many pods two groups may differ.")
    topology_key: str = Field(
        min_length=1,
        max_length=317,
        description="Label of nodes; those with the same value are one group, for example topology.kubernetes.io/zone.",
    )
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = Field(
        description="What becomes of a pod that no node could take without more skew: it waits, or goes anywhere."
    )
    label_selector: OpenObject | None = Field(
        default=None, description="Pods that are counted. Default: all pods of this AgentDeployment."
    )
    min_domains: Int32 | None = Field(
        default=None, ge=1, description="Number of groups that there must be at least. Default: 1."
    )
    match_label_keys: tuple[str, ...] | None = Field(
        default=None,
        max_length=16,
        description="Labels whose values must be equal to those of the new pod, for example pod-template-hash: each "
        "revision is spread by itself.",
    )
    node_affinity_policy: Literal["Honor", "Ignore"] | None = Field(
        default=None, description="Whether only nodes that nodeSelector and affinity allow count. Default: Honor."
    )
    node_taints_policy: Literal["Honor", "Ignore"] | None = Field(
        default=None, description="Whether only nodes whose taints are tolerated count. Default: Ignore."
    )
