"""The parts of Kubernetes objects that values pass on. Each refuses what its kind does not have."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """An object in the words of Kubernetes: camelCase, and nothing that is not declared."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True)


Strings = dict[str, str]
"""Labels, annotations, node labels: numbers and booleans must be quoted, or the API server would refuse them."""

Quantity = Annotated[str | int | float, Field(union_mode="left_to_right")]

DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]


class Resources(Model):
    requests: dict[str, Quantity] | None = None
    limits: dict[str, Quantity] | None = None


class LocalObjectReference(Model):
    name: str = Field(min_length=1)


class EnvVar(Model):
    name: str = Field(min_length=1)
    value: str | None = None
    value_from: dict[str, object] | None = Field(default=None, description="Checked by the API server.")


class Toleration(Model):
    key: str | None = None
    operator: Literal["Exists", "Equal", "Lt", "Gt"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class Affinity(Model):
    node_affinity: dict[str, object] | None = Field(default=None, description="Checked by the API server.")
    pod_affinity: dict[str, object] | None = Field(default=None, description="Checked by the API server.")
    pod_anti_affinity: dict[str, object] | None = Field(default=None, description="Checked by the API server.")


class LabelSelectorRequirement(Model):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] | None = None


class LabelSelector(Model):
    match_labels: Strings | None = None
    match_expressions: list[LabelSelectorRequirement] | None = None


class TopologySpreadConstraint(Model):
    max_skew: int = Field(ge=1)
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector | None = None
    match_label_keys: list[str] | None = None
    min_domains: int | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None


class IpBlock(Model):
    cidr: str
    except_: list[str] | None = Field(default=None, alias="except")


class NetworkPolicyPeer(Model):
    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None
    ip_block: IpBlock | None = None
