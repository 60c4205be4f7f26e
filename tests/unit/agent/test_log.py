"""One JSON object a line."""

import json
import logging

from prewarm_agent.log import JSONLines


def record(message: str, **fields: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "x", "levelno": 30, "levelname": "WARNING", "msg": message, **fields})


def test_fields_stand_beside_a_constant_message() -> None:
    line = json.loads(JSONLines().format(record("phase finished", phase="import", seconds=0.5)))
    assert line["message"] == "phase finished"
    assert (line["level"], line["phase"], line["seconds"]) == ("warning", "import", 0.5)
    assert set(line) == {"time", "level", "logger", "message", "phase", "seconds"}


def test_what_json_cannot_hold_and_several_lines_stay_one_line() -> None:
    text = JSONLines().format(record("a\nb", path=object()))
    assert "\n" not in text
    assert json.loads(text)["message"] == "a\nb"
