"""Pods that a hand has taken from their ReplicaSet or from their Service by changing labels."""

from collections.abc import Iterable

from prewarm_operator.decide import reasons
from prewarm_operator.decide.plan import Event, Relabel
from prewarm_operator.world.snapshot import Snapshot


def decide_pods(snapshot: Snapshot) -> tuple[Relabel, ...]:
    """Pods that get their labels back: their ReplicaSet takes them in again and gives up what was to replace them.

    Left alone, such a pod would stay for ever: behind a Service, perhaps another agent's, and never rolled.
    """
    return tuple(
        Relabel(snapshot.key.namespace, pod.name, pod.uid, pod.lost_labels)
        for pod in snapshot.pods
        if pod.lost_labels and not pod.terminating
    )


def notices(relabels: Iterable[Relabel]) -> tuple[Event, ...]:
    """One event per pod."""
    return tuple(
        Event(
            warning=False,
            reason=reasons.REPAIRED,
            message=f"Pod {relabel.name} gets back {', '.join(sorted(relabel.labels))}: "
            f"to take a closer look at a pod, copy it: kubectl debug {relabel.name} -it --copy-to=NAME "
            "--container=agent --profile=restricted -- sh",
        )
        for relabel in relabels
    )
