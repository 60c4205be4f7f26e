"""The decision about one AgentDeployment: a chain of small verdicts, each with its reason.

snapshot -> scale -> autoscaler -> node headroom -> pod template -> admission -> children, pods -> Plan     (decide)
snapshot + Plan + what the writes met -> status, events                                    (report, in decide/status.py)
"""

from prewarm_operator.decide import autoscaler, children, node_headroom, pods, retire, upgrade
from prewarm_operator.decide.admission import admit
from prewarm_operator.decide.plan import Plan
from prewarm_operator.decide.scale import scale
from prewarm_operator.render import children as rendered
from prewarm_operator.render import config_map, template
from prewarm_operator.world.snapshot import Snapshot


def decide(snapshot: Snapshot) -> Plan:
    """What to write so that the world becomes what the AgentDeployment wants."""
    agent = snapshot.agent
    count = node_headroom.node_headroom(snapshot, autoscaler.hand_over(snapshot, scale(snapshot)))
    config = config_map.render(agent)
    given = upgrade.given(snapshot)
    fresh = upgrade.restarted(snapshot, given, template.render(agent, config, snapshot.default_image))
    kept = upgrade.pod_template(snapshot, given, fresh)
    admission = admit(snapshot, kept)
    pod_template = admission.pods
    undone = upgrade.undone(snapshot, given, pod_template)
    places = node_headroom.objects(snapshot, count, pod_template)
    wanted = rendered.render(agent, count.replicas if count.ours else None, config, pod_template, places)
    writes, problems = children.decide_children(snapshot, wanted)
    relabels = pods.decide_pods(snapshot)
    allowed = admission.allowed(writes)
    return Plan(
        scale=count,
        revision=pod_template.revision,
        update=upgrade.update(kept, fresh),
        writes=(*relabels, *admission.asks, *retire.ranks(snapshot, allowed), *allowed),
        problems=(*admission.problems, *problems),
        notices=(*([] if undone is None else [undone]), *children.notices(writes), *pods.notices(relabels)),
        again_after_seconds=count.again_after_seconds,
    )
