"""Every metric of the operator; docs/reference/metrics.md explains them to people."""

from prometheus_client import Counter, Gauge, Histogram

LEADER = Gauge("prewarm_operator_leader", "1 while this replica is the one that writes, else 0.")

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

API_REQUESTS = Counter(
    "prewarm_operator_api_requests_total",
    "Calls to the API server by HTTP method and status; <error> is none.",
    ["verb", "code"],
)

API_REQUEST_SECONDS = Histogram(
    "prewarm_operator_api_request_duration_seconds",
    "Duration of calls to the API server, answered or not.",
    ["verb"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 5, 15),
)

CREATED_TO_READY_SECONDS = Histogram(
    "prewarm_operator_created_to_ready_seconds",
    "Time from the creation of an agent's pod to its first Ready, over all agents.",
    buckets=(0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)

AGENT_DEPLOYMENTS = Gauge(
    "prewarm_operator_agent_deployments", "AgentDeployments by the status of their condition Ready.", ["ready"]
)

WATCH_RESTARTS = Counter(
    "prewarm_operator_watch_restarts_total", "Times that all watches had to be started anew after a fatal error."
)

LAST_RESYNC = Gauge(
    "prewarm_operator_last_resync_timestamp_seconds",
    "When the last complete listing of all kinds began, in seconds since the epoch; 0 before the first.",
)

EVENT_LOOP_LAG_SECONDS = Histogram(
    "prewarm_operator_event_loop_lag_seconds",
    "How much later than due a timer of the event loop fired, once a second.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

FORECAST_SECONDS = Histogram(
    "prewarm_operator_forecast_duration_seconds",
    "Duration of a tick's forecast for all agents in the modes Auto and Observe.",
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2),
)

PROMETHEUS_QUESTIONS = Counter(
    "prewarm_operator_prometheus_questions_total",
    "Questions to Prometheus by what they are about and how they ended.",
    ["about", "outcome"],
)
for _about in ("fleet", "own_query", "history"):
    for _outcome in ("ok", "unavailable", "slow", "refused", "no_queries", "query", "unusable"):
        PROMETHEUS_QUESTIONS.labels(_about, _outcome)

HINDERED = Gauge(
    "prewarm_operator_hindered_agents",
    "Agents in the modes Auto and Observe whose number does not follow load and forecast, by the reason.",
    ["reason"],
)
for _reason in ("LoadUnknown", "LoadPartlyKnown", "UpstreamLimited", "ForecastPoor"):
    HINDERED.labels(_reason)
