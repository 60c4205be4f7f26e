"""The configs of components against the schemas of their classes, which are imported for it: after the allow-list."""

import importlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from autogen_core import ComponentModel
from pydantic import BaseModel

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.findings import Finding, Reason
from prewarm_agent.spec.validation import validate
from prewarm_agent.spec.walk import Component

_USE_INSTEAD = {
    ("OllamaChatCompletionClient", "base_url"): "host",
    ("OllamaChatCompletionClient", "api_key"): "headers",
    ("OpenAIChatCompletionClient", "host"): "base_url",
    ("AzureOpenAIChatCompletionClient", "base_url"): "azure_endpoint",
    ("AnthropicChatCompletionClient", "azure_endpoint"): "base_url",
}
"""Fields of one vendor's client that people write into another's."""

_FROM_ENVIRONMENT = {
    "autogen_ext.models.openai.AzureOpenAIChatCompletionClient": {
        "azure_endpoint": "AZURE_OPENAI_ENDPOINT",
        "api_version": "OPENAI_API_VERSION",
    }
}
"""Fields that the vendor's SDK would read from the environment, but that AutoGen's schema demands."""


class NameOfAModel(BaseModel):
    """The config of `prewarm.NamedModel`."""

    name: str


def configurations(nodes: list[Component]) -> Iterator[Finding]:
    """What is wrong with them. The provider of each must be on the allow-list."""
    for node in nodes:
        _, findings = validate(ComponentModel, node.value, node.path)
        yield from findings
        if not isinstance(node.value.get("config"), dict):
            continue
        provider = allowlist.canonical(node.provider)
        config = with_environment(provider, node.config)
        _, findings = validate(_schema(provider), config, f"{node.path}.config")
        yield from (in_other_words(provider, finding, f"{node.path}.config") for finding in findings)


def with_environment(provider: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The config, with what it leaves to the environment."""
    variables = _FROM_ENVIRONMENT.get(provider, {})
    given = {key: os.environ[variable] for key, variable in variables.items() if os.environ.get(variable)}
    return {**given, **config}


def in_other_words(provider: str, finding: Finding, path: str) -> Finding:
    """Says which field is meant where people took another vendor's, and which variable may hold what is missing."""
    key = finding.path.removeprefix(f"{path}.")
    variable = _FROM_ENVIRONMENT.get(provider, {}).get(key)
    if finding.reason is Reason.INVALID_CONFIG and variable:
        text = f"is missing; set it here or in the environment variable {variable}."
        return Finding(finding.reason, finding.path, text)
    name = provider.rpartition(".")[2]
    instead = _USE_INSTEAD.get((name, key))
    if finding.reason is Reason.UNKNOWN_KEY and instead:
        return Finding(finding.reason, finding.path, f"{name} has no field {key}; use {instead}.")
    return finding


def _schema(provider: str) -> type[BaseModel]:
    if provider == allowlist.NAMED_MODEL:
        return NameOfAModel
    module, _, name = provider.rpartition(".")
    schema: type[BaseModel] = getattr(importlib.import_module(module), name).component_config_schema
    return schema
