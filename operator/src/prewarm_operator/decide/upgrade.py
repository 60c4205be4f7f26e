"""Which pod template the child gets: the one that it has, until the spec changes or the user asks for a new one."""

from prewarm_operator.decide import reasons
from prewarm_operator.decide.ownership import controlled_by
from prewarm_operator.decide.plan import Event
from prewarm_operator.render import template
from prewarm_operator.render.template import Template
from prewarm_operator.world.snapshot import Snapshot


def given(snapshot: Snapshot) -> Template | None:
    """The template that is stored with the child, or None if there is no child of ours, or none is stored."""
    deployment = snapshot.children.deployment
    if deployment is None or not controlled_by(snapshot.agent.uid, deployment):
        return None
    return template.stored(deployment)


def restarted(snapshot: Snapshot, given: Template | None, fresh: Template) -> Template:
    """`fresh`, for pods of the restart that was asked for last. To take the annotation away asks for none."""
    return fresh.restarted(snapshot.agent.restarted_at or ("" if given is None else given.restarted_at))


def pod_template(snapshot: Snapshot, given: Template | None, fresh: Template) -> Template:
    """The template that the child was given, if `fresh` was rendered from the same spec; else `fresh`.

    A restart gives new pods of the same template: who changes a key asks for no other image.
    """
    if given is None or given.spec_hash != fresh.spec_hash:
        return fresh
    return given.restarted(fresh.restarted_at) if _can_start(snapshot, given, fresh) else fresh


def update(kept: Template, fresh: Template) -> str | None:
    """What `fresh` would change in the pods, or None if nothing."""
    if kept.revision == fresh.revision:
        return None
    changes = []
    if kept.image != fresh.image:
        changes.append(f"image {kept.image} becomes {fresh.image}")
    if kept.renderer != fresh.renderer:
        changes.append(f"the pod template of renderer {kept.renderer} becomes that of renderer {fresh.renderer}")
    return " and ".join(changes) or "the pod template changes"


def undone(snapshot: Snapshot, given: Template | None, wanted: Template) -> Event | None:
    """What to say if `kubectl rollout undo` gave the child an older template.

    It restores an old ReplicaSet's template together with the annotations that we gave the Deployment at that time. So
    the child carries a template of ours, but not the one of the revision that was reported for this generation.
    """
    status = snapshot.agent.status
    if given is None or given.revision == wanted.revision or status.revision in (None, given.revision):
        return None
    if status.observed_generation != snapshot.agent.generation:
        return None
    message = (
        f"kubectl rollout undo put revision {given.revision} in the place of {status.revision}; the Deployment follows "
        f"the AgentDeployment and gets revision {wanted.revision}: apply the AgentDeployment's former spec instead"
    )
    return Event(warning=True, reason=reasons.ROLLOUT_UNDONE, message=message)


def _can_start(snapshot: Snapshot, given: Template, fresh: Template) -> bool:
    """Without its ConfigMap no pod starts, and only the operator that wrote it could write it again."""
    if given.config_map_name in (None, fresh.config_map_name):
        return True
    uid = snapshot.agent.uid
    own = {each["metadata"]["name"] for each in snapshot.children.config_maps if controlled_by(uid, each)}
    return given.config_map_name in own
