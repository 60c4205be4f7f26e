"""The spec of an AgentDeployment. A field added here reaches the CRD with `make generate`."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from prewarm_operator.api.lifecycle import Drain, Warmup
from prewarm_operator.api.model import ApiModel, Int32, Port, Rule, list_map, rules
from prewarm_operator.api.pod import EnvVar, Resources
from prewarm_operator.api.status import AgentDeploymentStatus

HttpPath = Annotated[
    str,
    Field(
        max_length=1024,
        json_schema_extra=rules(
            Rule("self.startsWith('/')", "A path of spec.agent.container must start with '/', for example /warmupz."),
        ),
    ),
]

Component = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "provider": {
                    "type": "string",
                    "maxLength": 253,
                    "description": "Class of the component, for example autogen_agentchat.agents.AssistantAgent.",
                }
            },
            "x-kubernetes-preserve-unknown-fields": True,
            **rules(
                Rule(
                    "has(self.provider) && self.provider.size() > 0",
                    "spec.agent.component.provider must name the class of the component, for example "
                    "autogen_agentchat.agents.AssistantAgent.",
                )
            ),
        }
    ),
]


class AgentContainer(ApiModel):
    """An image of your own, in any language, that tells over HTTP when it is warm."""

    image: str = Field(
        min_length=1, max_length=1024, description="The image, for example registry.example.com/my-agent:1.4."
    )
    port: Port = Field(
        default=8080, description="Port that serves users. The Service sends port 80 here. Default: 8080."
    )
    probe_port: Port | None = Field(
        default=None, description="Port that answers warmupPath and readinessPath. Default: the value of port."
    )
    warmup_path: HttpPath = Field(
        description="Path that answers 2xx once everything expensive is done and an error until then, for example "
        "/warmupz. The pod gets no request before. Answering 2xx too early makes the first users wait."
    )
    readiness_path: HttpPath | None = Field(
        default=None,
        description="Path that answers 2xx as long as the pod can serve, asked every second after the warm-up. "
        "Default: the value of warmupPath.",
    )
    command: tuple[str, ...] | None = Field(
        default=None, description="Entry point, instead of the one of the image. Default: that of the image."
    )
    args: tuple[str, ...] | None = Field(
        default=None, description="Arguments of the entry point. Default: those of the image."
    )

    @property
    def effective_probe_port(self) -> int:
        return self.port if self.probe_port is None else self.probe_port

    @property
    def effective_readiness_path(self) -> str:
        return self.warmup_path if self.readiness_path is None else self.readiness_path


class Agent(ApiModel):
    """What to run: exactly one of component, entrypoint and container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "has(self.component) || has(self.entrypoint) || has(self.container)",
                "spec.agent is empty: set component (an AutoGen component), entrypoint (module:factory in the image) "
                "or container (an image of your own).",
            ),
            Rule(
                "[has(self.component), has(self.entrypoint), has(self.container)].filter(x, x).size() < 2",
                "spec.agent may set only one of component, entrypoint and container: keep one, remove the others.",
            ),
        )
    )

    component: Component | None = Field(
        default=None,
        description="An AutoGen agent or team as AutoGen Studio exports it: provider, component_type, version, config. "
        "Refer to the model's key by an environment variable (spec.env), never write it here.",
    )
    entrypoint: str | None = Field(
        default=None,
        max_length=253,
        description="A factory in the image that returns the agent or team, as module:factory, for example "
        "my_agents.support:build. Set image to one that has the module.",
        json_schema_extra=rules(
            Rule(
                r"self.matches('^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$')",
                "spec.agent.entrypoint must be written module:factory, for example my_agents.support:build.",
            )
        ),
    )
    container: AgentContainer | None = Field(
        default=None, description="An image of your own instead of the Prewarm agent image, with its own warm-up path."
    )


class AgentDeploymentSpec(ApiModel):
    """What you want: which agent, how many warm pods, and how they start and stop."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "self.maxReplicas >= self.minReplicas",
                "spec.maxReplicas (default 10) must not be below spec.minReplicas: raise maxReplicas or lower "
                "minReplicas.",
            ),
            Rule(
                "!(has(self.image) && has(self.agent.container))",
                "spec.image and spec.agent.container exclude each other: with agent.container, set only "
                "agent.container.image.",
            ),
        )
    )

    agent: Agent = Field(description="What to run: exactly one of component, entrypoint and container.")
    mode: Literal["External"] = Field(
        default="External",
        description="Who decides how many pods there are. External: the number is replicas, set by you, by kubectl "
        "scale or by an autoscaler through /scale, and kept within minReplicas and maxReplicas. Default: External.",
    )
    replicas: Int32 = Field(
        default=1,
        ge=0,
        description="Wanted number of pods in mode External, kept within minReplicas and maxReplicas. Default: 1.",
    )
    min_replicas: Int32 = Field(
        default=1,
        description="Number of warm pods that are always there, at least 1. Default: 1.",
        json_schema_extra=rules(
            Rule(
                "self >= 1",
                "spec.minReplicas must be at least 1, or the next user would meet no warm pod: raise it, or delete "
                "the AgentDeployment if nobody needs it.",
            )
        ),
    )
    max_replicas: Int32 = Field(
        default=10,
        description="Highest number of pods; only the extra pods of a rolling change may stand above it. Default: 10.",
    )
    image: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="Image that runs component or entrypoint: the Prewarm agent image or one built on it. Default: "
        "the agent image that the operator was installed with.",
    )
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        default=None,
        description="When the image is pulled. Default: Always for the tag latest or none, else IfNotPresent.",
    )
    env: tuple[EnvVar, ...] = Field(
        default=(),
        max_length=256,
        description="Environment variables of the agent's container, for example the model's key from a Secret.",
        json_schema_extra=list_map("name"),
    )
    resources: Resources = Field(
        default=Resources(), description="CPU and memory of each pod, as in any Deployment. Default: none set."
    )
    warmup: Warmup = Field(default=Warmup(), description="What happens before a pod may serve.")
    concurrency_limit: Int32 = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Requests that one pod works on at the same time; a few more wait in its queue, the rest are "
        "answered 429. Default: 100.",
    )
    drain: Drain = Field(default=Drain(), description="How a pod leaves: no request is cut off by a rolling change.")


class AgentDeployment(ApiModel):
    """An AI agent behind a Service, on pods that are warm before their first request."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
                "metadata.name must be at most 40 characters of a-z, 0-9 and '-', start with a letter and end with a "
                "letter or digit: choose another name, the Service and labels carry it.",
            )
        )
    )

    spec: AgentDeploymentSpec
    status: AgentDeploymentStatus | None = None
