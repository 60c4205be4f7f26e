"""The reference page of a kind: a table for every object in it, out of the schema that the API server checks."""

import re
from collections.abc import Iterator

from prewarm_operator.api import names
from prewarm_operator.api.crd import Kind, Schema, structural_schema

TABLE_HEAD = "| field | type | default | meaning |\n|---|---|---|---|"

PREFACE = """\
`apiVersion: {api_version}`, `kind: {kind}`; on the command line `{singular}` or `{short_name}`.
`kubectl explain {singular}.spec` says the same as this page. Fields marked * must be set."""


def page(kind: Kind) -> str:
    """The page as Markdown."""
    schema = structural_schema(kind.model)
    name = kind.name
    preface = PREFACE.format(
        api_version=names.API_VERSION, kind=name.kind, singular=name.singular, short_name=name.short_name
    )
    parts = [f"# {name.kind}", schema["description"], preface, *_rules(schema)]
    for field in ("spec", "status"):
        for path, node in _objects(field, schema["properties"][field]):
            parts += _section(path, node)
    return "\n\n".join(parts) + "\n"


def _objects(path: str, node: Schema) -> Iterator[tuple[str, Schema]]:
    """Every object from `node` down that has fields, outer ones first."""
    if "properties" in node:
        yield path, node
    for field, schema in sorted(node.get("properties", {}).items()):
        yield from _objects(f"{path}.{field}", schema)
    if "items" in node:
        yield from _objects(f"{path}[]", node["items"])


def _section(path: str, node: Schema) -> list[str]:
    required = node.get("required", ())
    fields = sorted(node["properties"].items(), key=lambda item: (item[0] not in required, item[0]))
    rows = [_row(f"{path}.{name}", "*" if name in required else "", schema) for name, schema in fields]
    described = [node["description"].partition(" Default: ")[0]] if "description" in node else []
    # What a field refuses that is an object itself stands in that object's section.
    simple = [schema for _, schema in fields if "properties" not in schema]
    return [f"## {path}", *described, "\n".join([TABLE_HEAD, *rows]), *_rules(node, *simple)]


def _row(path: str, mark: str, schema: Schema) -> str:
    meaning, _, default = schema["description"].partition(" Default: ")
    cells = (f"`{path.rpartition('.')[2]}`{mark}", _type(path, schema), default.removesuffix("."), meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(path: str, schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        keys = " and ".join(f"`{key}`" for key in schema.get("x-kubernetes-list-map-keys", ()))
        item = _type(f"{path}[]", schema["items"])
        return ", ".join(
            [f"list of {item}"]
            + ([f"at most {schema['maxItems']}"] if "maxItems" in schema else [])
            + ([f"one per {keys}"] if keys else [])
        )
    if "properties" in schema:
        anchor = re.sub(r"[^a-z]", "", path.lower())
        return f"[object](#{anchor})"
    if "additionalProperties" in schema:
        return f"map to {_type(path, schema['additionalProperties'])}"
    return _scalar(schema)


def _scalar(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if "x-kubernetes-int-or-string" in schema:
        return "quantity"
    if schema.get("format") == "date-time":
        return "time"
    if high is not None:
        return f"{schema['type']}, {low} to {high}"
    return f"{schema['type']}, at least {low}" if low is not None else str(schema["type"])


def _rules(*nodes: Schema) -> list[str]:
    """What the API server refuses, in its words."""
    messages = [rule["message"] for node in nodes for rule in node.get("x-kubernetes-validations", ())]
    return ["\n".join(["Refused with:", "", *(f"* {message}" for message in dict.fromkeys(messages))])] * bool(messages)
