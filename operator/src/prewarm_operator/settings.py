"""Settings of the operator, field by field. The chart sets them as environment variables."""

import os
from dataclasses import dataclass

RESYNC_SECONDS = 300.0
"""Every kind is listed again this often, and every AgentDeployment looked at: what watches missed, and children that
are not watched, are repaired within this time."""

WORKERS = 4
"""Reconciles at the same time. They wait for the API server, so few are enough."""

RECONCILE_TIMEOUT_SECONDS = 60.0
"""A reconcile that takes longer is broken off and tried again: it must not hold a worker for ever."""

HTTP_PORT = 8080
"""Probes and metrics of the operator."""


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and the remedy."""


@dataclass(frozen=True)
class Settings:
    """Attributes:
    agent_image: PREWARM_AGENT_IMAGE, the image of agents whose spec names none.
    """

    agent_image: str


def from_environment() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: PREWARM_AGENT_IMAGE is not set.
    """
    image = os.environ.get("PREWARM_AGENT_IMAGE", "")
    if not image:
        raise SettingsError("PREWARM_AGENT_IMAGE is not set: give it the agent image, as the chart does")
    return Settings(agent_image=image)
