"""The number that spec.replicas sets, in the modes External and Observe."""

from prewarm_operator.decide import reasons
from prewarm_operator.decide.scaling.model import Term

NAME = "spec"


def by_spec(wanted: int, low: int, high: int) -> Term:
    """spec.replicas within the bounds."""
    if wanted < low:
        return Term(
            NAME,
            low,
            reasons.RAISED_TO_MINIMUM,
            f"spec.replicas is {wanted}, spec.minReplicas keeps {low} pods warm",
        )
    if wanted > high:
        return Term(
            NAME, high, reasons.LOWERED_TO_MAXIMUM, f"spec.replicas is {wanted}, spec.maxReplicas allows {high}"
        )
    return Term(NAME, wanted, reasons.SPEC_REPLICAS, f"spec.replicas is {wanted}")
