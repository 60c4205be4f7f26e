"""Builds a model client from its component, on an HTTP client that the process owns."""

import asyncio
import importlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from autogen_core.models import ChatCompletionClient, ModelInfo
from pydantic import SecretStr

from prewarm_agent.framework.http_client import HTTPSettings, ModelHTTPClient, rehearsal
from prewarm_agent.spec import allowlist
from prewarm_agent.spec.configuration import in_other_words, with_environment
from prewarm_agent.spec.findings import Finding, PermanentError, Reason
from prewarm_agent.spec.validation import validate

logger = logging.getLogger(__name__)

# The SDK's own default, written down: each retry is a whole new timeout, and the request's deadline bounds them all.
MAX_RETRIES = 2

AZURE = "autogen_ext.models.openai.AzureOpenAIChatCompletionClient"
ANTHROPIC = "autogen_ext.models.anthropic.AnthropicChatCompletionClient"
OLLAMA = "autogen_ext.models.ollama.OllamaChatCompletionClient"

# AutoGen sends these models to another provider's OpenAI-compatible API, with that provider's key.
_KEY_BY_MODEL_PREFIX = {"gemini-": "GEMINI_API_KEY", "claude-": "ANTHROPIC_API_KEY", "Llama-": "LLAMA_API_KEY"}

# What is assumed of a model that AutoGen has never heard of: that its server speaks the API it claims to speak. Several
# system messages are joined into one, since templates of open models often refuse a second one.
_UNKNOWN_MODEL = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=True,
    family="unknown",
    structured_output=True,
    multiple_system_messages=False,
)


def canonical_key(component: Mapping[str, Any]) -> str:
    """Equal for components that configure the same object, however their labels and the order of their keys differ."""
    return json.dumps([allowlist.canonical(str(component.get("provider"))), component.get("config")], sort_keys=True)


def build_model_client(component: Mapping[str, Any], http: HTTPSettings, path: str) -> ChatCompletionClient:
    """Raises PermanentError with the findings about `component`, whose place in the spec is `path`."""
    provider = _checked_provider(component, path)
    config = _checked_config(provider, component.get("config") or {}, f"{path}.config")
    _require_secret(provider, config, path)
    try:
        return _built(provider, config, http)
    except Exception as error:
        if "model_info is required" not in str(error):
            raise PermanentError([Finding(Reason.INVALID_CONFIG, f"{path}.config", f"{error}.")]) from error
    assumed = {key: value for key, value in _UNKNOWN_MODEL.items() if key != "family"}
    logger.warning("unknown model, set model_info", extra={"path": path, "model": config["model"], "assumed": assumed})
    return _built(provider, {**config, "model_info": _UNKNOWN_MODEL}, http)


def _built(provider: str, config: dict[str, Any], http: HTTPSettings) -> ChatCompletionClient:
    if provider == OLLAMA:  # the only one whose SDK takes no HTTP client, and has no retries
        from prewarm_agent.framework.ollama_client import SharedOllamaClient

        return SharedOllamaClient(http, **config)
    http_client = ModelHTTPClient(http)
    config = {"max_retries": MAX_RETRIES, **config, "http_client": http_client}
    client_class = _class_of(provider)
    if provider == ANTHROPIC:
        from prewarm_agent.framework.anthropic_client import SharedAnthropicClient as client_class  # noqa: N813
    if "azure_ad_token_provider" in config:
        config["azure_ad_token_provider"] = _token_provider(config["azure_ad_token_provider"])
    client = client_class(**config)
    if "timeout" not in config:  # the SDKs take theirs, ten minutes, where the HTTP client's is the library's default
        client._client.timeout = http_client.timeout
    return cast(ChatCompletionClient, client)


def _token_provider(component: Mapping[str, Any]) -> Callable[[], Awaitable[str]]:
    if allowlist.kind_of(str(component.get("provider"))) is not allowlist.Kind.TOKEN_PROVIDER:
        raise ValueError("azure_ad_token_provider is not autogen_ext.auth.azure.AzureTokenProvider")

    from autogen_ext.auth.azure import AzureTokenProvider

    provider = AzureTokenProvider.load_component(dict(component))

    async def token() -> str:
        if rehearsal.get() is not None:
            return "rehearsal"
        return await asyncio.to_thread(provider)  # it asks Azure now and then, synchronously

    return token


def _checked_provider(component: Mapping[str, Any], path: str) -> str:
    provider = component.get("provider")
    models = [name for name, kind in allowlist.PROVIDERS.items() if kind is allowlist.Kind.MODEL]
    if not isinstance(provider, str) or allowlist.kind_of(provider) is not allowlist.Kind.MODEL:
        text = f"{provider!r} is not a model client on the allow-list; use one of {', '.join(models)}."
        raise PermanentError([Finding(Reason.PROVIDER_NOT_ALLOWED, f"{path}.provider", text)])
    return allowlist.canonical(provider)


def _checked_config(provider: str, config: Mapping[str, Any], path: str) -> dict[str, Any]:
    schema = _class_of(provider).component_config_schema
    model, findings = validate(schema, with_environment(provider, config), path)
    if findings or model is None:
        raise PermanentError([in_other_words(provider, finding, path) for finding in findings])
    dumped = model.model_dump(exclude_none=True)
    return {key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in dumped.items()}


def _require_secret(provider: str, config: Mapping[str, Any], path: str) -> None:
    key = config.get("api_key")
    if key is not None and not key.strip("*"):
        text = "is empty or a masked copy; leave it out and set the key in the environment."
        raise PermanentError([Finding(Reason.MISSING_SECRET, f"{path}.config.api_key", text)])
    variables = _secret_variables(provider, config)
    if key is None and variables and not any(os.environ.get(variable) for variable in variables):
        text = f"needs a key: the environment variable {variables[0]} is not set; set it from a Secret."
        raise PermanentError([Finding(Reason.MISSING_SECRET, path, text)])


def _secret_variables(provider: str, config: Mapping[str, Any]) -> list[str]:
    """The environment variables of which one must be set, the likeliest first; none for a client that needs no key."""
    if provider == OLLAMA:
        return []
    if provider == ANTHROPIC:
        return ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]
    if provider == AZURE:
        by_token = config.get("azure_ad_token") or config.get("azure_ad_token_provider")
        return [] if by_token else ["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"]
    own = [variable for prefix, variable in _KEY_BY_MODEL_PREFIX.items() if config["model"].startswith(prefix)]
    return [*own, "OPENAI_API_KEY"]


def _class_of(provider: str) -> Any:
    module, _, name = provider.rpartition(".")
    return getattr(importlib.import_module(module), name)
