"""Structured logs: one JSON object a line, a constant message, the rest as fields (`extra={...}`)."""

import json
import logging
import sys
import time
import warnings

from prewarm_agent.serve.request_id import request_id

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JSONLines(logging.Formatter):
    """Formats a record and whatever was passed as `extra` as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD_FIELDS)
        if name := request_id.get():
            line["request_id"] = name
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def configure() -> None:
    """Sends everything at INFO and above to standard error, and keeps prompts and keys out of it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    # AutoGen's quote tool calls, and one comes with every call of a model whose server gives it another name.
    # They name the caller, which is AutoGen itself or what watches its calls.
    warnings.filterwarnings("ignore", module=r"autogen_|prewarm_agent\.observe\.calls")
    # pydantic's quote the value: with structured output, every answer's text. Python would also remember each of them.
    warnings.filterwarnings("ignore", "Pydantic serializer warnings")
    # AutoGen's events hold whole prompts, and its tracebacks hold what the model's server wrote, prompts included.
    for name in ("autogen_core", "autogen_core.events", "autogen_agentchat", "autogen_agentchat.events"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
        logging.getLogger(name).propagate = False
    # It logs what it cannot read, which may be what a tool said; why a server is away is told by its connection.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    # One line for each call of the model, with its URL.
    for name in ("anthropic", "azure", "httpx", "httpx2", "openai", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
