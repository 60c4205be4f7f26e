"""Which pods go first when their number falls: those that work on nothing."""

from collections.abc import Iterable

from prewarm_operator.decide.plan import Apply, Rank, Write
from prewarm_operator.kube.resources import DEPLOYMENTS
from prewarm_operator.world.snapshot import Snapshot

MOST = 2**31 - 1


def ranks(snapshot: Snapshot, writes: Iterable[Write]) -> tuple[Rank, ...]:
    """Before `writes` lower the child's number of pods: the cost of deleting each pod is what it works on.

    Written then and at no other time, and only where it is another one than at the last time. Of a pod that has not
    told its load lately nothing is known, and nothing is changed.
    """
    live = snapshot.children.deployment
    if live is None or not any(_lowers(write, snapshot, live["spec"].get("replicas", 1)) for write in writes):
        return ()
    working = {uid: min(count, MOST) for uid, count in snapshot.in_flight.items()}
    return tuple(
        Rank(snapshot.key.namespace, pod.name, pod.uid, working[pod.uid])
        for pod in snapshot.pods
        if not pod.terminating and working.get(pod.uid, pod.deletion_cost) != pod.deletion_cost
    )


def _lowers(write: Write, snapshot: Snapshot, replicas: int) -> bool:
    if not isinstance(write, Apply) or write.resource != DEPLOYMENTS:
        return False
    wanted: int = write.body["spec"].get("replicas", replicas)
    return write.body["metadata"]["name"] == snapshot.key.name and wanted < replicas
