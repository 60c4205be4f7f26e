"""Labels, annotations and the overlay: what people lay over the pods that Prewarm makes."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from prewarm_operator.api import names
from prewarm_operator.api.model import ApiModel, Rule, rules

_OWN_LABELS = ", ".join(f"'{label}'" for label in names.RECOMMENDED_LABELS)

Labels = Annotated[
    dict[str, Annotated[str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")]],
    Field(
        max_length=64,
        json_schema_extra=rules(
            Rule(
                f"self.all(key, !key.startsWith('{names.GROUP}/') && !(key in [{_OWN_LABELS}]))",
                "Labels of pods may not set prewarm.dev/* nor app.kubernetes.io/name, instance, component and "
                "managed-by, by which Prewarm and others find the pods: choose other keys.",
            )
        ),
    ),
]

Annotations = Annotated[
    dict[str, str],
    Field(
        max_length=64,
        json_schema_extra=rules(
            Rule(
                f"self.all(key, !key.startsWith('{names.GROUP}/'))",
                "Annotations may not set prewarm.dev/*, which Prewarm uses itself: choose other keys.",
            )
        ),
    ),
]


class PodTemplateMetadata(ApiModel):
    """Labels and annotations of the pods."""

    labels: Labels | None = Field(default=None, description="As spec.podLabels, which it wins over.")
    annotations: Annotations | None = Field(default=None, description="As spec.podAnnotations, which it wins over.")


_ITEMS = {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}

PodSpecOverlay = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "containers": {
                    **_ITEMS,
                    "description": "Containers beside the agent's, or changes of the one called agent. Those without a "
                    "securityContext get the restricted one.",
                },
                "initContainers": {
                    **_ITEMS,
                    "description": "Containers that run before the agent's, or beside it with restartPolicy Always.",
                },
                "volumes": {**_ITEMS, "description": "Volumes beside those of spec.volumes, or changes of these."},
            },
            "x-kubernetes-preserve-unknown-fields": True,
        }
    ),
]
"""Only what the operator itself looks into has a shape; the rest is for the API server to check once it is a pod."""


class PodTemplate(ApiModel):
    """An overlay of the pod template that Prewarm makes."""

    metadata: PodTemplateMetadata | None = Field(default=None, description="Labels and annotations of the pods.")
    spec: PodSpecOverlay | None = Field(
        default=None,
        description="Any part of a pod's spec, merged as kubectl patch does by default: objects field by field, "
        "containers, volumes, env and volumeMounts item by item; $patch: delete removes an item, $patch: replace all "
        "others. The agent's container is called agent.",
    )
