"""Whether CapacityBuffers are served: a disturbance of the API server is no answer to that."""

from typing import Any, cast

import pytest

from prewarm_operator.kube.errors import Invalid, KubeError, NotFound, Refused
from prewarm_operator.kube.resources import CAPACITY_BUFFERS
from prewarm_operator.world.cache import Cache, Key
from prewarm_operator.world.reader import Reader

GROUP = f"/apis/{CAPACITY_BUFFERS.api_version}"
SUPPORT = Key("team", "support-headroom")
BUFFER = {
    "metadata": {"namespace": "team", "name": SUPPORT.name, "uid": "b", "resourceVersion": "5", "generation": 1},
    "spec": {"replicas": 4},
}


class ApiServer:
    """Answers as one with a single buffer, except on `paths`, where it answers with `error`."""

    def __init__(self) -> None:
        self.error: KubeError | None = None
        self.path = ""

    async def request(self, _method: str, path: str, **_: Any) -> dict[str, Any]:
        if self.error is not None and path == self.path:
            raise self.error
        if path == GROUP:
            return {"resources": [{"name": CAPACITY_BUFFERS.plural}]}
        items = [BUFFER] if path == CAPACITY_BUFFERS.path() else []
        return {"items": items, "metadata": {"resourceVersion": "9"}}


async def served_after(path: str, error: KubeError) -> tuple[bool, bool]:
    """Whether the kind counts as served, and whether the buffer is known, after a listing that met `error`."""
    server, cache = ApiServer(), Cache()
    reader = Reader(cast(Any, server), cache, with_buffers=True)
    await reader.read_all()
    assert reader.buffers_served
    server.path, server.error = path, error
    await reader.read_all()
    return reader.buffers_served, cache.get(CAPACITY_BUFFERS, SUPPORT) is not None


@pytest.mark.parametrize("path", [GROUP, CAPACITY_BUFFERS.path()])
@pytest.mark.parametrize("code", [429, 500, 503])
async def test_a_server_that_is_busy_does_not_buy_every_place_twice(path: str, code: int) -> None:
    """Pods would hold the places that the buffer, which nobody lowers then, goes on holding."""
    assert await served_after(path, Refused(code, "busy")) == (True, True)


@pytest.mark.parametrize("error", [NotFound(404, "gone"), Invalid(403, "forbidden")])
async def test_a_kind_that_is_gone_or_forbidden_is_not_served(error: KubeError) -> None:
    assert await served_after(CAPACITY_BUFFERS.path(), error) == (False, False)
