"""Finds the components in a spec's tree without knowing any schema, so that none can hide from the allow-list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Component:
    """A mapping that names a provider, and the path to it in the spec."""

    path: str
    value: dict[str, Any]

    @property
    def provider(self) -> str:
        return str(self.value["provider"])

    @property
    def config(self) -> dict[str, Any]:
        """Empty where there is none, or no mapping."""
        config = self.value.get("config")
        return config if isinstance(config, dict) else {}


_FREE_FORM = frozenset({"metadata", "headers", "env", "default_headers", "default_query", "extra_body"})
"""Keys under which people write words of their own, `provider` among them."""


def components(tree: object, path: str) -> Iterator[Component]:
    """Every mapping under `tree` whose `provider` is a string, parents before children, in the order of the document.

    Under a free-form key it needs a `config`, too, which is safe to demand: AutoGen refuses what has none before it
    imports anything. A loop with a stack of its own: a spec may be nested deeper than Python recurses.
    """
    stack: list[tuple[str, object, bool]] = [(path, tree, False)]
    while stack:
        at, node, free = stack.pop()
        if isinstance(node, dict):
            if isinstance(node.get("provider"), str) and (not free or isinstance(node.get("config"), dict)):
                yield Component(at, node)
            entries = reversed(node.items())
            stack.extend((f"{at}.{key}", value, free or key in _FREE_FORM) for key, value in entries)
        elif isinstance(node, list):
            stack.extend((f"{at}[{index}]", value, free) for index, value in reversed(list(enumerate(node))))
