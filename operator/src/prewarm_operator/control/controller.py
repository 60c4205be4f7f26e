"""Reconciles one AgentDeployment at a time per key: read, decide, write, report."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import ValidationError

from prewarm_operator.apply.events import Recorder
from prewarm_operator.apply.executor import Executor, Outcome
from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.control.pace import RepairPace
from prewarm_operator.control.status_writer import StatusWriter
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Event, Plan, Report
from prewarm_operator.decide.status import report, report_unreadable
from prewarm_operator.kube.errors import KubeError, Refused
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS
from prewarm_operator.world.cache import Key
from prewarm_operator.world.snapshot import Object, Snapshot
from prewarm_operator.world.world import World

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""What only a person can repair is looked at again this often; an event about our own objects comes at once."""

PASSES = 5
"""A pod is asked for; a new child is created, then adopted, then found to be as wanted; one to spare."""


class Controller:
    """The reconcile function. `wall_clock` stamps conditions, `clock` is monotonic, in seconds."""

    def __init__(
        self,
        world: World,
        executor: Executor,
        gateway: Gateway,
        recorder: Recorder,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._executor = executor
        self._status = StatusWriter(gateway, world.cache)
        self._recorder = recorder
        self._wall_clock = wall_clock
        self._pace = RepairPace(clock)

    async def reconcile(self, key: Key) -> float | None:
        """Bring one AgentDeployment a step closer to what it wants.

        Returns:
            Seconds after which to look again by itself, or None.

        Raises:
            KubeError: something failed that may go away; try again.
        """
        body = self._world.cache.get(AGENT_DEPLOYMENTS, key)
        if body is None:
            self._world.forget(key)
            self._recorder.forget(key)
            self._pace.forget(key)
            self._status.forget(key)
            return None
        if "deletionTimestamp" in body["metadata"]:
            return None  # children go by their owner references
        try:
            snapshot, plan, outcome = await self._settle(key, body)
        except ValidationError as error:
            await self._publish(key, body, report_unreadable(body, _first_error(error), self._wall_clock()))
            return None
        if outcome.namespace_ends:
            return None  # nothing can be created any more, and the AgentDeployment goes like all else
        await self._publish(key, body, report(snapshot, plan, outcome.problems, self._wall_clock()))
        if outcome.errors:
            worst = max(outcome.errors, key=_asked_for_seconds)
            for failure in outcome.errors:
                if failure is not worst:  # that one is logged by whom it reaches
                    logger.warning("write failed agent=%s error=%s", key, failure)
            raise worst
        due = plan.again_after_seconds
        if outcome.problems or plan.problems or plan.writes:
            return RETRY_SECONDS if due is None else min(RETRY_SECONDS, due)
        return due

    async def _settle(self, key: Key, body: Object) -> tuple[Snapshot, Plan, Outcome]:
        """Decide and write until there is nothing more to write: our own writes raise no event that would call again.

        What does not settle, because somebody changes it back at once, is left until the retry.
        """
        notices: list[Event] = []
        for attempt in range(1, PASSES + 1):
            snapshot = self._world.snapshot(key, body)
            plan = self._pace.keep(key, decide(snapshot))
            self._world.scaling.histories[key] = plan.scale.history
            outcome = await self._executor.execute(plan, snapshot.agent.uid)
            if not outcome.errors and not outcome.problems:
                notices += plan.notices  # what was refused has not been put back
            if not plan.writes or outcome.errors or outcome.problems or outcome.namespace_ends:
                break
            if attempt == PASSES:
                kinds = [f"{type(write).__name__} {write.resource.kind}" for write in plan.writes]
                logger.warning("children do not settle agent=%s writes=%s", key, kinds)  # no bodies: they may hold keys
        return snapshot, replace(plan, notices=tuple(notices)), outcome

    async def _publish(self, key: Key, body: Object, result: Report) -> None:
        if result.status is not None and not await self._status.write(key, body, result.status):
            return  # deleted meanwhile
        for event in result.events:
            await self._recorder.record(body, event)


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _asked_for_seconds(error: KubeError) -> float:
    """What the API server asked for with Retry-After: of several failures the most patient one counts."""
    return (error.retry_after_seconds or 0.0) if isinstance(error, Refused) else 0.0
