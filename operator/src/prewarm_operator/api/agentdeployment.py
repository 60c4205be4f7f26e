"""The spec of an AgentDeployment. A field added here reaches the CRD with `make generate`."""

from typing import Literal

from pydantic import ConfigDict, Field

from prewarm_operator.api.agent import Agent
from prewarm_operator.api.lifecycle import Drain, Warmup
from prewarm_operator.api.model import ApiModel, Int32, Rule, rules
from prewarm_operator.api.pod_settings import ONE_SOURCE_PER_VARIABLE, PodSettings
from prewarm_operator.api.scaling import Scaling
from prewarm_operator.api.security import Auth, Security
from prewarm_operator.api.service import ServiceSettings
from prewarm_operator.api.status import AgentDeploymentStatus


class AgentDeploymentSpec(PodSettings):
    """What you want: which agent, how many warm pods, and how they start and stop."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "self.maxReplicas >= self.minReplicas",
                "spec.maxReplicas (default 10) must not be below spec.minReplicas: raise maxReplicas or lower "
                "minReplicas.",
            ),
            Rule(
                "!has(self.targetConcurrency) || self.targetConcurrency <= self.concurrencyLimit",
                "spec.targetConcurrency must not be above spec.concurrencyLimit (default 100): lower it.",
            ),
            Rule(
                "!(has(self.image) && has(self.agent.container))",
                "spec.image and spec.agent.container exclude each other: with agent.container, set only "
                "agent.container.image.",
            ),
            ONE_SOURCE_PER_VARIABLE,
            Rule(
                "!(has(self.agent.container) && (has(self.auth) || has(self.security)))",
                "spec.auth and spec.security are for the Prewarm agent image: remove them beside spec.agent.container.",
            ),
            Rule(
                "!has(self.auth) || ((!has(self.env) || !self.env.exists(e, e.name == 'PREWARM_API_TOKEN')) && "
                "(!has(self.models) || !self.models.exists(m, m.envVar == 'PREWARM_API_TOKEN')))",
                "spec.auth sets the environment variable PREWARM_API_TOKEN: remove it from spec.env and spec.models.",
            ),
        )
    )

    agent: Agent = Field(description="What to run: exactly one of component, entrypoint and container.")
    mode: Literal["Auto", "Observe", "External"] = Field(
        default="Auto",
        description="Who decides how many pods there are. Auto: Prewarm sets the number, by the load, its forecast and "
        "scaling, and does not read replicas. External: the number is replicas, set by you, by kubectl scale or by an "
        "autoscaler through /scale, and kept within minReplicas and maxReplicas. Observe: as External, while the "
        "status tells what Auto would do. Default: Auto.",
    )
    replicas: Int32 = Field(
        default=1,
        ge=0,
        description="Wanted number of pods in the modes External and Observe, kept within minReplicas and maxReplicas. "
        "Default: 1.",
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
    warmup: Warmup = Field(default=Warmup(), description="What happens before a pod may serve.")
    security: Security | None = Field(default=None, description="What the agent may bring with it. Default: no code.")
    auth: Auth | None = Field(
        default=None, description="What users must show. Default: whoever reaches the Service is served."
    )
    concurrency_limit: Int32 = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Requests that one pod works on at the same time; a few more wait in its queue, the rest are "
        "answered 429. Default: 100.",
    )
    target_concurrency: Int32 | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Requests per pod to plan for where no forecast gives the reserve, in the modes Auto and Observe. "
        "Default: 70 percent of concurrencyLimit.",
    )
    scaling: Scaling = Field(
        default=Scaling(), description="How the number of pods follows the load, in the modes Auto and Observe."
    )
    service: ServiceSettings = Field(
        default=ServiceSettings(), description="The Service in front of the pods: type, port, annotations."
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
