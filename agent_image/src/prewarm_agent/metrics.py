"""Every metric of the runtime (docs/design/0001, section 4)."""

import importlib.metadata
import platform

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from prewarm_agent.startup.state import Lifecycle, Stage

disable_created_metrics()  # type: ignore[no-untyped-call]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "source"  # run from a checkout, where nothing is installed


# An agent's run takes from a tenth of a second to minutes.
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)

startup_phase_seconds = Gauge("prewarm_agent_startup_phase_seconds", "Duration of a startup phase.", ["phase"])
import_accelerated = Gauge(
    "prewarm_agent_import_accelerated", "1 for how the imports were done: accelerated, or plainly and why.", ["outcome"]
)
time_to_warm_seconds = Gauge("prewarm_agent_time_to_warm_seconds", "From the start of the process to warm.")
warm = Gauge("prewarm_agent_warm", "1 when the agent is warm.")
model_connected = Gauge(
    "prewarm_agent_model_connected", "1 when the warm-up reached the model's API (mode connect).", ["model"]
)
resources_built = Counter(
    "prewarm_agent_resources_built", "Shared resources built; flat once the agent is warm.", ["kind"]
)
first_request_seconds = Gauge("prewarm_agent_first_request_seconds", "Duration of the first request after warm.")
request_duration_seconds = Histogram(
    "prewarm_agent_request_duration_seconds",
    "Duration of the requests after the first, refused ones left out.",
    ["endpoint", "outcome"],
    buckets=_BUCKETS,
)
requests = Counter("prewarm_agent_requests", "Requests answered on the port for users.", ["endpoint", "code"])
requests_in_flight = Gauge("prewarm_agent_requests_in_flight", "Requests whose run has started and not ended.")
requests_queued = Gauge("prewarm_agent_requests_queued", "Requests that wait for a place.")
model_calls = Counter("prewarm_agent_model_calls", "Calls to models' APIs, by how they ended.", ["outcome"])
event_loop_lag_seconds = Histogram(
    "prewarm_agent_event_loop_lag_seconds",
    "How much later than due a timer of the event loop fired, measured twice a second.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10),
)
ready = Gauge("prewarm_agent_ready", "1 while new requests are welcome.")
draining = Gauge("prewarm_agent_draining", "1 after the process was told to stop.")
build_info = Gauge(
    "prewarm_agent_build_info", "Always 1; the versions are in the labels.", ["version", "autogen", "openai", "python"]
)

time_to_first_chunk_seconds = Histogram(
    "prewarm_agent_time_to_first_chunk_seconds",
    "From a request to the first bytes of its streamed answer.",
    ["endpoint"],
    buckets=_BUCKETS,
)
requests_rejected = Counter("prewarm_agent_requests_rejected", "Requests that this process refused to run.", ["reason"])
overhead_seconds = Histogram(
    "prewarm_agent_overhead_seconds",
    "Duration of a request without the time in which calls of models or tools were under way.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
model_call_duration_seconds = Histogram(
    "prewarm_agent_model_call_duration_seconds",
    "Duration of an agent's calls of models, retries included.",
    ["model", "outcome"],
    buckets=_BUCKETS,
)
model_tokens = Counter("prewarm_agent_model_tokens", "Tokens as the model's API counts them.", ["model", "direction"])
tool_call_duration_seconds = Histogram(
    "prewarm_agent_tool_call_duration_seconds",
    "Duration of calls of tools.",
    ["tool", "outcome"],
    buckets=(0.001, 0.005, 0.01, *_BUCKETS),
)
warmup_attempts = Counter(
    "prewarm_agent_warmup_attempts", "Attempts to prove what the agent needs.", ["mode", "outcome"]
)
for _kind in ("model_client", "ssl_context", "http_client", "tool", "workbench", "custom"):
    resources_built.labels(kind=_kind)


build_info.labels(
    version=_version("prewarm-agent"),
    autogen=_version("autogen-agentchat"),
    openai=_version("openai"),
    python=platform.python_version(),
).set(1)


def render(lifecycle: Lifecycle) -> bytes:
    """All metrics as Prometheus text, with the startup as `lifecycle` has it."""
    for phase, seconds in lifecycle.phase_seconds.items():
        startup_phase_seconds.labels(phase=phase).set(seconds)
    time_to_warm_seconds.set(lifecycle.time_to_warm_seconds or 0)
    warm.set(lifecycle.stage is Stage.WARM)
    ready.set(lifecycle.ready)
    draining.set(lifecycle.draining)
    return generate_latest(REGISTRY)
