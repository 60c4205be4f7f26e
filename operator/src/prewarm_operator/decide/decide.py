"""The decision about one AgentDeployment: a chain of small verdicts, each with its reason.

snapshot -> scale -> render -> children -> Plan          (decide)
snapshot + Plan + what the writes met -> status, events  (report, in decide/status.py)
"""

from prewarm_operator.decide.children import decide_children
from prewarm_operator.decide.plan import Plan
from prewarm_operator.decide.scale import scale
from prewarm_operator.render import children
from prewarm_operator.world.snapshot import Snapshot


def decide(snapshot: Snapshot) -> Plan:
    """What to write so that the world becomes what the AgentDeployment wants."""
    wanted_scale = scale(snapshot.agent.spec)
    wanted = children.render(snapshot.agent, wanted_scale.replicas, snapshot.default_image)
    writes, problems = decide_children(snapshot, wanted)
    return Plan(wanted_scale, wanted.revision, writes, problems)
