"""Settings of the operator, field by field. The chart sets them as environment variables."""

import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from prewarm_operator.render.headroom import Placeholders
from prewarm_operator.signals.server import Server, is_address
from prewarm_operator.world.places import OFF, HeadroomMode, NodeHeadroom

WORKERS = 16
"""Reconciles at the same time. They only wait for the API server; a write that hangs in somebody's webhook holds one of
them for up to 15 seconds, and must not hold them all."""

RECONCILE_TIMEOUT_SECONDS = 60.0
"""A reconcile that takes longer is broken off and tried again: it must not hold a worker for ever."""

DRAIN_SECONDS = 5.0
"""Reconciles in work get this long to end when the operator is told to stop."""

HTTP_PORT = 8080
"""Probes and metrics of the operator."""


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and the remedy."""


@dataclass(frozen=True)
class LeaseTimes:
    """How replicas agree on who writes; the defaults and the names are those of client-go.

    Attributes:
        duration_seconds: others wait this long after the last renewal that they saw before they take over.
        renew_deadline_seconds: the leader starts no write when its last renewal is older than this.
        retry_seconds: pause between two attempts to acquire or renew, and the bound of each call that they make.

    Raises:
        SettingsError: the three are not each shorter than the one before.
    """

    duration_seconds: int = 15
    renew_deadline_seconds: float = 10.0
    retry_seconds: float = 2.0

    def __post_init__(self) -> None:
        if not self.duration_seconds > self.renew_deadline_seconds > self.retry_seconds > 0:
            raise SettingsError(
                "--lease-seconds must be longer than --renew-deadline-seconds, and that longer than --retry-seconds: "
                f"got {self.duration_seconds}, {self.renew_deadline_seconds:g} and {self.retry_seconds:g}"
            )


@dataclass(frozen=True)
class Settings:
    """Attributes:
    agent_image: PREWARM_AGENT_IMAGE, the image of agents whose spec names none.
    namespace: PREWARM_NAMESPACE, the operator's own; the Lease lies there. "" outside a cluster: then this process
        takes itself for the only one.
    pod_name: PREWARM_POD_NAME, by default the host's name. Audit log, Lease and events name the replica by it.
    watch_namespaces: PREWARM_WATCH_NAMESPACES, separated by commas; empty is the whole cluster.
    lease: times of leader election.
    resync_seconds: every kind is listed again this often, and every AgentDeployment looked at: what watches missed, and
        children that are not watched, are repaired within this time.
    prometheus: where it is and who asks, from PREWARM_PROMETHEUS_URL, _HEADERS (a JSON object) and the files named by
        _TOKEN_FILE, _USERNAME_FILE, _PASSWORD_FILE, _CA_FILE, _CERTIFICATE_FILE and _KEY_FILE; None without a URL.
    node_headroom: PREWARM_NODE_HEADROOM, by what places on nodes are kept free; PREWARM_PLACEHOLDER_IMAGE and
        PREWARM_PLACEHOLDER_PRIORITY_CLASS, what placeholder pods are made of.
    """

    agent_image: str
    namespace: str = ""
    pod_name: str = field(default_factory=socket.gethostname)
    watch_namespaces: tuple[str, ...] = ()
    lease: LeaseTimes = field(default_factory=LeaseTimes)
    resync_seconds: float = 300.0
    prometheus: Server | None = None
    node_headroom: NodeHeadroom = OFF


def from_environment(lease: LeaseTimes, resync_seconds: float) -> Settings:
    """Read the settings; `lease` and `resync_seconds` come from the command line.

    Raises:
        SettingsError: PREWARM_AGENT_IMAGE is not set, or another one has a value that it cannot have.
    """
    image = os.environ.get("PREWARM_AGENT_IMAGE", "")
    if not image:
        raise SettingsError("PREWARM_AGENT_IMAGE is not set: give it the agent image, as the chart does")
    namespaces = (name.strip() for name in os.environ.get("PREWARM_WATCH_NAMESPACES", "").split(","))
    return Settings(
        agent_image=image,
        namespace=os.environ.get("PREWARM_NAMESPACE", ""),
        pod_name=os.environ.get("PREWARM_POD_NAME") or socket.gethostname(),
        watch_namespaces=tuple(dict.fromkeys(name for name in namespaces if name)),
        lease=lease,
        resync_seconds=resync_seconds,
        prometheus=_prometheus(),
        node_headroom=_node_headroom(),
    )


def _prometheus() -> Server | None:
    url = os.environ.get("PREWARM_PROMETHEUS_URL", "")
    if not url:
        return None
    if not is_address(url):
        raise SettingsError(
            f"PREWARM_PROMETHEUS_URL is {url!r}: let it begin with http:// or https:// and go on with a host"
        )
    try:
        headers = {str(name): str(value) for name, value in json.loads(_of_prometheus("HEADERS") or "{}").items()}
    except (ValueError, AttributeError) as error:
        raise SettingsError("PREWARM_PROMETHEUS_HEADERS must be a JSON object of strings") from error
    return Server(
        url,
        bearer_token_file=_file("TOKEN"),
        username_file=_file("USERNAME"),
        password_file=_file("PASSWORD"),
        ca_file=_file("CA"),
        certificate_file=_file("CERTIFICATE"),
        key_file=_file("KEY"),
        headers=headers,
    )


def _file(name: str) -> Path | None:
    value = _of_prometheus(f"{name}_FILE")
    return Path(value) if value else None


def _of_prometheus(name: str) -> str:
    return os.environ.get(f"PREWARM_PROMETHEUS_{name}", "")


def _node_headroom() -> NodeHeadroom:
    text = os.environ.get("PREWARM_NODE_HEADROOM", HeadroomMode.OFF)
    if text not in tuple(HeadroomMode):
        raise SettingsError(f"PREWARM_NODE_HEADROOM is {text!r}: it must be one of {', '.join(HeadroomMode)}")
    made_of = Placeholders(
        image=os.environ.get("PREWARM_PLACEHOLDER_IMAGE", ""),
        priority_class=os.environ.get("PREWARM_PLACEHOLDER_PRIORITY_CLASS", ""),
    )
    mode = HeadroomMode(text)
    if mode in (HeadroomMode.AUTO, HeadroomMode.PLACEHOLDER) and not (made_of.image and made_of.priority_class):
        raise SettingsError(
            f"PREWARM_NODE_HEADROOM is {mode}: set PREWARM_PLACEHOLDER_IMAGE and PREWARM_PLACEHOLDER_PRIORITY_CLASS, "
            "as the chart does"
        )
    return NodeHeadroom(mode, made_of)
