"""The values of the chart. values.yaml, values.schema.json and docs/reference/values.md are written from this file."""

from typing import Annotated, Literal

from pydantic import Field

from prewarm_chart.kubernetes import (
    Affinity,
    DnsLabel,
    EnvVar,
    LocalObjectReference,
    Model,
    NetworkPolicyPeer,
    Resources,
    Strings,
    Toleration,
    TopologySpreadConstraint,
)


class Section(Model):
    """A part of values.yaml. Each field has a description and a default, and can be set by itself."""


Digest = Annotated[str, Field(pattern="^(sha256:[0-9a-f]{64})?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
PrometheusDuration = Annotated[str, Field(pattern=r"^([0-9]+(ms|[smhdwy]))*$")]


class AgentImage(Section):
    repository: str = Field(
        default="localhost/prewarm-agent",
        min_length=1,
        description="Build it from the root of the repository: docker build -f agent_image/Dockerfile .",
    )
    tag: str = Field(default="", description="Empty: appVersion of the chart, unless digest is set.")
    digest: Digest = Field(default="", description="For example sha256:7f0c...: pins the image, whatever its tag.")


class OperatorImage(Section):
    repository: str = Field(
        default="localhost/prewarm-operator",
        min_length=1,
        description="Build it from the root of the repository: docker build -f operator/Dockerfile .",
    )
    tag: str = Field(default="", description="Empty: appVersion of the chart, unless digest is set.")
    digest: Digest = Field(default="", description="For example sha256:7f0c...: pins the image, whatever its tag.")
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(default="IfNotPresent", description="When to pull.")


class ServiceAccount(Section):
    create: bool = Field(default=True, description="Create it. If not, name says which it is.")
    name: str = Field(default="", description="Empty: the name of the release.")
    annotations: Strings = Field(default={}, description="For example those that give it an identity in a cloud.")


class Rbac(Section):
    aggregate: bool = Field(
        default=True,
        description="Extend the cluster's roles: who may edit workloads in a namespace (`edit`, `admin`) may edit "
        "AgentDeployments there, who may look (`view`) may look. Has no effect with watchNamespaces.",
    )


class PodDisruptionBudget(Section):
    enabled: bool = Field(
        default=True, description="Let a drain of nodes evict one replica at a time. Has no effect with 1 replica."
    )


class NetworkPolicy(Section):
    enabled: bool = Field(
        default=False,
        description="Let the operator's pods be reached on port 8080 alone, and reach the API server and DNS.",
    )
    api_server_ports: list[Port] = Field(
        default=[443, 6443],
        min_length=1,
        description="Ports of the API server: that of its Service, and the one it listens on.",
    )
    prometheus_ports: list[Port] = Field(
        default=[80, 443, 9090],
        description="Ports of Prometheus: that of its Service, and the one it listens on. Has no effect without "
        "prometheus.url.",
    )
    metrics_from: list[NetworkPolicyPeer] = Field(
        default=[], description="Who may read metrics, as in a NetworkPolicy. Empty: everybody who can reach the pods."
    )


class PrometheusAuth(Section):
    token_secret: str = Field(default="", description="Secret with a bearer token, in the namespace of the release.")
    token_key: str = Field(default="token", min_length=1, description="Its key.")
    basic_secret: str = Field(
        default="", description="Secret with username and password (kubernetes.io/basic-auth), instead of a token."
    )
    ca_secret: str = Field(
        default="",
        description="Secret with the certificate of the authority that vouches for the server. Empty: those of the "
        "operator's image.",
    )
    ca_key: str = Field(default="ca.crt", min_length=1, description="Its key.")
    certificate_secret: str = Field(
        default="", description="Secret with a certificate to show (kubernetes.io/tls: tls.crt and tls.key)."
    )


class Prometheus(Section):
    url: Annotated[str, Field(pattern="^(https?://.+)?$")] = Field(
        default="",
        description="For example http://prometheus.monitoring:9090, or what speaks its HTTP API, with its path. "
        "Empty: the load streams of the pods count alone.",
    )
    headers: Strings = Field(default={}, description="Sent with each question, for example X-Scope-OrgID of a tenant.")
    auth: PrometheusAuth = Field(
        default=PrometheusAuth(), description="Who asks. Secrets are read anew when they change."
    )


class ServiceMonitor(Section):
    enabled: bool = Field(
        default=False, description="Have the Prometheus Operator scrape the operator. Needs its CRDs in the cluster."
    )
    labels: Strings = Field(default={}, description="Labels by which your Prometheus selects its ServiceMonitors.")
    interval: PrometheusDuration = Field(default="", description="For example 30s. Empty: Prometheus's own.")


class PodMonitor(Section):
    enabled: bool = Field(
        default=False, description="Have the Prometheus Operator scrape the agents. Needs its CRDs in the cluster."
    )
    labels: Strings = Field(default={}, description="Labels by which your Prometheus selects its PodMonitors.")
    interval: PrometheusDuration = Field(default="", description="For example 15s. Empty: Prometheus's own.")


class PrometheusRule(Section):
    enabled: bool = Field(
        default=False, description="Install the alerts. Needs the Prometheus Operator's CRDs in the cluster."
    )
    labels: Strings = Field(default={}, description="Labels by which your Prometheus selects its PrometheusRules.")
    slow_start_seconds: int = Field(
        default=30, ge=1, description="Alert when a pod took longer from the start of its process until it was warm."
    )


class NodeHeadroom(Section):
    mode: Literal["Disabled", "Auto", "CapacityBuffer", "Placeholder"] = Field(
        default="Disabled",
        description="Keep places on nodes free for the pods that agents in mode Auto are expected to need within "
        "minutes. CapacityBuffer: cluster-autoscaler or Karpenter keep them. Placeholder: pods that do nothing and "
        "give way. Auto: CapacityBuffer where the cluster serves that kind, else Placeholder. It costs nodes: "
        "docs/guide/cluster-autoscaling.md.",
    )
    placeholder_image: str = Field(
        default="registry.k8s.io/pause:3.10",
        min_length=1,
        description="Image of the placeholder pods. It does nothing, runs as a user other than root, and writes "
        "nothing.",
    )
    priority_class_name: str = Field(
        default="",
        description="PriorityClass of the placeholder pods. Empty: one of value -10 is made. With watchNamespaces, "
        "where nothing of the cluster's is made, one that exists.",
    )


class Crds(Section):
    enabled: bool = Field(
        default=True, description="Install and upgrade the CustomResourceDefinitions with this release."
    )
    keep: bool = Field(
        default=True,
        description="Leave them, and with them every AgentDeployment, in the cluster when the release is uninstalled.",
    )


class Values(Section):
    """All values, in the order of values.yaml."""

    replicas: int = Field(
        default=2, ge=1, description="Operator's pods. One of them acts, the others take over when it goes."
    )
    image: OperatorImage = Field(default=OperatorImage(), description="Image of the operator.")
    agent_image: AgentImage = Field(
        default=AgentImage(), description="Image that runs an agent whose AgentDeployment names no image of its own."
    )
    image_pull_secrets: list[LocalObjectReference] = Field(
        default=[],
        description="Secrets, by name, with which the operator's image is pulled. Agents have their own: "
        "spec.imagePullSecrets of an AgentDeployment.",
    )
    watch_namespaces: list[DnsLabel] = Field(
        default=[],
        description="Empty: the whole cluster. Else these namespaces alone, by Roles, without any ClusterRole; they "
        "must exist.",
    )
    resources: Resources = Field(
        default=Resources(requests={"cpu": "50m", "memory": "128Mi"}, limits={"memory": "512Mi"}),
        description="CPU and memory of an operator's pod.",
    )
    extra_env: list[EnvVar] = Field(default=[], description="More environment variables of the operator.")
    pod_annotations: Strings = Field(default={}, description="Annotations of the operator's pods.")
    pod_labels: Strings = Field(default={}, description="More labels of the operator's pods.")
    node_selector: Strings = Field(default={}, description="Labels of the nodes on which the operator may run.")
    tolerations: list[Toleration] = Field(default=[], description="Taints that the operator's pods tolerate.")
    affinity: Affinity = Field(default=Affinity(), description="Nodes and pods to be near to, or away from.")
    topology_spread_constraints: list[TopologySpreadConstraint] = Field(
        default=[], description="Empty: replicas prefer different nodes."
    )
    priority_class_name: str = Field(default="", description="PriorityClass of the operator's pods.")
    pod_disruption_budget: PodDisruptionBudget = Field(
        default=PodDisruptionBudget(), description="What a drain of nodes may do to the operator."
    )
    service_account: ServiceAccount = Field(
        default=ServiceAccount(), description="ServiceAccount that the operator runs under."
    )
    rbac: Rbac = Field(default=Rbac(), description="Rights of people.")
    network_policy: NetworkPolicy = Field(default=NetworkPolicy(), description="NetworkPolicy of the operator's pods.")
    prometheus: Prometheus = Field(
        default=Prometheus(), description="Where the operator asks for the load of agents and for its past."
    )
    service_monitor: ServiceMonitor = Field(default=ServiceMonitor(), description="Metrics of the operator.")
    pod_monitor: PodMonitor = Field(default=PodMonitor(), description="Metrics of the agents.")
    prometheus_rule: PrometheusRule = Field(default=PrometheusRule(), description="Alerts about operator and agents.")
    node_headroom: NodeHeadroom = Field(default=NodeHeadroom(), description="Places on nodes for pods to come.")
    crds: Crds = Field(default=Crds(), description="The kinds that Prewarm adds to Kubernetes.")
