"""What an AgentDeployment runs: an AutoGen component, a factory in an image, or a container of the user's own."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from prewarm_operator.api.model import ApiModel, OpenObject, Port, Rule, rules

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
        default=8080, description="Port that serves users. The Service sends its requests here. Default: 8080."
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
            Rule(
                "!has(self.config) || has(self.entrypoint)",
                "spec.agent.config is handed to the factory of spec.agent.entrypoint: set entrypoint, or remove "
                "config.",
            ),
        )
    )

    component: Component | None = Field(
        default=None,
        description="An AutoGen agent or team as AutoGen Studio exports it: provider, component_type, version, config. "
        "Name the model's key in spec.models, never write it here.",
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
    config: OpenObject | None = Field(
        default=None,
        description="Whatever the factory of entrypoint wants to know, for example a model's settings; it finds it in "
        "resources.config. No secrets.",
    )
    container: AgentContainer | None = Field(
        default=None, description="An image of your own instead of the Prewarm agent image, with its own warm-up path."
    )
