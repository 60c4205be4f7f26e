"""A status that the API server keeps only in part is written once."""

import logging
from typing import Any, cast

import pytest
from unit.operator.builders import agent_body

from prewarm_operator.control.status_writer import StatusWriter
from prewarm_operator.kube.errors import NotFound
from prewarm_operator.world.cache import Cache, Key

SUPPORT = Key("team", "support")
STATUS = {"revision": "abc", "conditions": []}


class Gateway:
    """Keeps a status as a CRD does that knows only `known`."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.version = 10
        self.sent: list[Any] = []

    async def patch_status(self, body: Any, status: Any) -> Any:
        self.sent.append(status)
        self.version += 1
        kept = {key: value for key, value in status.items() if key in self.known}
        return {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}, "status": kept}


def writer(gateway: Any) -> StatusWriter:
    return StatusWriter(gateway, Cache())


async def test_a_field_that_an_older_crd_drops_is_sent_once_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    gateway = Gateway("conditions")
    status = writer(gateway)
    body: dict[str, Any] = agent_body()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert await status.write(SUPPORT, body, STATUS)
            body = agent_body(status={"conditions": []})
    assert len(gateway.sent) == 1
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "the CRD agentdeployments.prewarm.dev is of another version and does not keep status.revision"
    ]


async def test_what_changes_or_was_changed_by_a_hand_is_sent_again() -> None:
    gateway = Gateway("conditions")
    status = writer(gateway)
    await status.write(SUPPORT, agent_body(), STATUS)
    await status.write(SUPPORT, agent_body(status={"conditions": []}), {**STATUS, "revision": "def"})
    await status.write(SUPPORT, agent_body(status={"conditions": ["by hand"]}), {**STATUS, "revision": "def"})
    assert len(gateway.sent) == 3


async def test_an_object_that_is_gone_has_no_status() -> None:
    class Gone:
        async def patch_status(self, *_: Any) -> Any:
            raise NotFound(404, "gone")

    assert not await StatusWriter(cast(Any, Gone()), Cache()).write(SUPPORT, agent_body(), STATUS)
