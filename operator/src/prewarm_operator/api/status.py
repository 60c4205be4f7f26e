"""The status of an AgentDeployment: what the operator sees and why it decided as it did."""

from typing import Literal

from pydantic import Field

from prewarm_operator.api.model import ApiModel, Int32, Int64, Timestamp, list_map


class Condition(ApiModel):
    """One aspect of the state, in the form that kubectl wait and other tools read."""

    type: str = Field(
        min_length=1,
        max_length=316,
        description="Aspect: Ready, Progressing, Warm, AgentValid, ScalingActive or UpToDate.",
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(min_length=1, max_length=1024, description="Why, as one CamelCase word for programs.")
    message: str = Field(max_length=32768, description="Why, as one sentence for people.")
    last_transition_time: Timestamp = Field(description="When status last changed.")
    observed_generation: Int64 | None = Field(
        default=None, ge=0, description="metadata.generation that this condition speaks of."
    )


class StartupStatus(ApiModel):
    """How long the latest pods took from created to Ready, as the operator saw it."""

    created_to_ready_p50_seconds: float | None = Field(default=None, description="Median, in seconds.")
    created_to_ready_p90_seconds: float | None = Field(
        default=None, description="90th percentile, in seconds: nine of ten pods were quicker."
    )
    samples: Int32 = Field(description="Number of pods that were measured.")


class ScalingTerm(ApiModel):
    """One part of the decision."""

    name: str = Field(description="Part: reactive, forecast, schedule, headroom, soon, hold, upstream, bounds, ...")
    replicas: Int32 | None = Field(default=None, description="Number of pods that it asks for or allows.")
    reason: str = Field(description="Why, as one CamelCase word for programs.")
    message: str = Field(description="Why, as one sentence for people.")
    decides: bool | None = Field(
        default=None,
        description="True for the part that sets the number; in mode Observe, the number that mode Auto would have.",
    )


class ForecastStatus(ApiModel):
    """What the forecast looks at, and how good it was in the last hour."""

    horizon_seconds: float = Field(description="How far it looks ahead, in seconds: until a new pod would serve.")
    coverage_percent: float | None = Field(
        default=None,
        description="How many of the last hour's loads, in percent, did not exceed the bound that was to hold for 95. "
        "Written again when it has moved by one percent.",
    )
    pinball_loss: float | None = Field(
        default=None, description="Mean pinball loss of that bound, in requests: less is better. Written with coverage."
    )
    message: str | None = Field(default=None, description="What is missing before it can be judged, as one sentence.")


class ScalingChange(ApiModel):
    """One change of the number of pods, or a run of steps in one direction for one reason."""

    time: Timestamp = Field(description="When it was; of a run, its last step.")
    since: Timestamp | None = Field(default=None, description="The first step of a run.")
    from_: Int32 = Field(alias="from", description="Number of pods before.")
    to: Int32 = Field(description="Number of pods after.")
    reason: str = Field(description="Why, as one CamelCase word for programs.")
    message: str = Field(description="Why, as one sentence for people.")
    observed: bool | None = Field(
        default=None, description="True in mode Observe: mode Auto would have made this change, nothing was touched."
    )


class ScalingStatus(ApiModel):
    """Why desiredReplicas is what it is. Loads and messages are of the time when a number or a reason last changed."""

    reason: str = Field(description="Why, as one CamelCase word for programs.")
    message: str = Field(description="Why, as one sentence for people.")
    auto_replicas: Int32 | None = Field(
        default=None, description="Number of pods that mode Auto would have, in mode Observe."
    )
    load: float | None = Field(
        default=None, description="Requests in flight, queued and lately refused, as far as known."
    )
    forecast: ForecastStatus | None = Field(
        default=None, description="How far the forecast looks and how good it was, in the modes Auto and Observe."
    )
    history: tuple[ScalingChange, ...] | None = Field(
        default=None, description="The latest changes of the number, at most 20, newest first."
    )
    terms: tuple[ScalingTerm, ...] | None = Field(
        default=None,
        description="All parts of the decision in their order, in the modes Auto and Observe. Their messages are of "
        "the time when a number or a reason last changed.",
    )


class AgentDeploymentStatus(ApiModel):
    """What is there now. Written by the operator."""

    observed_generation: Int64 | None = Field(
        default=None, description="metadata.generation that the operator has acted on."
    )
    desired_replicas: Int32 | None = Field(
        default=None, description="Number of pods that the operator wants now; scaling says why."
    )
    replicas: Int32 | None = Field(default=None, description="Number of pods that exist.")
    ready_replicas: Int32 | None = Field(default=None, description="Number of pods that are warm and serve.")
    available_replicas: Int32 | None = Field(
        default=None, description="Number of pods that the Deployment counts as available."
    )
    updated_replicas: Int32 | None = Field(default=None, description="Number of pods of the current revision.")
    selector: str | None = Field(default=None, description="Label selector of the pods, for autoscalers.")
    revision: str | None = Field(default=None, description="Label prewarm.dev/revision of the current pods.")
    startup: StartupStatus | None = Field(
        default=None, description="How long the latest pods took from created to Ready."
    )
    scaling: ScalingStatus | None = Field(default=None, description="Why desiredReplicas is what it is.")
    conditions: tuple[Condition, ...] = Field(
        default=(),
        description="Ready: enough warm pods serve. Progressing: a change is on its way. Warm: all pods are warm. "
        "AgentValid: the agent's spec could be loaded. ScalingActive: the number of pods follows this object. "
        "UpToDate: the pods are as the present operator makes them.",
        json_schema_extra=list_map("type"),
    )
