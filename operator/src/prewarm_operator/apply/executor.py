"""Turns a plan into writes, and what the API server says of them into problems for people."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from prewarm_operator.apply.gateway import ANSWER_SECONDS, Gateway
from prewarm_operator.decide import reasons
from prewarm_operator.decide.drift import first_difference
from prewarm_operator.decide.ownership import controlled_by, left_by_predecessor, name_conflict
from prewarm_operator.decide.plan import (
    Adopt,
    Apply,
    AskForPod,
    Create,
    Delete,
    Plan,
    Problem,
    Rank,
    Relabel,
    TryApply,
    Write,
)
from prewarm_operator.kube.errors import Conflict, Invalid, KubeError, NamespaceTerminating, NotFound, Refused
from prewarm_operator.kube.resources import DEPLOYMENTS, Resource
from prewarm_operator.world.cache import Key, generation_of, key_of
from prewarm_operator.world.reader import Reader
from prewarm_operator.world.verdicts import ApplyVerdict, PodVerdict
from prewarm_operator.world.world import World

logger = logging.getLogger(__name__)

_OF_A_NEW_NAMESPACE = ('serviceaccount "default" not found', "status unknown for quota")
NEW_NAMESPACE_SECONDS = 30.0
"""Longer than any controller takes: then somebody has deleted the service account, and a person has to know."""
_WEBHOOK_IS_AWAY = "failed calling webhook"
"""Answered with 500, as no other refusal is: somebody has to look after the webhook before any pod can be made."""


@dataclass
class Outcome:
    """What came of a plan.

    Attributes:
        problems: refusals that only a person can end.
        errors: what may go away by itself; the reconcile is to be tried again.
        namespace_ends: the namespace is being deleted, and the AgentDeployment with it: there is nothing more to do.
    """

    problems: list[Problem] = field(default_factory=list)
    errors: list[KubeError] = field(default_factory=list)
    namespace_ends: bool = False


class Executor:
    """Makes the writes of a plan one after the other. A write that fails does not keep the next from being made."""

    def __init__(
        self, gateway: Gateway, reader: Reader, world: World, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._reader = reader
        self._world = world
        self._cache = world.cache
        self._clock = clock
        self._incomplete_since: dict[str, float] = {}

    async def execute(self, plan: Plan, owner_uid: str) -> Outcome:
        """Make all writes. Answers go into the cache at once, so that the next reconcile does not wait for a watch."""
        outcome = Outcome()
        for write in plan.writes:
            try:
                problem = await self._make(write, owner_uid)
                if problem is not None:
                    outcome.problems.append(problem)
            except NamespaceTerminating:
                outcome.namespace_ends = True
                return outcome
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
                    self._take_in(write, await self._gateway.create(write))
                except Conflict:
                    return await self._name_taken(write, owner_uid)
            case Adopt():
                live = await self._or_look_again(write, Key(write.namespace, write.name), self._gateway.adopt(write))
                if live is not None:
                    self._cache.put(write.resource, live)
            case Apply():
                live = await self._or_look_again(write, key_of(write.body), self._gateway.apply(write))
                if live is not None:
                    self._take_in(write, live)
            case TryApply():
                await self._try(write)
            case Delete():
                await self._gateway.delete(write)
            case Relabel():
                await self._change_pod(write, self._gateway.relabel(write))
            case Rank():
                await self._change_pod(write, self._gateway.rank(write))
            case AskForPod():
                await self._ask(write)
        return None

    async def _or_look_again(
        self, write: Adopt | Apply | TryApply, key: Key, made: Awaitable[dict[str, Any]]
    ) -> dict[str, Any] | None:
        """The answer; None if the object is no longer the one that was read: it is read, and the next pass decides.

        A lost race is no refusal: 422 answers a test that failed in a JSON patch, 409 another uid or version.
        """
        try:
            return await made
        except Refused as error:
            if not (isinstance(error, Conflict | NotFound) or (isinstance(write, Adopt) and error.code == 422)):
                raise
            await self._look_again(write.resource, key)
            return None

    def _take_in(self, write: Create | Apply, live: dict[str, Any]) -> None:
        """Keep the answer, and whether the API server keeps a Deployment otherwise than it was written."""
        self._cache.put(write.resource, live)
        key = key_of(live)
        if write.resource == DEPLOYMENTS and self._cache.agent_of(DEPLOYMENTS, live) == key:
            self._world.apply_verdicts.pop(key, None)
            if first_difference(write.body["spec"], live["spec"]) is not None:
                self._world.apply_verdicts[key] = ApplyVerdict(generation_of(live), changes=False)

    async def _try(self, write: TryApply) -> None:
        """Compare the answer with what is there. A refusal is left to the apply: some webhooks refuse only dry runs."""
        key = key_of(write.body)
        try:
            answer = await self._or_look_again(write, key, self._gateway.try_apply(write))
        except Invalid:
            answer = {}
        known = self._cache.get(write.resource, key)
        if answer is not None and known is not None:
            changes = answer.get("spec") != known["spec"]
            self._world.apply_verdicts[key] = ApplyVerdict(generation_of(known), changes)

    async def _look_again(self, resource: Resource, key: Key) -> None:
        try:
            self._cache.put(resource, await self._reader.read(resource, key))
        except NotFound:
            known = self._cache.get(resource, key)
            if known is not None:
                self._cache.remove(resource, known)

    async def _change_pod(self, write: Relabel | Rank, made: Awaitable[dict[str, Any]]) -> None:
        try:
            self._cache.put(write.resource, await made)
        except Refused as error:
            if not isinstance(error, Conflict | NotFound) and error.code != 422:
                raise
            # It is gone; another one may have its name, and has its own events.
            known = self._cache.get(write.resource, Key(write.namespace, write.name))
            if known is not None and known["metadata"]["uid"] == write.uid:
                self._cache.remove(write.resource, known)

    async def _ask(self, write: AskForPod) -> None:
        """A refusal is an answer. In a namespace that was just made it is none yet: it passes within seconds."""
        refusal = None
        try:
            await self._gateway.ask_for_pod(write)
        except Refused as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            if self._may_pass(write.namespace, refusal):
                raise KubeError(f"the namespace is not complete yet: {refusal}") from error
        else:
            self._incomplete_since.pop(write.namespace, None)
        self._world.verdicts.record(Key(write.namespace, write.name), PodVerdict(write.revision, refusal))

    def _may_pass(self, namespace: str, refusal: str) -> bool:
        """Whether a refusal is that of a namespace whose controllers have not caught up with it yet."""
        if not any(words in refusal for words in _OF_A_NEW_NAMESPACE):
            self._incomplete_since.pop(namespace, None)
            return False
        since = self._incomplete_since.setdefault(namespace, self._clock())
        return self._clock() - since < NEW_NAMESPACE_SECONDS

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
        return name_conflict(write.resource.kind, live)


def _refusal(error: Refused) -> str | None:
    """Why no pod is taken; None for an error that says nothing about pods."""
    if isinstance(error, Invalid) or _WEBHOOK_IS_AWAY in error.message:
        return error.message
    if error.code == HTTPStatus.GATEWAY_TIMEOUT:
        return f"no answer within {ANSWER_SECONDS:.0f} s, look for an admission webhook that hangs: {error.message}"
    return None


def _name(write: Write) -> str:
    if isinstance(write, Create | Apply | TryApply):
        return str(key_of(write.body))
    return str(Key(write.namespace, write.name))


def _why(write: Write) -> str:
    return f" because={write.because}" if isinstance(write, Apply) else ""
