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


def _is_text(key: str, value: object) -> bool:
    """AutoGen's `metadata` maps texts to texts. What has a provider there, and nothing that is more than a text, is a
    user's word; a component has a config."""
    return key == "metadata" and isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def components(tree: object, path: str) -> Iterator[Component]:
    """Every mapping under `tree` whose `provider` is a string, parents before children, in the order of the document.

    A loop with a stack of its own: a spec may be nested deeper than Python recurses.
    """
    stack = [(path, tree)]
    while stack:
        at, node = stack.pop()
        if isinstance(node, dict):
            if isinstance(node.get("provider"), str):
                yield Component(at, node)
            stack.extend((f"{at}.{key}", value) for key, value in reversed(node.items()) if not _is_text(key, value))
        elif isinstance(node, list):
            stack.extend((f"{at}[{index}]", value) for index, value in reversed(list(enumerate(node))))
