"""Every reason that Prewarm itself gives, used alike in conditions, events and metrics.

A fault of a pod keeps the reason that the runtime or the kubelet gave (docs/reference/reasons.md lists them).
"""

# scaling
SPEC_REPLICAS = "SpecReplicas"
RAISED_TO_MINIMUM = "RaisedToMinimum"
LOWERED_TO_MAXIMUM = "LoweredToMaximum"
HELD_AFTER_AUTOSCALER = "HeldAfterAutoscaler"
LOAD_NOW = "LoadNow"
LOAD_UNKNOWN = "LoadUnknown"
LOAD_PARTLY_KNOWN = "LoadPartlyKnown"
LOAD_FORECAST = "LoadForecast"
NO_FORECAST = "NoForecast"
FORECAST_POOR = "ForecastPoor"
NEEDED_SOON = "NeededSoon"
SCHEDULE = "Schedule"
HEADROOM = "Headroom"
PROMETHEUS_UNAVAILABLE = "PrometheusUnavailable"
PROMETHEUS_SLOW = "PrometheusSlow"
PROMETHEUS_REFUSES = "PrometheusRefuses"
PROMETHEUS_WITHOUT_QUERIES = "PrometheusWithoutQueries"
PROMETHEUS_UNUSABLE = "PrometheusUnusable"
QUERY_FAILED = "QueryFailed"
NODE_HEADROOM = "NodeHeadroom"
NO_CAPACITY_BUFFER = "NoCapacityBuffer"
UPSTREAM_LIMITED = "UpstreamLimited"
STABILIZING = "Stabilizing"
PACED = "Paced"
PAUSED = "Paused"

# condition ScalingActive
PREWARM_SCALES = "PrewarmScales"
AUTOSCALER_ON_CHILD = "AutoscalerOnChild"
AUTOSCALER_NOT_READ = "AutoscalerNotRead"
SCHEDULE_NOT_UNDERSTOOD = "ScheduleNotUnderstood"
SCHEDULE_BELOW_MINIMUM = "ScheduleBelowMinimum"

# condition UpToDate
LATEST = "Latest"
UPDATE_AVAILABLE = "UpdateAvailable"

# condition AgentValid
AGENT_LOADED = "AgentLoaded"
NO_POD_WARM_YET = "NoPodWarmYet"
SPEC_NOT_UNDERSTOOD = "SpecNotUnderstood"

# condition Warm
ALL_WARM = "AllWarm"
WARMING_UP = "WarmingUp"
UNSCHEDULABLE = "Unschedulable"

# condition Ready
MINIMUM_SERVES = "MinimumServes"
BELOW_MINIMUM = "BelowMinimum"
NAME_CONFLICT = "NameConflict"
CHILD_REFUSED = "ChildRefused"
POD_REFUSED = "PodRefused"

# condition Progressing
SETTLED = "Settled"
ROLLING_OUT = "RollingOut"
SCALING = "Scaling"
STUCK = "Stuck"

# events
SCALED = "Scaled"
REPAIRED = "Repaired"
ROLLOUT_UNDONE = "RolloutUndone"
