"""Whether the API server takes pods of a new revision: asked before anything rolls.

Pod Security, quotas, LimitRanges, webhooks and mistakes in an overlay show only when a pod is made. A Deployment would
begin to roll and hang; so the child keeps the template that it has until the API server has taken a pod of the new one,
in a dry run. Its number of pods is kept meanwhile, and no pod of the old template is asked about.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from prewarm_operator.api import names
from prewarm_operator.decide import reasons
from prewarm_operator.decide.ownership import controlled_by
from prewarm_operator.decide.plan import AskForPod, Problem, Write
from prewarm_operator.kube.resources import DEPLOYMENTS
from prewarm_operator.render import template
from prewarm_operator.render.template import Template
from prewarm_operator.world.snapshot import Object, Snapshot


@dataclass(frozen=True)
class Admission:
    """What may be done about a wanted template.

    Attributes:
        pods: the template that the child carries now.
        may_write: whether the child is written at all; it is not if the wanted template is all there is.
        asks: the question to the API server, if it is open.
        problems: the refusal, if there is one.
    """

    pods: Template
    may_write: bool = True
    asks: tuple[AskForPod, ...] = ()
    problems: tuple[Problem, ...] = ()

    def allowed(self, writes: Iterable[Write]) -> tuple[Write, ...]:
        """`writes`, without the child's if it must wait."""
        return tuple(write for write in writes if self.may_write or write.resource != DEPLOYMENTS)


def admit(snapshot: Snapshot, wanted: Template) -> Admission:
    """Compare `wanted` with the child's template and with the API server's latest verdict."""
    live, verdict = snapshot.children.deployment, snapshot.pod_verdict
    if live is not None and (not controlled_by(snapshot.agent.uid, live) or _revision(live) == wanted.revision):
        return Admission(wanted)
    if live is None and any(pod.revision == wanted.revision for pod in snapshot.pods):
        return Admission(wanted)  # somebody deleted the child: its pods were taken before, and the floor cannot wait
    old = None if live is None else template.stored(live) or template.found(live)
    if verdict is None or verdict.revision != wanted.revision:
        return Admission(old or wanted, may_write=old is not None, asks=(_ask(snapshot, wanted),))
    if verdict.refusal is None:
        return Admission(wanted)
    told = f"the API server refuses pods of this spec, {'no pod is made' if live is None else 'the old ones stay'}"
    problem = Problem(reasons.POD_REFUSED, f"{told}: {verdict.refusal}")
    return Admission(old or wanted, may_write=old is not None, problems=(problem,))


def _ask(snapshot: Snapshot, wanted: Template) -> AskForPod:
    """A fixed name: the API server repeats it in its answer, which is to read the same every time."""
    key = snapshot.key
    name = f"{key.name}-{wanted.revision}"
    # Owned as the real one will be: there are policies against pods that nobody owns.
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": snapshot.agent.uid, "controller": True}
    metadata = {
        **wanted.body["metadata"], "namespace": key.namespace, "name": name, "ownerReferences": [owner]
    }  # fmt: skip
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": wanted.body["spec"]}
    return AskForPod(key.namespace, key.name, wanted.revision, body)


def _revision(deployment: Object) -> str | None:
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return labels.get(names.LABEL_REVISION)
