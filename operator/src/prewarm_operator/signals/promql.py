"""What Prometheus is asked: the load of all agents in one query, told apart by target labels.

The labels `namespace` and `agent` are set by the scrape configuration (the chart's PodMonitor). A pod that sends labels
of these names finds them renamed to `exported_...`, so it speaks for itself alone.
"""

_BY_AGENT = "by (namespace, agent)"
_IN_FLIGHT = 'prewarm_agent_requests_in_flight{agent!=""}'
_QUEUED = 'prewarm_agent_requests_queued{agent!=""}'

# As many as in 5 s, which is how long a refused request counts in a load stream. Two minutes hold four scrapes even
# at an interval of 30 s, and `rate` minds restarts.
_REFUSED = 'rate(prewarm_agent_requests_rejected_total{agent!="",reason="overloaded"}[2m])'
_REFUSED_SECONDS = 5

_PARTS = {
    "in_flight": f"sum {_BY_AGENT} ({_IN_FLIGHT})",
    "queued": f"sum {_BY_AGENT} ({_QUEUED})",
    "refused": f"{_REFUSED_SECONDS} * sum {_BY_AGENT} ({_REFUSED})",
    # A pod that says less than nothing would take its peers' load out of the sum.
    "least": f'min {_BY_AGENT} ({{__name__=~"prewarm_agent_requests_(in_flight|queued)",agent!=""}})',
    # Pods that take new requests: a pod that drains stays ready for a while, but adds no capacity.
    "pods": f'count {_BY_AGENT} (prewarm_agent_ready{{agent!=""}} > prewarm_agent_draining{{agent!=""}})',
    "oldest": f"min {_BY_AGENT} (timestamp({_IN_FLIGHT}))",
    "newest": f"max {_BY_AGENT} (timestamp({_IN_FLIGHT}))",
}

FLEET = " or ".join(f'label_replace({query}, "part", "{part}", "", "")' for part, query in _PARTS.items())
"""One sample for each agent and part: namespace, agent, part."""

_PRESENT = f"sum {_BY_AGENT} ({_IN_FLIGHT})"
HISTORY = f"{_PRESENT} + ({_PARTS['queued']}) + (({_PARTS['refused']}) or 0 * {_PRESENT})"
"""The load of each agent over time."""
