"""The agent's container: its environment, what it mounts and what it may use, in the words of Kubernetes."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from prewarm_operator.api.model import ApiModel, Quantity, Rule, rules

VARIABLE_NAME = Field(
    min_length=1,
    max_length=253,
    json_schema_extra=rules(
        Rule("!self.contains('=')", "The name of an environment variable must not contain '=': remove it.")
    ),
)


class KeySelector(ApiModel):
    """One key of a Secret or ConfigMap in the same namespace."""

    name: str = Field(min_length=1, max_length=253, description="Name of the Secret or ConfigMap.")
    key: str = Field(min_length=1, max_length=253, description="Key in its data.")
    optional: bool | None = Field(
        default=None, description="Start even if the object or the key is missing. Default: false."
    )


class FieldSelector(ApiModel):
    """One field of the pod itself."""

    field_path: str = Field(
        min_length=1, max_length=253, description="Path of the field, for example metadata.name or status.podIP."
    )


class EnvVarSource(ApiModel):
    """Where the value of an environment variable comes from."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.fieldRef)].filter(x, x).size() == 1",
                "valueFrom of an environment variable must set exactly one of secretKeyRef, configMapKeyRef and "
                "fieldRef: keep one, remove the others.",
            )
        )
    )

    secret_key_ref: KeySelector | None = Field(
        default=None, description="A key of a Secret, for example the API key of the model."
    )
    config_map_key_ref: KeySelector | None = Field(default=None, description="A key of a ConfigMap.")
    field_ref: FieldSelector | None = Field(default=None, description="A field of the pod.")


class EnvVar(ApiModel):
    """One environment variable of the agent's container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!(has(self.value) && has(self.valueFrom))",
                "An environment variable of spec.env may set value or valueFrom, not both: remove one of them.",
            )
        )
    )

    name: Annotated[str, VARIABLE_NAME] = Field(description="Name of the variable, for example LOG_LEVEL.")
    value: str | None = Field(default=None, description="Its value. Default: empty.")
    value_from: EnvVarSource | None = Field(
        default=None, description="Where its value comes from, instead of value. Use it for every secret."
    )


class EnvSource(ApiModel):
    """A Secret or ConfigMap all of whose keys become environment variables."""

    name: str = Field(min_length=1, max_length=253, description="Name of the Secret or ConfigMap.")
    optional: bool | None = Field(default=None, description="Start even if the object is missing. Default: false.")


class EnvFrom(ApiModel):
    """Environment variables from all keys of one Secret or ConfigMap."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "has(self.secretRef) != has(self.configMapRef)",
                "An entry of spec.envFrom must set exactly one of secretRef and configMapRef: write two entries for "
                "two objects.",
            )
        )
    )

    prefix: str | None = Field(
        default=None, max_length=253, description="Put before the name of every variable, for example CRM_."
    )
    secret_ref: EnvSource | None = Field(default=None, description="A Secret in the same namespace.")
    config_map_ref: EnvSource | None = Field(default=None, description="A ConfigMap in the same namespace.")


class SecretKeyRef(ApiModel):
    """One key of a Secret in the same namespace."""

    name: str = Field(min_length=1, max_length=253, description="Name of the Secret.")
    key: str = Field(min_length=1, max_length=253, description="Key in its data, for example api-key.")


class ModelKey(ApiModel):
    """The API key of a model, taken from a Secret, as the environment variable that its client reads."""

    env_var: Annotated[str, VARIABLE_NAME] = Field(
        default="OPENAI_API_KEY",
        description="Environment variable that the model's client reads: OPENAI_API_KEY, AZURE_OPENAI_API_KEY, "
        "ANTHROPIC_API_KEY, GEMINI_API_KEY. Default: OPENAI_API_KEY.",
    )
    api_key_secret_ref: SecretKeyRef = Field(description="Where the key is. The operator itself never reads it.")


class VolumeMount(ApiModel):
    """Where a volume appears in the agent's container."""

    name: str = Field(min_length=1, max_length=63, description="Name of the volume in spec.volumes.")
    mount_path: str = Field(
        min_length=1,
        max_length=1024,
        description="Folder in the container. Not /tmp, which every pod has, and not /etc/prewarm.",
        json_schema_extra=rules(
            Rule(
                "!self.matches('^/+(tmp|etc/+prewarm)/*$') && !self.matches('^/+etc/+prewarm/')",
                "spec.volumeMounts may not use /tmp and /etc/prewarm, which Prewarm mounts itself: choose another "
                "path, or change the volume tmp in spec.podTemplate.",
            )
        ),
    )
    sub_path: str | None = Field(
        default=None, max_length=1024, description="Path in the volume, instead of its root. Default: its root."
    )
    read_only: bool | None = Field(default=None, description="Whether writing is refused. Default: false.")


Volume = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 63,
                    "description": "Name of the volume, for spec.volumeMounts. Not tmp and not agent.",
                    **rules(
                        Rule(
                            "!(self in ['tmp', 'agent'])",
                            "spec.volumes may not use the names tmp and agent, which Prewarm uses itself: choose "
                            "another name.",
                        )
                    ),
                }
            },
            "x-kubernetes-preserve-unknown-fields": True,
        }
    ),
]


class Resources(ApiModel):
    """CPU, memory and other resources of the agent's container."""

    requests: dict[str, Quantity] | None = Field(
        default=None,
        description="What the scheduler keeps free for each pod, for example {cpu: 250m, memory: 512Mi}.",
    )
    limits: dict[str, Quantity] | None = Field(
        default=None,
        description="What a pod may use at most, for example {memory: 1Gi} or {nvidia.com/gpu: 1}. A CPU limit also "
        "slows the start: the import of the libraries costs 1 to 2.5 seconds of CPU.",
    )
