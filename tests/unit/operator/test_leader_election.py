"""Leader election on a Lease in memory. Nothing waits: the clock is turned by hand."""

import asyncio
from dataclasses import replace

import pytest
from unit.operator.leases import Clock, Lock, refuse

from prewarm_operator.control.leader import LeaderElection
from prewarm_operator.kube.errors import NotLeading
from prewarm_operator.settings import LeaseTimes

TIMES = LeaseTimes()


def candidates(number: int = 2) -> tuple[Lock, Clock, list[LeaderElection]]:
    lock, clock = Lock(), Clock()
    return lock, clock, [LeaderElection(lock, f"pod-{each}", TIMES, clock) for each in range(number)]


async def test_the_first_replica_leads_at_once() -> None:
    lock, _, (first, second) = candidates()
    await first.turn()
    await second.turn()
    assert first.is_leading()
    assert not second.is_leading()
    assert lock.stored is not None
    assert (lock.stored.holder, lock.stored.transitions) == ("pod-0", 0)


async def test_a_replica_that_does_not_lead_may_not_write() -> None:
    _, _, (first, second) = candidates()
    await first.turn()
    await second.turn()
    assert first.write_seconds() == 15.0
    with pytest.raises(NotLeading):
        second.write_seconds()


async def test_a_silent_leader_is_followed_after_the_lease_and_not_earlier() -> None:
    lock, clock, (first, second) = candidates()
    await first.turn()
    await second.turn()
    clock.now += 14.9
    await second.turn()
    assert not second.is_leading()
    clock.now += 0.1
    await second.turn()
    assert second.is_leading()
    assert lock.stored is not None
    assert (lock.stored.holder, lock.stored.transitions) == ("pod-1", 1)


async def test_a_leader_that_renews_stays_and_keeps_its_acquire_time() -> None:
    lock, clock, (first, second) = candidates()
    await first.turn()
    assert lock.stored is not None
    acquired = lock.stored.acquire_time
    for _ in range(30):
        clock.now += 2
        await first.turn()
        await second.turn()
    assert first.is_leading()
    assert not second.is_leading()
    assert (lock.stored.acquire_time, lock.stored.transitions) == (acquired, 0)


async def test_a_follower_does_not_believe_the_leaders_clock() -> None:
    lock, clock, (first, second) = candidates()
    await first.turn()
    assert lock.stored is not None
    lock.stored = replace(lock.stored, renew_time="1999-01-01T00:00:00.000000Z")
    await second.turn()
    clock.now += 14
    await second.turn()
    assert not second.is_leading()


async def test_a_follower_waits_as_long_as_the_holder_has_promised_to_need() -> None:
    lock, clock, (first, _) = candidates()
    await first.turn()
    hasty = LeaderElection(lock, "hasty", LeaseTimes(4, 3, 1), clock)
    await hasty.turn()
    clock.now += 14.9
    await hasty.turn()
    assert not hasty.is_leading()


async def test_a_leader_that_cannot_renew_stops_writing_after_the_renew_deadline() -> None:
    lock, clock, (first, _) = candidates()
    await first.turn()
    lock.before = refuse
    clock.now += 9.9
    await first.turn()
    assert first.is_leading()
    clock.now += 0.1
    await first.turn()
    assert not first.is_leading()


async def test_a_renewal_counts_from_when_it_was_sent_and_not_from_when_it_was_answered() -> None:
    lock, clock, (first, _) = candidates()

    def nine_seconds() -> None:
        clock.now += 9

    lock.after = nine_seconds
    await first.turn()  # two requests: no Lease is there, so it is created
    assert first.is_leading()
    clock.now += 1
    assert not first.is_leading()


async def test_a_write_ends_before_another_replica_can_lead() -> None:
    _, clock, (first, second) = candidates()
    await first.turn()
    await second.turn()
    clock.now += 9.9
    write_ends = clock.now + first.write_seconds()
    while not second.is_leading():
        clock.now += 0.01
        await second.turn()
    assert write_ends <= clock.now


