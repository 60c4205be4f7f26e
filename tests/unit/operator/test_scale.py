import pytest
from unit.operator.builders import agent, snapshot

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scale import scale


@pytest.mark.parametrize(
    ("replicas", "expected", "reason"),
    [
        (0, 2, reasons.RAISED_TO_MINIMUM),
        (1, 2, reasons.RAISED_TO_MINIMUM),
        (2, 2, reasons.SPEC_REPLICAS),
        (5, 5, reasons.SPEC_REPLICAS),
        (6, 5, reasons.LOWERED_TO_MAXIMUM),
    ],
)
def test_replicas_are_kept_within_the_bounds(replicas: int, expected: int, reason: str) -> None:
    verdict = scale(snapshot(agent(replicas=replicas, minReplicas=2, maxReplicas=5)))
    assert (verdict.replicas, verdict.reason) == (expected, reason)


def test_the_sentence_names_both_numbers() -> None:
    assert "spec.replicas is 0" in scale(snapshot(agent(replicas=0))).message
    assert "keeps 2" in scale(snapshot(agent(replicas=0))).message
