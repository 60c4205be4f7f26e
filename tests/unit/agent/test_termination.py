"""The line that the operator reads."""

import json

from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.termination import MAX_BYTES, message


def test_the_first_finding_decides_and_all_are_told() -> None:
    error = PermanentError(
        [Finding(Reason.UNKNOWN_KEY, "a.b", "is unknown."), Finding(Reason.INVALID_CONFIG, "c", "is wrong.")]
    )
    assert json.loads(message(error)) == {
        "reason": "UnknownKey",
        "message": "a.b: is unknown. c: is wrong.",
        "path": "a.b",
    }


def test_a_long_message_stays_within_what_the_kubelet_keeps_and_stays_json() -> None:
    findings = [Finding(Reason.UNKNOWN_KEY, f"agent.component.{n}", 'is "unknown" – ä.') for n in range(1000)]
    line = message(PermanentError(findings))
    assert len(line.encode()) <= MAX_BYTES
    assert "\n" not in line
    assert json.loads(line)["message"].startswith("agent.component.0: ")
    assert json.loads(line)["message"].endswith("…")
