"""Every metric of the operator."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter(
    "prewarm_operator_reconciles_total", "Reconciles of AgentDeployments by how they ended.", ["outcome"]
)
for _outcome in ("done", "retry", "crashed"):
    RECONCILES.labels(_outcome)

RECONCILE_SECONDS = Histogram(
    "prewarm_operator_reconcile_duration_seconds",
    "Duration of a reconcile, writes included.",
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)

QUEUE_DEPTH = Gauge("prewarm_operator_queue_depth", "AgentDeployments that wait for a reconcile.")

WATCH_RESTARTS = Counter(
    "prewarm_operator_watch_restarts_total", "Times that all watches had to be started anew after a fatal error."
)
