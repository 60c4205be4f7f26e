"""What Prometheus is asked: the load of all agents in one query, told apart by target labels.

The labels `namespace` and `agent` are set by the scrape configuration (the chart's PodMonitor). A pod that sends labels
of these names finds them renamed to `exported_...`, so it speaks for itself alone.
"""

from collections.abc import Collection

_BY_AGENT = "by (namespace, agent)"
_ALL = 'agent!=""'

MOST_NAMED = 50
"""Agents that a query names; beyond that it asks for all of them."""

# As many as in 5 s, which is how long a refused request counts in a load stream. Two minutes hold four scrapes even
# at an interval of 30 s, and `rate` minds restarts.
_REFUSED_SECONDS = 5


def _in_flight(where: str) -> str:
    return f"sum {_BY_AGENT} (prewarm_agent_requests_in_flight{{{where}}})"


def _queued(where: str) -> str:
    return f"sum {_BY_AGENT} (prewarm_agent_requests_queued{{{where}}})"


def _refused(where: str) -> str:
    counter = f'prewarm_agent_requests_rejected_total{{{where},reason="overloaded"}}'
    return f"{_REFUSED_SECONDS} * sum {_BY_AGENT} (rate({counter}[2m]))"


_PARTS = {
    "in_flight": _in_flight(_ALL),
    "queued": _queued(_ALL),
    "refused": _refused(_ALL),
    # A pod that says less than nothing would take its peers' load out of the sum.
    "least": f'min {_BY_AGENT} ({{__name__=~"prewarm_agent_requests_(in_flight|queued)",{_ALL}}})',
    # Pods that take new requests: a pod that drains stays ready for a while, but adds no capacity.
    "pods": f"count {_BY_AGENT} (prewarm_agent_ready{{{_ALL}}} > prewarm_agent_draining{{{_ALL}}})",
    "oldest": f"min {_BY_AGENT} (timestamp(prewarm_agent_requests_in_flight{{{_ALL}}}))",
    "newest": f"max {_BY_AGENT} (timestamp(prewarm_agent_requests_in_flight{{{_ALL}}}))",
}

FLEET = " or ".join(f'label_replace({query}, "part", "{part}", "", "")' for part, query in _PARTS.items())
"""One sample for each agent and part: namespace, agent, part."""


def history(agents: Collection[tuple[str, str]] = ()) -> str:
    """The load of each agent over time: of all, or of those of these namespaces and names (and maybe of others)."""
    where = _ALL
    if 0 < len(agents) <= MOST_NAMED:
        namespaces, names = ("|".join(sorted({agent[part] for agent in agents})) for part in (0, 1))
        where = f'namespace=~"{namespaces}",agent=~"{names}"'
    present = _in_flight(where)
    return f"{present} + ({_queued(where)}) + (({_refused(where)}) or 0 * {present})"
