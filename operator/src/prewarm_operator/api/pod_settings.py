"""Everything about pods that people set in typed fields, and the overlay for the rest."""

from typing import Literal

from pydantic import Field

from prewarm_operator.api.model import ApiModel, OpenObject, Rule, list_map
from prewarm_operator.api.placement import Toleration, TopologySpreadConstraint
from prewarm_operator.api.pod import EnvFrom, EnvVar, ModelKey, Resources, Volume, VolumeMount
from prewarm_operator.api.pod_template import Annotations, Labels, PodTemplate


class ImagePullSecret(ApiModel):
    """A Secret of type kubernetes.io/dockerconfigjson in the same namespace."""

    name: str = Field(min_length=1, max_length=253, description="Name of the Secret.")


ONE_SOURCE_PER_VARIABLE = Rule(
    "!has(self.models) || !has(self.env) || self.models.all(model, !self.env.exists(e, e.name == model.envVar))",
    "spec.env and spec.models set the same environment variable: remove it from one of them.",
)
"""For the kind that has these fields: a rule looks down from where it stands, never up."""


class PodSettings(ApiModel):
    """Fields of the pods, in the words of Kubernetes."""

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        default=None,
        description="When the image is pulled. Default: Always for the tag latest or none, else IfNotPresent.",
    )
    image_pull_secrets: tuple[ImagePullSecret, ...] = Field(
        default=(),
        max_length=16,
        description="Credentials of the registries that the images come from.",
        json_schema_extra=list_map("name"),
    )
    models: tuple[ModelKey, ...] = Field(
        default=(),
        max_length=16,
        description="API keys of the models, each from a Secret into the environment variable that the client reads. "
        "A Secret that changes does not restart pods: change an annotation in podAnnotations with it.",
        json_schema_extra=list_map("envVar"),
    )
    env: tuple[EnvVar, ...] = Field(
        default=(),
        max_length=256,
        description="Environment variables of the agent's container.",
        json_schema_extra=list_map("name"),
    )
    env_from: tuple[EnvFrom, ...] = Field(
        default=(),
        max_length=64,
        description="Environment variables of the agent's container from all keys of Secrets and ConfigMaps; env and "
        "models win over them, later entries over earlier ones.",
    )
    resources: Resources = Field(
        default=Resources(),
        description="CPU, memory and GPUs of the agent's container, as in any Deployment. Default: none set.",
    )
    service_account_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="Service account of the pods, for example one that has an identity at the cloud. Default: the "
        "namespace's account default.",
    )
    automount_service_account_token: bool = Field(
        default=False,
        description="Whether pods get a token for the Kubernetes API. Set it if the agent's tools call that API. "
        "Default: false.",
    )
    node_selector: dict[str, str] | None = Field(
        default=None,
        max_length=64,
        description="Labels that a node must have, for example {kubernetes.io/arch: amd64} or those of a node pool.",
    )
    tolerations: tuple[Toleration, ...] = Field(
        default=(), max_length=64, description="Taints of nodes that do not keep the pods away."
    )
    affinity: OpenObject | None = Field(
        default=None, description="Affinity to nodes and pods, as in a pod: nodeAffinity, podAffinity, podAntiAffinity."
    )
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = Field(
        default=(),
        max_length=16,
        description="How evenly the pods are spread over zones and nodes.",
        json_schema_extra=list_map("topologyKey", "whenUnsatisfiable"),
    )
    priority_class_name: str | None = Field(
        default=None, min_length=1, max_length=253, description="PriorityClass of the pods. Default: the cluster's."
    )
    volumes: tuple[Volume, ...] = Field(
        default=(),
        max_length=64,
        description="Volumes beside the ones that Prewarm adds, as in a pod: a name and a source such as configMap, "
        "secret, emptyDir or persistentVolumeClaim.",
        json_schema_extra=list_map("name"),
    )
    volume_mounts: tuple[VolumeMount, ...] = Field(
        default=(),
        max_length=64,
        description="Where the volumes appear in the agent's container.",
        json_schema_extra=list_map("mountPath"),
    )
    pod_labels: Labels | None = Field(default=None, description="Labels of the pods beside those of Prewarm.")
    pod_annotations: Annotations | None = Field(
        default=None, description="Annotations of the pods. A change is a new revision: every pod is replaced in turn."
    )
    pod_template: PodTemplate | None = Field(
        default=None,
        description="An overlay of the pod template for what has no field here: sidecars, init containers, security "
        "context, runtime class. It wins over all fields; probe paths, labels and the agent's configuration stay.",
    )
