"""Spans at a collector: a real OTLP/HTTP receiver."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
from component.agent.agent_process import running
from component.agent.model_server import ModelServer
from component.agent.specs import assistant, spec
from component.agent.test_tools import function_tool, with_tools
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECRET = "the-text-of-a-user"
BODY = {"model": "support", "messages": [{"role": "user", "content": SECRET}]}


@contextmanager
def collector() -> Iterator[tuple[str, list[Span], list[bytes]]]:
    """Its URL, the spans it was sent, and the bodies that they came in."""
    spans: list[Span] = []
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            bodies.append(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans, bodies
    finally:
        server.shutdown()
        server.server_close()


async def test_a_request_and_its_model_call_continue_the_clients_trace_and_are_sent_at_the_drain(
    model: ModelServer,
) -> None:
    with collector() as (url, spans, bodies):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        async with running(spec(assistant(model.url)), **environment, OTEL_BSP_SCHEDULE_DELAY="60000") as agent:
            await agent.warm()
            headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
            async with httpx.AsyncClient(timeout=30) as client:
                answer = await client.post(f"{agent.url}/v1/chat/completions", json=BODY, headers=headers)
            assert answer.status_code == 200
            agent.terminate()
            assert await agent.exit_code() == 0
        served, called = sorted(spans, key=lambda span: span.name)
        assert (served.name, called.name) == ("chat_completions", "model call")
        assert {served.trace_id.hex(), called.trace_id.hex()} == {TRACE}
        assert called.parent_span_id == served.span_id
        assert SECRET.encode() not in b"".join(bodies)


async def test_a_tools_call_is_a_span_under_the_requests_and_says_nothing_of_what_went_in_or_wrong(
    model: ModelServer,
) -> None:
    source = "def lookup(text: str) -> str:\n    raise ValueError(text)\n"
    with collector() as (url, spans, bodies):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        async with running(with_tools(model.url, function_tool("lookup", source)), **environment) as agent:
            await agent.warm()
            await agent.ask(f'CALL=lookup {{"text": "{SECRET}"}}')
            agent.terminate()
            assert await agent.exit_code() == 0
        (served,) = [span for span in spans if span.name == "chat_completions"]
        (called,) = [span for span in spans if span.name == "tool call"]  # none of the rehearsal
        assert (called.trace_id, called.parent_span_id) == (served.trace_id, served.span_id)
        attributes = {attribute.key: attribute.value.string_value for attribute in called.attributes}
        assert attributes == {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "lookup",
            "error.type": "error",
        }
        assert SECRET.encode() not in b"".join(bodies)


async def test_a_collector_that_is_away_does_not_keep_the_process_from_ending(model: ModelServer) -> None:
    async with running(spec(assistant(model.url)), OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1") as agent:
        await agent.warm()
        await agent.ask("hello")
        agent.terminate()
        async with asyncio.timeout(30):
            assert await agent.exit_code() == 0
