"""The files that are written from the model of the values, as text by their path in the repository."""

import json
import textwrap
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from prewarm_chart.values import Section, Values

SOURCE = "dev/chart/prewarm_chart/values.py"
NOTICE = f"Generated from {SOURCE}: change it there, then run `make generate`."
WIDTH = 110


def files() -> dict[str, str]:
    """Path -> content of every generated file."""
    return {
        "charts/prewarm/values.yaml": f"# {NOTICE}\n\n" + values_yaml(Values()),
        "charts/prewarm/values.schema.json": json.dumps(values_schema(), indent=2) + "\n",
        "docs/reference/values.md": values_reference(),
    }


def values_yaml(section: Section, indent: str = "") -> str:
    """The defaults, each under its description."""
    fields = type(section).model_fields.items()
    separator = "" if indent else "\n"
    return separator.join(
        _yaml_field(key(name, field), field, getattr(section, name), indent) for name, field in fields
    )


def _yaml_field(name: str, field: FieldInfo, value: Any, indent: str) -> str:
    comment = textwrap.fill(
        field.description or "", WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
    )
    if isinstance(value, Section):
        return f"{comment}\n{indent}{name}:\n{values_yaml(value, indent + '  ')}"
    return f"{comment}\n{textwrap.indent(yaml.safe_dump({name: plain(value)}, sort_keys=False), indent)}"


def values_schema() -> dict[str, Any]:
    """JSON schema of the values: nothing undeclared, nothing of the wrong type."""
    schema = Values.model_json_schema()
    for definition in (schema, *schema["$defs"].values()):
        _refine(definition)
    schema["properties"]["global"] = {
        "description": "Set by Helm when this chart is part of another one; not used.",
        "type": "object",
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#", "$comment": NOTICE, **schema}


def _refine(definition: dict[str, Any]) -> None:
    """Take out what only Python knows: class names, docstrings, and null as a value.

    Helm deletes a value that is set to null before it looks at the schema. What templates rely on is therefore
    required; optional is only what has no default.
    """
    definition.pop("title", None)
    definition.pop("description", None)
    properties = definition["properties"]
    optional = {name for name, schema in properties.items() if schema.get("default", ...) is None}
    definition["required"] = [name for name in properties if name not in optional]
    for name, schema in properties.items():
        schema.pop("title", None)
        schema.pop("default", None)
        if name in optional:
            (only,) = [choice for choice in schema.pop("anyOf") if choice != {"type": "null"}]
            schema.update(only)


def values_reference() -> str:
    """The page of the user guide that lists all values."""
    rows = [
        f"| `{path}` | {kind} | `{json.dumps(default)}` | {description} |"
        for path, kind, default, description in _rows(Values(), "")
    ]
    heading = (
        "# Values of the chart",
        "",
        f"<!-- {NOTICE} -->",
        "",
        "A value that is not listed here, or has another type, is refused by `helm install` with its path. Numbers",
        "and booleans in labels and annotations must be quoted. Objects of Kubernetes, such as `affinity`, are best",
        "written into a file for `--values FILE`.",
        "",
        "| value | type | default | what it does |",
        "|---|---|---|---|",
    )
    return "\n".join((*heading, *rows, ""))


def _rows(section: Section, prefix: str) -> list[tuple[str, str, Any, str]]:
    properties = type(section).model_json_schema()["properties"]
    rows = []
    for name, field in type(section).model_fields.items():
        path = prefix + key(name, field)
        value = getattr(section, name)
        if isinstance(value, Section):
            rows += _rows(value, f"{path}.")
        else:
            description = (field.description or "").replace("|", "\\|")
            rows.append((path, _type(properties[key(name, field)], value), plain(value), description))
    return rows


def _type(schema: dict[str, Any], value: Any) -> str:
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    return {bool: "boolean", int: "integer", str: "string", list: "list", dict: "map"}.get(type(value), "object")


def key(name: str, field: FieldInfo) -> str:
    """How a field is written in YAML."""
    return field.alias or name


def plain(value: Any) -> Any:
    """A value as YAML and JSON have it."""
    return value.model_dump(by_alias=True, exclude_none=True) if isinstance(value, BaseModel) else value
