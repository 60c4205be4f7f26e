"""One model client for each distinct configuration, however many agents name it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autogen_core.models import ChatCompletionClient

from prewarm_agent import metrics
from prewarm_agent.framework.http_client import HTTPSettings, rehearsal
from prewarm_agent.framework.models import build_model_client, canonical_key
from prewarm_agent.observe import calls
from prewarm_agent.spec.allowlist import NAMED_MODEL
from prewarm_agent.spec.findings import Finding, PermanentError, Reason


@dataclass(frozen=True, slots=True)
class SharedModel:
    """A model client and the names it goes by: its own, which no other in this process has, and its model's."""

    name: str
    model: str
    client: ChatCompletionClient


class ModelPool:
    """Builds model clients at their first use and keeps them until `close`."""

    def __init__(self, http: Callable[[], HTTPSettings]) -> None:
        self._http = http
        self._by_key: dict[str, SharedModel] = {}
        self._by_name: dict[str, SharedModel] = {}

    @property
    def models(self) -> list[SharedModel]:
        return list(self._by_key.values())

    def add(self, name: str, component: Mapping[str, Any], path: str) -> None:
        """Builds the model that specs may call `name`. Raises PermanentError, also if the name is taken."""
        if name in self._by_name:
            text = f"{name!r} names two models; give each a name of its own."
            raise PermanentError([Finding(Reason.INVALID_CONFIG, path, text)])
        self._by_name[name] = self._get(component, path, name)

    def get(self, component: Mapping[str, Any], path: str) -> SharedModel:
        """The model of a component or of a reference to a name. Raises PermanentError; `path` is for its findings."""
        if component.get("provider") == NAMED_MODEL:
            name = (component.get("config") or {}).get("name")
            return self.named(str(name), f"{path}.config.name")
        return self._get(component, path, None)

    def named(self, name: str, path: str) -> SharedModel:
        """Raises PermanentError if no model has that name."""
        if name not in self._by_name:
            known = ", ".join(sorted(self._by_name)) or "none are declared under models"
            text = f"there is no model named {name!r}; use one of: {known}."
            raise PermanentError([Finding(Reason.INVALID_CONFIG, path, text)])
        return self._by_name[name]

    async def close(self) -> None:
        for shared in self._by_key.values():
            await shared.client.close()

    def _get(self, component: Mapping[str, Any], path: str, name: str | None) -> SharedModel:
        key = canonical_key(component)
        if key not in self._by_key:
            client = build_model_client(component, self._http(), path)
            model = str(component["config"]["model"])
            shared = self._by_key[key] = SharedModel(self._free_name(name or model), model, client)
            calls.watch_model(client, shared.name, ignore=lambda: rehearsal.get() is not None)
            metrics.resources_built.labels(kind="http_client").inc()
            metrics.resources_built.labels(kind="model_client").inc()
        return self._by_key[key]

    def _free_name(self, wanted: str) -> str:
        taken = {shared.name for shared in self._by_key.values()}
        names = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)