async def test_a_process_that_was_paused_finds_its_time_run_out() -> None:
    _, clock, (first, second) = candidates()
    await first.turn()
    await second.turn()
    clock.now += 40
    await second.turn()
    with pytest.raises(NotLeading):
        first.write_seconds()  # its own loop has not turned yet
    await first.turn()
    assert second.is_leading()
    assert not first.is_leading()


async def test_a_released_lease_is_taken_at_once() -> None:
    lock, _, (first, second) = candidates()
    await first.turn()
    await second.turn()
    await first.release()
    assert lock.stored is not None
    assert lock.stored.holder == ""
    assert not first.is_leading()
    await second.turn()
    assert second.is_leading()
    assert lock.stored.transitions == 1


async def test_a_replica_releases_only_what_it_holds() -> None:
    lock, _, (first, second) = candidates()
    await first.turn()
    await second.turn()
    await second.release()
    assert lock.stored is not None
    assert lock.stored.holder == "pod-0"


async def test_release_does_not_fail_when_the_api_server_is_away() -> None:
    lock, _, (first, _) = candidates()
    await first.turn()
    lock.before = refuse
    await first.release()
    assert not first.is_leading()


async def test_a_renewal_whose_answer_is_lost_ends_no_term() -> None:
    lock, clock, (first, second) = candidates()
    await first.turn()
    await second.turn()
    clock.now += 2
    lock.after = refuse
    await first.turn()
    lock.after = lambda: None
    clock.now += 2
    await first.turn()
    clock.now += 9
    assert first.is_leading()
    assert lock.stored is not None
    assert (lock.stored.holder, lock.stored.transitions) == ("pod-0", 0)


async def test_a_deleted_lease_does_not_make_two_leaders() -> None:
    lock, clock, (first, second) = candidates()
    await first.turn()
    await second.turn()
    lock.stored = None
    await second.turn()
    assert not second.is_leading()
    clock.now += 15
    await second.turn()
    assert second.is_leading()
    assert not first.is_leading()


async def test_a_leader_gives_way_when_somebody_writes_another_holder_into_the_lease() -> None:
    lock, _, (first, _) = candidates()
    await first.turn()
    assert lock.stored is not None
    lock.stored = replace(lock.stored, holder="somebody", metadata={"resourceVersion": "by hand"})
    await first.turn()
    assert not first.is_leading()


async def test_of_two_that_take_over_at_once_one_leads() -> None:
    _, clock, (first, second, third) = candidates(3)
    await first.turn()
    await second.turn()
    await third.turn()
    clock.now += 15
    await asyncio.gather(second.turn(), third.turn())
    assert [each.is_leading() for each in (first, second, third)].count(True) == 1


async def test_labels_of_others_on_the_lease_are_sent_back() -> None:
    lock, _, (first, _) = candidates()
    await first.turn()
    assert lock.stored is not None
    assert lock.stored.renewed(15).metadata is lock.stored.metadata
    assert lock.stored.taken("x", 15).metadata is lock.stored.metadata
    assert lock.stored.released().metadata is lock.stored.metadata


QUICK = LeaseTimes(duration_seconds=1, renew_deadline_seconds=0.2, retry_seconds=0.02)


async def test_a_term_ends_when_leadership_is_lost_and_another_begins_when_it_comes_back() -> None:
    lock, terms = Lock(), []

    async def lead() -> None:
        terms.append("begins")
        try:
            await asyncio.Event().wait()
        finally:
            terms.append("ends")

    election = asyncio.create_task(LeaderElection(lock, "a", QUICK).run(lead))
    await asyncio.sleep(0.1)
    lock.before = refuse
    await asyncio.sleep(0.4)
    assert terms == ["begins", "ends"]
    lock.before = lambda: None
    await asyncio.sleep(0.1)
    assert terms == ["begins", "ends", "begins"]
    election.cancel()
    await asyncio.wait([election])
    assert terms == ["begins", "ends", "begins", "ends"]


async def test_an_error_in_a_term_is_not_swallowed() -> None:
    async def lead() -> None:
        raise ValueError("bug")

    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(1):
            await LeaderElection(Lock(), "a", QUICK).run(lead)
    assert raised.group_contains(ValueError, match="bug")
