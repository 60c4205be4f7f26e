"""What is read of a Lease; who may take it is tested in test_leader_election.py."""

from typing import Any

from prewarm_operator.control.lease import LeaseLock
from prewarm_operator.settings import LeaseTimes


class Client:
    """Holds a Lease as a hand may leave it: a holder, and none of the times."""

    async def request(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"metadata": {"resourceVersion": "7"}, "spec": {"holderIdentity": "a hand", "leaseDurationSeconds": 15}}


async def test_a_lease_without_times_that_nobody_renews_looks_the_same_whenever_it_is_read() -> None:
    client: Any = Client()
    lock = LeaseLock(client, "prewarm-system", timeout_seconds=LeaseTimes().retry_seconds)
    assert await lock.get() == await lock.get()
