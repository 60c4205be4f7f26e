"""What the forecast has learned, kept in ConfigMaps of the operator's own namespace: it survives a restart."""

import asyncio
import base64
import logging
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.control.forecaster import Forecaster
from prewarm_operator.decide.plan import Apply, Delete
from prewarm_operator.kube.client import Client
from prewarm_operator.kube.errors import KubeError
from prewarm_operator.kube.resources import CONFIG_MAPS

logger = logging.getLogger(__name__)

SAVE_SECONDS = 300.0
"""Between two rounds: what a restart loses at most, a gap that the forecast bridges."""

RETRY_SECONDS = 10.0
AGENTS_PER_OBJECT = 25
"""9 to 20 KB each, the more the slower pods start: far below the 1 MiB of a ConfigMap."""

LABEL = f"{names.GROUP}/part"
PART = "forecast"
FIELD = "state"


class Memory:
    """Recalls once, on every replica, and keeps, on the leader. Without a namespace there is none."""

    def __init__(self, client: Client, gateway: Gateway, namespace: str, forecaster: Forecaster) -> None:
        self._client = client
        self._gateway = gateway
        self._namespace = namespace
        self._forecaster = forecaster
        self._objects: int | None = None  # how many there are, as far as that is known
        self._recalled = asyncio.Event()

    async def recall(self) -> None:
        """Take up what was kept of the agents that are followed, as soon as the API server tells it."""
        while self._namespace:
            try:
                kept = await self._list()
            except KubeError as error:
                logger.warning("kept forecasts not read retry_seconds=%.0f error=%s", RETRY_SECONDS, error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                count = sum([await self._take(name, body) for name, body in sorted(kept.items())])
                logger.info("forecasts recalled agents=%d", count)
                break
        self._recalled.set()

    async def keep(self) -> None:
        """Write what was learned every few minutes, until cancelled; not before everything was recalled."""
        await self._recalled.wait()
        self._objects = None  # the leader before may have had more agents
        while self._namespace:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self.save()
            except KubeError as error:
                logger.warning("forecasts not kept error=%s", error)

    async def save(self) -> None:
        """Write all of it, and remove what is left of more agents.

        Raises:
            KubeError: a part could not be written, the others were; all are tried again in the next round.
        """
        agents = sorted(self._forecaster.agents)
        parts = [agents[begin : begin + AGENTS_PER_OBJECT] for begin in range(0, len(agents), AGENTS_PER_OBJECT)]
        failure: KubeError | None = None
        for number, part in enumerate(parts):
            state = base64.b64encode(self._forecaster.save(part)).decode()
            try:
                await self._gateway.apply(Apply(CONFIG_MAPS, self._body(_name(number), state), FIELD, by_hand=False))
            except KubeError as error:
                failure = error
            await asyncio.sleep(0)
        if failure is not None:
            raise failure
        if self._objects is None or len(parts) < self._objects:
            wanted = {_name(number) for number in range(len(parts))}
            for name, body in (await self._list()).items():
                if name not in wanted:
                    await self._gateway.delete(Delete(CONFIG_MAPS, self._namespace, name, body["metadata"]["uid"]))
        self._objects = len(parts)

    async def _take(self, name: str, body: dict[str, Any]) -> int:
        await asyncio.sleep(0)
        try:
            saved = base64.b64decode(body.get("binaryData", {}).get(FIELD, ""), validate=True)
            return len(self._forecaster.restore(saved))
        except (ValueError, KeyError, TypeError) as problem:
            logger.warning("kept forecast ignored configmap=%s problem=%s", name, problem)
            return 0

    async def _list(self) -> dict[str, dict[str, Any]]:
        query = {"labelSelector": f"{LABEL}={PART}"}
        page = await self._client.request("GET", CONFIG_MAPS.path(self._namespace), query=query)
        return {item["metadata"]["name"]: item for item in page["items"]}

    def _body(self, name: str, state: str) -> dict[str, Any]:
        metadata = {"namespace": self._namespace, "name": name, "labels": {LABEL: PART}}
        return {
            "apiVersion": CONFIG_MAPS.api_version,
            "kind": CONFIG_MAPS.kind,
            "metadata": metadata,
            "binaryData": {FIELD: state},
        }


def _name(number: int) -> str:
    return f"prewarm-forecast-{number}"
