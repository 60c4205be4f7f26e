"""Turns what pydantic says about a value into findings with paths in the spec."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from prewarm_agent.spec.findings import Finding, Reason

Model = TypeVar("Model", bound=BaseModel)


def validate(schema: type[Model], value: Mapping[str, Any], path: str) -> tuple[Model | None, list[Finding]]:
    """The validated model, or None, and every finding. Keys that the schema would drop in silence are findings too."""
    unknown = [_unknown_key(_join(path, key), _names(schema)) for key in value if key not in _names(schema)]
    try:
        model = schema.model_validate(value)
    except ValidationError as error:
        wrong = [
            Finding(Reason.INVALID_CONFIG, _locate(value, item, path), _sentence(item["msg"]))
            for item in _errors(error)
        ]
        return None, unknown + wrong
    kept = model.model_dump(exclude_unset=True, by_alias=True)
    nested = [
        _unknown_key(dropped, None)
        for key in value
        if key in kept
        for dropped in _dropped(value[key], kept[key], _join(path, key))
    ]
    return model, unknown + nested


def explain(schema: type[Model], value: object) -> Model | Finding:
    """The validated model or the one finding that explains best why there is none; unknown keys are ignored."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        # Of a union, every member complains; the one that the value came closest to complains from deepest inside.
        item = max(_errors(error), key=lambda item: len(item["loc"]))
        return Finding(Reason.INVALID_CONFIG, _locate(value, item, ""), _sentence(item["msg"]))


def _locate(value: object, error: ErrorDetails, path: str) -> str:
    """The path of an error, without the names of union members that pydantic puts into its location."""
    *parents, last = error["loc"] or ("",)
    for part in parents:
        if _has(value, part):
            value, path = value[part], _join(path, part)  # type: ignore[index]
    if _has(value, last) or error["type"] == "missing":
        path = _join(path, last)
    return path


def _has(value: object, part: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, Mapping) and part in value


def _join(path: str, part: int | str) -> str:
    if isinstance(part, int):
        return f"{path}[{part}]"
    return f"{path}.{part}" if path else part


def _errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _names(schema: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in schema.model_fields.items()}


def _dropped(given: object, kept: object, path: str) -> Iterator[str]:
    """Paths of the keys in `given` that validation did not keep."""
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        for key, value in given.items():
            if key in kept:
                yield from _dropped(value, kept[key], _join(path, key))
            else:
                yield _join(path, key)
    elif isinstance(given, list) and isinstance(kept, list | tuple) and len(given) == len(kept):
        for index, (value, copy) in enumerate(zip(given, kept, strict=True)):
            yield from _dropped(value, copy, _join(path, index))


def _unknown_key(path: str, known: set[str] | None) -> Finding:
    text = "is not a known key; remove it or correct its name."
    if known:
        text = f"is not a known key; use one of {', '.join(sorted(known))}."
    return Finding(Reason.UNKNOWN_KEY, path, text)


def _sentence(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return text[:1].lower() + text[1:] + ("" if text.endswith(".") else ".")
