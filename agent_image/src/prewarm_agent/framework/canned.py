"""What the model clients are answered in a rehearsal: the least that each vendor's wire format allows."""

import json
from dataclasses import dataclass
from typing import Any

_TEXT = "ok"


@dataclass(frozen=True, slots=True)
class Canned:
    status: int
    media_type: str
    content: bytes


def answer(path: str, body: bytes) -> Canned:
    """The answer to a request for `path`. What is not a chat call gets 503: a rehearsal has no network."""
    for suffix, plain, streamed in _FORMATS:
        if path.endswith(suffix):
            return streamed if _wants_stream(body, default=suffix == _OLLAMA_PATH) else plain
    return Canned(503, "application/json", b'{"error": {"message": "no network in a rehearsal"}}')


def _wants_stream(body: bytes, *, default: bool) -> bool:
    return bool(json.loads(body).get("stream", default))


def _json(value: dict[str, Any]) -> Canned:
    return Canned(200, "application/json", json.dumps(value).encode())


def _event_stream(*events: str) -> Canned:
    return Canned(200, "text/event-stream", "".join(f"{event}\n\n" for event in events).encode())


def _openai() -> tuple[Canned, Canned]:
    head = {"id": "rehearsal", "created": 0, "model": "rehearsal"}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    message = {"role": "assistant", "content": _TEXT}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    plain = _json({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    def chunk(delta: dict[str, str], finish_reason: str | None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return "data: " + json.dumps({**head, "object": "chat.completion.chunk", "choices": [choice]})

    deltas = [chunk({"role": "assistant", "content": letter}, None) for letter in _TEXT]
    return plain, _event_stream(*deltas, chunk({}, "stop"), "data: [DONE]")


def _anthropic() -> tuple[Canned, Canned]:
    head = {"id": "rehearsal", "type": "message", "role": "assistant", "model": "rehearsal", "stop_sequence": None}
    usage = {"input_tokens": 0, "output_tokens": 0}
    content = [{"type": "text", "text": _TEXT}]
    plain = _json({**head, "content": content, "stop_reason": "end_turn", "usage": usage})

    def event(kind: str, **fields: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}"

    deltas = [event("content_block_delta", index=0, delta={"type": "text_delta", "text": letter}) for letter in _TEXT]
    return plain, _event_stream(
        event("message_start", message={**head, "content": [], "stop_reason": None, "usage": usage}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *deltas,
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 0}),
        event("message_stop"),
    )


def _ollama() -> tuple[Canned, Canned]:
    head = {"model": "rehearsal", "created_at": "2026-01-01T00:00:00Z"}
    end = {"done": True, "done_reason": "stop", "prompt_eval_count": 0, "eval_count": 0}
    plain = _json({**head, "message": {"role": "assistant", "content": _TEXT}, **end})
    lines = [{**head, "message": {"role": "assistant", "content": letter}, "done": False} for letter in _TEXT]
    lines.append({**head, "message": {"role": "assistant", "content": ""}, **end})
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return plain, Canned(200, "application/x-ndjson", content)


_OLLAMA_PATH = "/api/chat"
_FORMATS = (
    ("/chat/completions", *_openai()),
    ("/messages", *_anthropic()),
    (_OLLAMA_PATH, *_ollama()),
)
