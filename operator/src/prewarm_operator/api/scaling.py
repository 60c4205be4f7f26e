"""How the number of pods follows the load, in the modes Auto and Observe."""

from typing import Annotated

from pydantic import Field

from prewarm_operator.api.model import ApiModel, Int32, list_map

Duration = Annotated[str, Field(pattern=r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", min_length=2, max_length=20)]


class ScheduleWindow(ApiModel):
    """A time in which more pods are kept, whatever the load is."""

    name: str = Field(min_length=1, max_length=63, description="Name of the window, in messages.")
    time_zone: str = Field(
        default="UTC", min_length=1, max_length=64, description="Time zone of start, as Europe/Berlin. Default: UTC."
    )
    start: str = Field(
        min_length=9,
        max_length=100,
        description="When the window begins: a cron expression of five fields, as 30 6 * * 1-5 for 06:30 from Monday "
        "to Friday.",
    )
    duration: Duration = Field(description="How long it lasts, as 8h or 1h30m.")
    replicas: Int32 = Field(ge=1, description="Number of pods to keep at least, below maxReplicas.")


class PrometheusQuery(ApiModel):
    """A query of your own to the Prometheus that the operator was installed with."""

    query: str = Field(
        min_length=1,
        max_length=4096,
        description="PromQL that gives one number, the load in concurrent requests. Counts beside what the pods tell: "
        "the greater of the two.",
    )


class Scaling(ApiModel):
    """How the number of pods follows the load, in the modes Auto and Observe."""

    headroom: Int32 = Field(
        default=0, ge=0, le=1000, description="Pods on top of what load, forecast and schedule need. Default: 0."
    )
    target_cold_percent: float = Field(
        default=1.0,
        ge=0.05,
        le=50,
        description="How often, in percent, the load may exceed what the forecast has pods for: less is safer and "
        "costs more pods. Default: 1.0.",
    )
    prometheus: PrometheusQuery | None = Field(
        default=None, description="A query for load that the pods do not tell. Default: none."
    )
    paused: bool = Field(default=False, description="Whether the number of pods stays as it is. Default: false.")
    schedule: Annotated[tuple[ScheduleWindow, ...], Field(max_length=20)] = Field(
        default=(),
        description="Windows of time in which more pods are kept. Of overlapping ones the one with the most counts.",
        json_schema_extra=list_map("name"),
    )
