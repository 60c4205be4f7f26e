"""Lets a component tree point to objects that exist already, so that loading it for a request builds none of them."""

from typing import Any, Self

from autogen_core import Component, ComponentBase
from pydantic import BaseModel

# AutoGen finds a class by its import path and calls a class method: there is nowhere else to pass the objects.
_objects: dict[str, object] = {}


class ReferenceConfig(BaseModel):
    name: str


class SharedReference(ComponentBase[ReferenceConfig], Component[ReferenceConfig]):
    """A component whose loading returns the shared object of that name."""

    component_type = "shared"
    component_config_schema = ReferenceConfig

    @classmethod
    def _from_config(cls, config: ReferenceConfig) -> Self:
        return _objects[config.name]  # type: ignore[return-value]


def reference(name: str, shared: object) -> dict[str, Any]:
    """The component that loads as `shared`. One name stands for one object, for the life of the process."""
    if _objects.setdefault(name, shared) is not shared:
        raise ValueError(f"the shared name {name!r} is taken by another object")
    return {"provider": f"{SharedReference.__module__}.{SharedReference.__qualname__}", "config": {"name": name}}
