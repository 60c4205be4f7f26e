"""How many pods an AgentDeployment should have."""

from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.decide import reasons
from prewarm_operator.decide.plan import Scale


def scale(spec: AgentDeploymentSpec) -> Scale:
    """Mode External: what spec.replicas says, within the bounds."""
    wanted, low, high = spec.replicas, spec.min_replicas, spec.max_replicas
    if wanted < low:
        return Scale(
            low, reasons.RAISED_TO_MINIMUM, f"spec.replicas is {wanted}, spec.minReplicas keeps {low} pods warm"
        )
    if wanted > high:
        return Scale(high, reasons.LOWERED_TO_MAXIMUM, f"spec.replicas is {wanted}, spec.maxReplicas allows {high}")
    return Scale(wanted, reasons.SPEC_REPLICAS, f"spec.replicas is {wanted}")
