"""A history as OpenMetrics text, which `promtool tsdb create-blocks-from openmetrics` reads."""

from __future__ import annotations

from collections.abc import Sequence

# What the operator asks for; nothing was queued or refused in the history.
IN_FLIGHT = "prewarm_agent_requests_in_flight"
QUEUED = "prewarm_agent_requests_queued"


def text(in_flight: Sequence[int], *, namespace: str, agent: str, end_epoch_seconds: int, scrape_seconds: int) -> str:
    """One sample each `scrape_seconds`, the last of them at the end, with the labels of the agent's scrape target."""
    labels = f'{{namespace="{namespace}",agent="{agent}"}}'
    begin = end_epoch_seconds - (len(in_flight) - 1) * scrape_seconds
    lines = []
    for name, values in ((IN_FLIGHT, in_flight), (QUEUED, [0] * len(in_flight))):
        lines.append(f"# TYPE {name} gauge")
        lines += [f"{name}{labels} {value} {begin + i * scrape_seconds}" for i, value in enumerate(values)]
    return "\n".join([*lines, "# EOF", ""])
