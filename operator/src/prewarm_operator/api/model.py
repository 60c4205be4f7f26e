"""The vocabulary of our models: the base class, CEL rules, and types whose schema Kubernetes has its own words for."""

from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """A part of an object as the API server stores it: camelCase outside, snake_case inside, never changed in place.

    Unknown fields are ignored, because an object may have been written under a newer CRD. A known field with a value
    that this version does not understand raises pydantic.ValidationError.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
        frozen=True,
    )


class Rule(NamedTuple):
    """A CEL expression that must hold, and the sentence that a user reads when it does not."""

    rule: str
    message: str


def rules(*rules: Rule) -> dict[str, Any]:
    """Schema words that make the API server check these rules."""
    return {"x-kubernetes-validations": [rule._asdict() for rule in rules]}


def list_map(*keys: str) -> dict[str, Any]:
    """A list whose items are told apart by some of their fields, so that server-side apply merges them one by one."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


Int32 = Annotated[int, Field(json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(json_schema_extra={"format": "int64"})]

Port = Annotated[Int32, Field(ge=1, le=65535)]

# The form that Kubernetes itself publishes: a signed decimal number with a binary, decimal or exponent suffix.
NUMBER = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
QUANTITY_PATTERN = rf"^(\+|-)?{NUMBER}(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?{NUMBER}))?$"

Quantity = Annotated[
    int | str,
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": QUANTITY_PATTERN,
        }
    ),
]
"""A Kubernetes quantity, for example 250m, 1 or 512Mi."""

OpenObject = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})]
"""A part of a pod in the words of Kubernetes: the API server checks it once it stands in a pod."""

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC with whole seconds, as the API server writes it."""
