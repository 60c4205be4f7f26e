"""Turns a model into a CustomResourceDefinition with a structural schema.

pydantic writes JSON schema, Kubernetes accepts a part of it: no $ref, no null, no title, and a default only where it is
meant. What has no word in JSON schema (CEL rules, list maps) is written down in the models themselves.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from prewarm_operator.api import names
from prewarm_operator.api.agentdeployment import AgentDeployment

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; priority 1 shows it with `-o wide` only."""

    name: str
    type: str
    json_path: str
    description: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """All that a CustomResourceDefinition says about a kind. Every kind has /status and /scale."""

    name: names.ResourceName
    model: type[BaseModel]
    columns: tuple[Column, ...]


def _ready(field: str) -> str:
    return f'.status.conditions[?(@.type=="Ready")].{field}'


KINDS = (
    Kind(
        names.AGENT_DEPLOYMENT,
        AgentDeployment,
        (
            Column("Ready", "string", _ready("status"), "Whether enough warm pods serve."),
            Column("Desired", "integer", ".status.desiredReplicas", "Number of pods that the operator wants now."),
            Column("Warm", "integer", ".status.readyReplicas", "Number of pods that are warm and serve."),
            Column("Up-to-date", "integer", ".status.updatedReplicas", "Number of pods of the current revision."),
            Column(
                "Start p90 (s)",
                "number",
                ".status.startup.createdToReadyP90Seconds",
                "Seconds from pod created to Ready; nine of ten pods were quicker.",
            ),
            Column("Age", "date", ".metadata.creationTimestamp", "Time since it was created."),
            Column("Reason", "string", _ready("reason"), "Why it is Ready or not, in a word.", priority=1),
            Column("Message", "string", _ready("message"), "Why it is Ready or not, in a sentence.", priority=1),
        ),
    ),
)


def custom_resource_definition(kind: Kind) -> Schema:
    """The CustomResourceDefinition of a kind, ready for YAML."""
    name = kind.name
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name.crd_name},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": name.kind,
                "listKind": f"{name.kind}List",
                "plural": name.plural,
                "singular": name.singular,
                "shortNames": [name.short_name],
                "categories": ["all", "prewarm"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": names.VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": [_printer_column(column) for column in kind.columns],
                    "schema": {"openAPIV3Schema": structural_schema(kind.model)},
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                }
            ],
        },
    }


def _printer_column(column: Column) -> Schema:
    described = {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.json_path,
        "description": column.description,
    }
    return described | ({"priority": column.priority} if column.priority else {})


class _Generator(GenerateJsonSchema):
    """Writes the default of a nested object as {}: the API server then fills in the defaults of its fields."""

    def encode_default(self, dft: Any) -> Any:
        return {} if isinstance(dft, BaseModel) else super().encode_default(dft)


def structural_schema(model: type[BaseModel]) -> Schema:
    """The schema of a whole object, with apiVersion, kind and metadata as every object has them."""
    written = model.model_json_schema(schema_generator=_Generator)
    schema = _structural(written, written.get("$defs", {}))
    own = schema["properties"]
    schema["properties"] = {
        "apiVersion": {"type": "string", "description": f"Always {names.API_VERSION}."},
        "kind": {"type": "string", "description": f"Always {model.__name__}."},
        "metadata": {"type": "object"},  # Kubernetes allows no word of ours here.
        **own,
    }
    return schema


def _structural(node: Schema, definitions: dict[str, Schema]) -> Schema:
    """One node with its $ref and its optional null resolved; words beside them, such as a description, win."""
    beside = {word: value for word, value in node.items() if word not in ("$ref", "$defs", "anyOf", "title", "const")}
    if "$ref" in node:
        # A copy for each use: YAML would write what two uses share as an anchor.
        definition = deepcopy(definitions[node["$ref"].rpartition("/")[2]])
        return _structural(definition | beside, definitions)
    if "anyOf" in node and "x-kubernetes-int-or-string" not in node:
        (only,) = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
        return _structural(only | beside, definitions)

    schema = {word: beside.pop(word) for word in ("description", "type") if word in beside} | beside
    if "anyOf" in node:
        schema["anyOf"] = node["anyOf"]
    if "const" in node:
        schema["enum"] = [node["const"]]
    if "properties" in node:
        schema["properties"] = {key: _structural(value, definitions) for key, value in node["properties"].items()}
    for inner in ("items", "additionalProperties"):
        if inner in node:
            schema[inner] = _structural(node[inner], definitions)
    if not _default_says_something(schema):
        schema.pop("default", None)
    return schema


def _default_says_something(schema: Schema) -> bool:
    """Not null, not an empty list, and not an empty object in which the API server would have nothing to fill in."""
    default = schema.get("default")
    if default == {}:
        return any("default" in field for field in schema.get("properties", {}).values())
    return default is not None and default != []
