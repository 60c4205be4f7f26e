"""Turns a plan into writes, and what the API server says of them into problems for people."""

import logging
from dataclasses import dataclass, field

from prewarm_operator.apply.gateway import Gateway
from prewarm_operator.decide import reasons
from prewarm_operator.decide.children import controlled_by, left_by_predecessor, name_conflict
from prewarm_operator.decide.plan import Adopt, Apply, Create, Delete, Plan, Problem, Write
from prewarm_operator.kube.errors import Conflict, Invalid, KubeError, NotFound
from prewarm_operator.world.cache import Cache, Key, key_of
from prewarm_operator.world.reader import Reader
from prewarm_operator.world.snapshot import Object

logger = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What came of a plan.

    Attributes:
        problems: refusals that only a person can end.
        errors: what may go away by itself; the reconcile is to be tried again.
    """

    problems: list[Problem] = field(default_factory=list)
    errors: list[KubeError] = field(default_factory=list)


class Executor:
    """Makes the writes of a plan one after the other. A write that fails does not keep the next from being made."""

    def __init__(self, gateway: Gateway, reader: Reader, cache: Cache) -> None:
        self._gateway = gateway
        self._reader = reader
        self._cache = cache

    async def execute(self, plan: Plan, owner_uid: str) -> Outcome:
        """Make all writes. Answers go into the cache at once, so that the next reconcile does not wait for a watch."""
        outcome = Outcome()
        for write in plan.writes:
            try:
                problem = await self._make(write, owner_uid)
                if problem is not None:
                    outcome.problems.append(problem)
            except Invalid as error:
                message = f"{write.resource.kind} {_name(write)} was refused: {error.message}"
                outcome.problems.append(Problem(reasons.CHILD_REFUSED, message))
            except KubeError as error:
                outcome.errors.append(error)
        return outcome

    async def _make(self, write: Write, owner_uid: str) -> Problem | None:
        logger.info("write %s kind=%s name=%s%s", type(write).__name__, write.resource.kind, _name(write), _why(write))
        match write:
            case Create():
                try:
                    self._cache.put(write.resource, await self._gateway.create(write))
                except Conflict:
                    return await self._name_taken(write, owner_uid)
            case Adopt():
                self._cache.put(write.resource, await self._adopted(write))
            case Apply():
                self._cache.put(write.resource, await self._gateway.apply(write))
            case Delete():
                await self._gateway.delete(write)
        return None

    async def _adopted(self, write: Adopt) -> Object:
        try:
            return await self._gateway.adopt(write)
        except Invalid:  # another manager's entry took its place since it was read: the next decision sees where it is
            return await self._reader.read(write.resource, Key(write.namespace, write.name))

    async def _name_taken(self, write: Create, owner_uid: str) -> Problem | None:
        """The object exists although the cache did not know it: ours, seen too late, or somebody else's."""
        try:
            live = await self._reader.read(write.resource, key_of(write.body))
        except NotFound:
            raise Conflict(409, f"{write.resource.kind} {_name(write)} came and went") from None
        if controlled_by(owner_uid, live):
            self._cache.put(write.resource, live)
            return None
        if left_by_predecessor(write.body, live):
            raise Conflict(
                409, f"{write.resource.kind} {_name(write)} of a deleted AgentDeployment is not yet collected"
            )
        return name_conflict(write.resource.kind, live["metadata"]["name"])


def _name(write: Write) -> str:
    if isinstance(write, Create | Apply):
        return str(key_of(write.body))
    return str(Key(write.namespace, write.name))


def _why(write: Write) -> str:
    return f" because={write.because}" if isinstance(write, Apply) else ""
