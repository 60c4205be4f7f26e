"""The parts of a pod that users set through our kinds, in the words of Kubernetes."""

from pydantic import ConfigDict, Field

from prewarm_operator.api.model import ApiModel, Quantity, Rule, rules


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
            ),
            Rule(
                "!self.name.contains('=')",
                "The name of an environment variable of spec.env must not contain '=': put the value into value.",
            ),
        )
    )

    name: str = Field(min_length=1, max_length=253, description="Name of the variable, for example OPENAI_API_KEY.")
    value: str | None = Field(default=None, description="Its value. Default: empty.")
    value_from: EnvVarSource | None = Field(
        default=None, description="Where its value comes from, instead of value. Use it for every secret."
    )


class Resources(ApiModel):
    """CPU, memory and other resources of the agent's container."""

    requests: dict[str, Quantity] | None = Field(
        default=None,
        description="What the scheduler keeps free for each pod, for example {cpu: 250m, memory: 512Mi}.",
    )
    limits: dict[str, Quantity] | None = Field(
        default=None,
        description="What a pod may use at most, for example {memory: 1Gi}. A CPU limit also slows the start: the "
        "import of the libraries costs 1 to 2.5 seconds of CPU.",
    )
