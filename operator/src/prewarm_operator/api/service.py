"""The Service in front of the pods."""

from typing import Literal

from pydantic import Field

from prewarm_operator.api.model import ApiModel, Port
from prewarm_operator.api.pod_template import Annotations


class ServiceSettings(ApiModel):
    """The Service in front of the pods. It carries the AgentDeployment's name."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field(
        default="ClusterIP",
        description="From where it can be reached: inside the cluster, at every node, or through a load balancer of "
        "the cloud. Default: ClusterIP.",
    )
    port: Port = Field(default=80, description="Port that it listens on. Default: 80.")
    annotations: Annotations | None = Field(
        default=None, description="Annotations of the Service, for example what the cloud's load balancer reads."
    )
