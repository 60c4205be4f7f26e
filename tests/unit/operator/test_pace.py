from dataclasses import replace

from unit.operator.builders import agent, pod, settled_children, snapshot

from prewarm_operator.control.pace import REPAIR_SECONDS, RepairPace
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Apply, Plan, Relabel, TryApply
from prewarm_operator.world.cache import Key

A, B = Key("n", "a"), Key("n", "b")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def hand_edit(*, tried: bool = True) -> Plan:
    """A plan that undoes two hand edits, of the Deployment and of a pod; if not `tried`, it asks about the former."""
    settled = settled_children(agent(), 3)
    assert settled.deployment is not None
    edited = {**settled.deployment, "spec": {**settled.deployment["spec"], "replicas": 0}}
    taken = pod(lost_labels={"prewarm.dev/agent": "support"})
    verdict = {} if tried else {"apply_verdict": None}
    return decide(snapshot(agent(), replace(settled, deployment=edited), (taken,), **verdict))


def test_a_first_repair_is_made_at_once_and_the_next_one_after_a_pause() -> None:
    clock = Clock()
    pace = RepairPace(clock)
    assert {type(write) for write in pace.keep(A, hand_edit()).writes} == {Apply, Relabel}
    clock.now += 1
    deferred = pace.keep(A, hand_edit())
    assert (deferred.writes, deferred.notices) == ((), ())
    assert deferred.again_after_seconds == REPAIR_SECONDS - 1
    clock.now += REPAIR_SECONDS - 1
    assert len(pace.keep(A, hand_edit()).writes) == 2


def test_an_apply_that_was_just_tried_does_not_wait_and_the_next_try_does() -> None:
    pace = RepairPace(Clock())
    assert TryApply in {type(write) for write in pace.keep(A, hand_edit(tried=False)).writes}
    assert Apply in {type(write) for write in pace.keep(A, hand_edit()).writes}
    assert pace.keep(A, hand_edit(tried=False)).writes == ()
    assert pace.keep(A, hand_edit()).writes == ()


def test_other_agents_and_other_writes_do_not_wait() -> None:
    pace = RepairPace(Clock())
    pace.keep(A, hand_edit())
    assert len(pace.keep(B, hand_edit()).writes) == 2
    changed = decide(snapshot(agent(concurrencyLimit=7), settled_children(agent(), 3)))
    assert pace.keep(A, changed) == changed


def test_a_second_hand_edit_is_undone_within_five_seconds() -> None:
    clock = Clock()
    pace = RepairPace(clock)
    pace.keep(A, hand_edit())
    clock.now += 0.01
    edited_again = clock.now
    deferred = pace.keep(A, hand_edit()).again_after_seconds
    assert deferred is not None
    clock.now += deferred
    assert pace.keep(A, hand_edit()).writes == hand_edit().writes
    assert clock.now - edited_again < 5
