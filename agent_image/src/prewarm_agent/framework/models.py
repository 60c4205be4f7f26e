"""Builds a model client from its component, on an HTTP client that is passed in."""

import importlib
import json
import os
from collections.abc import Mapping
from typing import Any, cast

import httpx2
import openai
from autogen_core.models import ChatCompletionClient
from pydantic import SecretStr

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.validation import validate

# The SDK's own default, written down: each retry is a whole new timeout, and the request's deadline bounds them all.
MAX_RETRIES = 2

_AZURE = "autogen_ext.models.openai.AzureOpenAIChatCompletionClient"
# AutoGen sends these models to another provider's OpenAI-compatible API, with that provider's key.
_KEY_BY_MODEL_PREFIX = {"gemini-": "GEMINI_API_KEY", "claude-": "ANTHROPIC_API_KEY", "Llama-": "LLAMA_API_KEY"}


def canonical_key(component: Mapping[str, Any]) -> str:
    """Equal for components that configure the same client, however their labels and the order of their keys differ."""
    return json.dumps([allowlist.canonical(str(component.get("provider"))), component.get("config")], sort_keys=True)


def build_model_client(
    component: Mapping[str, Any], http_client: httpx2.AsyncClient, path: str
) -> ChatCompletionClient:
    """Raises PermanentError with the findings about `component`, whose place in the spec is `path`."""
    config = _checked_config(component, path)
    provider = allowlist.canonical(component["provider"])
    _require_secret(provider, config, path)
    module, _, name = provider.rpartition(".")
    config.setdefault("max_retries", MAX_RETRIES)
    try:
        client = getattr(importlib.import_module(module), name)(**config, http_client=http_client)
    except Exception as error:
        raise PermanentError([Finding(Reason.INVALID_CONFIG, f"{path}.config", f"{error}.")]) from error
    return cast(ChatCompletionClient, client)


def _checked_config(component: Mapping[str, Any], path: str) -> dict[str, Any]:
    provider = component.get("provider")
    if not isinstance(provider, str) or allowlist.kind_of(provider) is not allowlist.Kind.MODEL:
        models = ", ".join(name for name, kind in allowlist.PROVIDERS.items() if kind is allowlist.Kind.MODEL)
        text = f"{provider!r} is not a model client on the allow-list; use one of {models}."
        raise PermanentError([Finding(Reason.PROVIDER_NOT_ALLOWED, f"{path}.provider", text)])
    module, _, name = allowlist.canonical(provider).rpartition(".")
    schema = getattr(importlib.import_module(module), name).component_config_schema
    model, findings = validate(schema, component.get("config") or {}, f"{path}.config")
    if findings or model is None:
        raise PermanentError(findings)
    config = model.model_dump(exclude_none=True)
    return {key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in config.items()}


def _require_secret(provider: str, config: Mapping[str, Any], path: str) -> None:
    key = config.get("api_key")
    if key is not None and not key.strip("*"):
        text = "is empty or a masked copy; leave it out and set the key in the environment."
        raise PermanentError([Finding(Reason.MISSING_SECRET, f"{path}.config.api_key", text)])
    if key is not None or (provider == _AZURE and config.get("azure_ad_token")):
        return
    if provider == _AZURE:
        variables = ["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"]
    else:
        own = [variable for prefix, variable in _KEY_BY_MODEL_PREFIX.items() if config["model"].startswith(prefix)]
        variables = [*own, "OPENAI_API_KEY"]
    if not any(os.environ.get(variable) for variable in variables):
        text = f"needs a key: the environment variable {variables[0]} is not set; set it from a Secret."
        raise PermanentError([Finding(Reason.MISSING_SECRET, path, text)])


def sdk(client: ChatCompletionClient) -> openai.AsyncOpenAI:
    """The OpenAI SDK's client inside a model client. AutoGen has no public way to it, nor to list the models."""
    return cast(openai.AsyncOpenAI, client._client)  # type: ignore[attr-defined]
