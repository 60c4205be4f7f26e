"""Traces for an OTLP collector, if the standard environment variables name one; otherwise its SDK is not imported.

The provider is kept here and not made the global one: AutoGen would write spans of its own to that, with the texts of
exceptions in them. Ours hold names, numbers and outcomes.
"""

import asyncio
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from prewarm_agent.observe import request

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, SpanKind

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_SECONDS = 2.0

_provider: "TracerProvider | None" = None


def wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a collector and does not switch traces off."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(environ.get(name) for name in ENDPOINTS)


def configure() -> None:
    """Imports the SDK, which takes a while, and starts its thread. The SDK reads all other variables by itself."""
    global _provider
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "prewarm-agent"}
    provider = TracerProvider(resource=Resource.create(name))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _provider = provider


def request_span(endpoint: str, headers: list[tuple[bytes, bytes]]) -> "Span | None":
    """A span that goes on from the client's `traceparent`, or None without traces. End it with `end`."""
    if _provider is None:
        return None
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {key.decode("latin-1"): value.decode("latin-1") for key, value in headers if key.startswith(b"trace")}
    context = TraceContextTextMapPropagator().extract(carrier)
    return _provider.get_tracer("prewarm").start_span(endpoint, context, SpanKind.SERVER)


def call_span(name: str, kind: "SpanKind", attributes: Mapping[str, str]) -> "Span | None":
    """A span under that of the current request, or None without traces."""
    if _provider is None:
        return None
    from opentelemetry.trace import set_span_in_context

    current = request.current.get()
    context = set_span_in_context(current.span) if current is not None and current.span is not None else None
    return _provider.get_tracer("prewarm").start_span(name, context, kind, dict(attributes))


def end(span: "Span | None", attributes: Mapping[str, str | int], *, error: str | None = None) -> None:
    """Ends a span; `error` is a word for what went wrong, never the text of an exception."""
    if span is None:
        return
    from opentelemetry.trace import StatusCode

    span.set_attributes(dict(attributes))
    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)
    span.end()


async def flush(timeout_seconds: float = FLUSH_SECONDS) -> None:
    """Sends what is left, and waits for it no longer than that."""
    if _provider is None:
        return
    loop = asyncio.get_running_loop()
    sent = asyncio.Event()

    def send(provider: "TracerProvider") -> None:
        provider.force_flush(int(timeout_seconds * 1000))
        loop.call_soon_threadsafe(sent.set)

    # Not in a thread of the pool: the tools may have taken all of them.
    threading.Thread(target=send, args=(_provider,), name="flush", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            await sent.wait()
