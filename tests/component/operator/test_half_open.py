"""A watch whose connection is dead without having been closed, as balancers and firewalls leave them.

The operator waits 70 seconds for a sign of life, for the API server sends one every 60. Here the watcher alone runs,
with a shorter patience.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from component.operator.fault_proxy import FaultProxy
from component.operator.namespace import Namespace
from kubernetes.config import kube_config

from devcluster.controlplane import ControlPlane
from prewarm_operator.control.watcher import Watcher
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS, Resource
from prewarm_operator.world.cache import EventType


async def test_a_half_open_watch_is_noticed_and_what_it_missed_is_caught_up(
    api_server: ControlPlane,
    namespace: Namespace,
    agent: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: asyncio.Queue[tuple[EventType, str]] = asyncio.Queue()
    watching = asyncio.Event()

    def sink(resource: Resource, event: EventType, body: Mapping[str, Any], _: float) -> None:
        if resource == AGENT_DEPLOYMENTS:
            seen.put_nowait((event, body["metadata"]["name"]))

    async def relist() -> None:
        assert not watching.is_set(), "a silent watch is no reason to start everything anew"
        watching.set()

    with FaultProxy(api_server, tmp_path) as proxy:
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(proxy.kubeconfig))
        watcher = asyncio.create_task(Watcher(sink, relist, lambda: None, inactivity_seconds=2.0).run())
        await watching.wait()
        await namespace.create_object("agentdeployments", agent)
        assert await asyncio.wait_for(seen.get(), 10) == ("ADDED", "support")
        proxy.silence_watches()
        await namespace.delete("agentdeployments", "support")
        await asyncio.sleep(0.5)
        assert seen.empty()
        assert await asyncio.wait_for(seen.get(), 5) == ("DELETED", "support")
        watcher.cancel()
        await asyncio.wait([watcher])
