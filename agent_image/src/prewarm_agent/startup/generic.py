"""A start without an agent, and what turns it into one, once and for good."""

import asyncio
import copy
import dataclasses
import importlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from prewarm_agent.generic.accepted import Accepted, StateDirectory
from prewarm_agent.serve.users import UserApplication
from prewarm_agent.settings import Settings
from prewarm_agent.startup import phases
from prewarm_agent.startup.phases import Phase, Startup
from prewarm_agent.startup.state import Stage

if TYPE_CHECKING:
    from prewarm_agent.generic.pool import Pool

logger = logging.getLogger(__name__)


# The state of a pod that is on its way to be an agent, to those who would specialize it.
WARMING = "warming"


class NotSpecialized(Exception):
    """Specialize did not do it; the text is one sentence for the caller."""


class NotReady(NotSpecialized):
    """The pod is still starting, failed or stops. Nothing happened."""


class Busy(NotSpecialized):
    """Another specialize is under way. Nothing happened."""


class AlreadySpecialized(NotSpecialized):
    """The pod was given `accepted` already: `state` and `error` say what became of it. Nothing happened."""

    def __init__(self, accepted: Accepted, state: str, error: str | None) -> None:
        failed = "" if error is None else f" It failed: {error}"
        super().__init__(f"This pod is agent {accepted.agent} already.{failed}")
        self.accepted = accepted
        self.state = state
        self.error = error


class SpecializeFailed(NotSpecialized):
    """The pod is neither generic any more nor that agent, and must be replaced. Says why in its cause."""


class GenericPod:
    """The life of a process that was started with a pool instead of a spec."""

    def __init__(self, startup: Startup, users: UserApplication) -> None:
        self._startup = startup
        self._users = users
        self._state = StateDirectory(startup.settings.state_directory)
        self._accepted: Accepted | None = None
        self._specializing = False
        self._pool: Pool

    async def start(self) -> None:
        """Becomes generic; in a container that was an agent before its restart, that agent, and never generic.

        Raises PermanentError when that can never be, and OSError when it cannot be known what the pod was.
        """
        self._state.create()
        body = self._state.accepted()
        await phases.run(self._startup, self._foundation)
        if body is None:
            await phases.run(self._startup, [("warm-up", self._rehearse), ("freeze", phases.freeze)])
            self._startup.lifecycle.generic()
            logger.info("generic", extra={"pool": self._pool.name})
        else:
            self._startup.settings = self._reading(self._state.accepted_path)
            await phases.run(self._startup, self._checks)
            self._accepted = Accepted.of(self._startup.spec.name, body)
            await phases.run(self._startup, self._building)
            phases.open_port(self._startup, self._users)

    async def specialize(self, body: bytes) -> Accepted:
        """Turns the process into the agent of a spec; when it returns, the next request is that agent's.

        Raises PermanentError when the spec is refused and the pod stays generic, otherwise NotSpecialized.
        """
        lifecycle = self._startup.lifecycle
        if self._specializing:
            raise Busy("Another specialize is under way; ask again when it has ended.")
        if self._accepted is not None:
            state = WARMING if lifecycle.state == Stage.STARTING else lifecycle.state
            raise AlreadySpecialized(self._accepted, state, lifecycle.error)
        if lifecycle.stage is not Stage.GENERIC or lifecycle.draining:
            raise NotReady(f"This pod is {lifecycle.state}; take another one.")
        self._specializing = True
        try:
            candidate = self._candidate(body)
            await phases.run(candidate, self._checks)
            return await self._become(candidate, body)
        finally:
            self._specializing = False

    async def _become(self, candidate: Startup, body: bytes) -> Accepted:
        try:
            self._state.accept()
            self._accepted = Accepted.of(candidate.spec.name, body)
            self._startup.spec = candidate.spec
            await phases.run(self._startup, self._building)
        except Exception as error:
            self._startup.lifecycle.failed(str(error))
            raise SpecializeFailed(f"The spec was accepted, but could not be built: {error}") from error
        phases.open_port(self._startup, self._users)
        return self._accepted

    def _candidate(self, body: bytes) -> Startup:
        """A start that shares everything with this process's own, but reads `body` as its spec."""
        self._state.propose(body)
        candidate = copy.copy(self._startup)
        candidate.settings = self._reading(self._state.candidate_path)
        return candidate

    def _reading(self, spec_path: Path) -> Settings:
        return dataclasses.replace(self._startup.settings, spec_path=spec_path)

    @property
    def _foundation(self) -> list[tuple[str, Phase]]:
        return [
            ("import", _import),
            ("config", self._read_pool),
            ("clients", phases.build_clients),
            ("preload", self._preload),
            ("connect", phases.connect),
        ]

    @property
    def _checks(self) -> list[tuple[str, Phase]]:
        """What may refuse a spec. Nothing that it names is built, started or called before all of it has passed."""
        return [("specialize-config", phases.read_config), ("specialize-admit", self._admit)]

    @property
    def _building(self) -> list[tuple[str, Phase]]:
        return [
            ("specialize-tools", phases.build_tools),
            ("specialize-agents", phases.prove_agents),
            ("specialize-warm-up", phases.warm_up),
            ("specialize-freeze", phases.freeze),
        ]

    async def _read_pool(self, startup: Startup) -> None:
        from prewarm_agent.generic import pool
        from prewarm_agent.spec import check

        assert startup.settings.pool_path is not None  # it is what makes a process generic
        self._pool = pool.read(startup.settings.pool_path)
        startup.spec = self._pool.as_spec()
        for warning in check.check_models(startup.spec):
            logger.warning("pool warning", extra={"path": warning.path, "text": warning.text})

    async def _preload(self, startup: Startup) -> None:  # noqa: ARG002 - every phase has the same signature
        from prewarm_agent.generic import pool

        await asyncio.to_thread(pool.preload, self._pool)

    async def _admit(self, startup: Startup) -> None:
        startup.spec = self._pool.admitted(startup.spec)

    async def _rehearse(self, startup: Startup) -> None:  # noqa: ARG002 - every phase has the same signature
        """Specializes for nothing, with each model: what the first specialize would pay for is paid then."""
        from prewarm_agent.generic import pool

        for model in self._pool.models:
            candidate = self._candidate(json.dumps(pool.plain_agent(model.name)).encode())
            for _, phase in (*self._checks, *self._building):
                await phase(candidate)


async def _import(startup: Startup) -> None:
    await phases.import_framework(startup)
    for module in ("prewarm_agent.generic.pool", "prewarm_agent.generic.token"):
        await asyncio.to_thread(importlib.import_module, module)
