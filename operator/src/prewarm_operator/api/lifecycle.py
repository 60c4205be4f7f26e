"""How a pod starts and how it leaves."""

from typing import Literal

from pydantic import Field

from prewarm_operator.api.model import ApiModel, Int32


class Warmup(ApiModel):
    """What happens before a pod may serve."""

    mode: Literal["offline", "connect", "live"] = Field(
        default="connect",
        description="offline runs the agent once against a model that is not there: every import is done, nothing "
        "leaves the pod. connect also opens the connection to the model API, without asking the model anything. "
        "Neither costs a token. live asks the model once, which does. Not used with agent.container. Default: connect.",
    )
    required: bool = Field(
        default=False,
        description="Whether a model API that cannot be reached keeps a starting pod from serving, with mode connect "
        "or live. If not, the pod serves and tries on. Default: false.",
    )
    timeout_seconds: Int32 = Field(
        default=300,
        ge=5,
        le=3600,
        description="Seconds that a start may take before the container is restarted. Default: 300.",
    )


class Drain(ApiModel):
    """How a pod leaves."""

    delay_seconds: Int32 = Field(
        default=5,
        ge=0,
        le=60,
        description="Seconds that a pod goes on accepting requests after it was told to stop, so that every node "
        "learns of it first. Default: 5.",
    )
    timeout_seconds: Int32 = Field(
        default=60,
        ge=1,
        le=3600,
        description="Seconds that requests in flight get to finish after the delay. Make it longer than your longest "
        "run. Default: 60.",
    )
