"""What a CustomResourceDefinition may and must say, checked on the real kinds and on small models."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import yaml
from pydantic import Field

from prewarm_operator.api.crd import KINDS, Kind, custom_resource_definition, structural_schema
from prewarm_operator.api.manifests import manifests
from prewarm_operator.api.model import ApiModel

Schema = dict[str, Any]
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.kind)


def schema_of(kind: Kind) -> Schema:
    (version,) = custom_resource_definition(kind)["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema node below `schema`, with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if inner in schema:
            yield from nodes(schema[inner], f"{path}[]")


@EACH_KIND
def test_the_schema_has_no_word_that_kubernetes_refuses(kind: Kind) -> None:
    for path, node in nodes(schema_of(kind)):
        forbidden = {"$ref", "$defs", "title", "const", "nullable", "oneOf", "allOf"} & node.keys()
        assert not forbidden, path
        assert ("anyOf" in node) == ("x-kubernetes-int-or-string" in node), path
        assert "type" in node or "x-kubernetes-int-or-string" in node, path


@EACH_KIND
def test_every_field_is_described_in_sentences(kind: Kind) -> None:
    for path, node in nodes(schema_of(kind)):
        if path.endswith("[]") or path == ".metadata":
            continue
        assert node.get("description", "").endswith("."), path


@EACH_KIND
def test_every_rule_ends_in_a_sentence_that_names_the_remedy(kind: Kind) -> None:
    rules = [rule for _, node in nodes(schema_of(kind)) for rule in node.get("x-kubernetes-validations", [])]
    assert rules
    for rule in rules:
        assert rule["message"].endswith("."), rule
        assert "\n" not in rule["message"], rule


@EACH_KIND
def test_a_description_tells_the_default_that_the_api_server_fills_in(kind: Kind) -> None:
    for path, node in nodes(schema_of(kind)):
        if path.startswith(".spec") and node.get("default", {}) != {}:
            default = str(node["default"]).lower() if isinstance(node["default"], bool) else node["default"]
            assert f"Default: {default}." in node["description"], path


@EACH_KIND
def test_status_is_never_filled_in_by_the_api_server(kind: Kind) -> None:
    assert [path for path, node in nodes(schema_of(kind)) if path.startswith(".status") and "default" in node] == []


@EACH_KIND
def test_a_crd_stays_small_enough_for_client_side_apply(kind: Kind) -> None:
    assert len(json.dumps(custom_resource_definition(kind))) < 200 * 1024


def test_generated_yaml_is_written_out_without_anchors() -> None:
    for path, text in manifests().items():
        if path.startswith("crds/"):
            tokens = {type(token) for token in yaml.scan(text)}
            assert not tokens & {yaml.AnchorToken, yaml.AliasToken}, path


class Inner(ApiModel):
    """The inner object."""

    size: int = Field(default=3, description="How large.")


class Outer(ApiModel):
    """The outer object."""

    first: Inner = Field(default=Inner(), description="The first of two.")
    second: Inner | None = Field(default=None, description="The second of two.")
    names: tuple[str, ...] = Field(default=(), description="Some names.")
    limit: Annotated[int, Field(ge=1)] | None = Field(default=None, description="A limit.")


INNER = {"type": "object", "properties": {"size": {"type": "integer", "description": "How large.", "default": 3}}}


def test_an_object_with_defaults_is_filled_in_when_it_is_left_out() -> None:
    assert structural_schema(Outer)["properties"]["first"] == {
        **INNER,
        "description": "The first of two.",
        "default": {},
    }


def test_an_optional_object_is_not_filled_in_and_never_null() -> None:
    assert structural_schema(Outer)["properties"]["second"] == {**INNER, "description": "The second of two."}


def test_an_empty_list_is_not_written_into_the_users_object() -> None:
    assert structural_schema(Outer)["properties"]["names"] == {
        "type": "array",
        "items": {"type": "string"},
        "description": "Some names.",
    }


def test_an_optional_value_keeps_its_bounds() -> None:
    assert structural_schema(Outer)["properties"]["limit"] == {
        "type": "integer",
        "minimum": 1,
        "description": "A limit.",
    }
