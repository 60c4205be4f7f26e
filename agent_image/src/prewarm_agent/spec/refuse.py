"""What is known and still not served, and what is served only with permission. Nothing is imported to tell."""

import re
from collections.abc import Iterator
from typing import Any

from prewarm_agent.spec import allowlist
from prewarm_agent.spec.findings import Finding, Reason
from prewarm_agent.spec.walk import Component

_RUNS_WHAT_A_MODEL_WRITES = "runs what a model writes, beside all users: use an MCP server that runs it apart"
NOT_SERVABLE = {
    "autogen_agentchat.agents.UserProxyAgent": (
        "waits for a person at the keyboard, and there is none: leave it out, and let the user's next request go on "
        "with the state of POST /invocations"
    ),
    "autogen_agentchat.agents.CodeExecutorAgent": _RUNS_WHAT_A_MODEL_WRITES,
    "autogen_ext.code_executors.local.LocalCommandLineCodeExecutor": _RUNS_WHAT_A_MODEL_WRITES,
    "autogen_ext.tools.code_execution.PythonCodeExecutionTool": _RUNS_WHAT_A_MODEL_WRITES,
    "autogen_core.model_context.TokenLimitedChatCompletionContext": (
        "downloads its token tables with the first request: use BufferedChatCompletionContext or "
        "HeadAndTailChatCompletionContext"
    ),
    "autogen_ext.models.replay.ReplayChatCompletionClient": (
        "answers all users from one list: name the client of a model"
    ),
    "autogen_ext.models.cache.ChatCompletionCache": "would hand one user's answer to another: leave it out",
    "autogen_ext.agents.web_surfer.MultimodalWebSurfer": (
        "needs a browser, which is not in this image: use an MCP server that browses, or agent.container"
    ),
    "autogen_ext.agents.file_surfer.FileSurfer": "reads the pod's files for whoever asks: use an MCP server",
    "autogen_ext.models.anthropic.AnthropicBedrockChatCompletionClient": (
        "needs the AWS SDK, which is not in this image: build an image on this one, and use agent.entrypoint"
    ),
    "autogen_ext.models.semantic_kernel.SKChatCompletionAdapter": (
        "needs semantic-kernel, which is not in this image: use the client of the model itself"
    ),
    "autogen_ext.models.llama_cpp.LlamaCppChatCompletionClient": (
        "needs llama-cpp-python, which is not in this image: run the model as a server, and use "
        "OpenAIChatCompletionClient with its base_url"
    ),
}
"""By provider, why not and what to use instead."""

_MCP = "autogen_ext.tools.mcp."

_ADDRESSES = frozenset({"base_url", "azure_endpoint", "endpoint", "host", "url"})
_PLACEHOLDER_FIELDS = _ADDRESSES | {
    "api_key", "api_version", "azure_ad_token", "azure_deployment", "model", "organization"
}  # fmt: skip
# "your" only where no real name of a host or model has it.
_YOUR = (
    r"(?<![a-zA-Z])(?i:your)[_-](?i:api|azure|deployment|domain|endpoint|host|instance|key|model|name|openai|org|proxy"
    r"|region|resource|secret|server|service|token|url)"
)
_PLACEHOLDER = re.compile(
    rf"<[^<>]*>|\{{[^{{}}]*\}}|(?i:(?:replace|change)[_ -]?(?:with|me)(?![a-z]))|YOUR[_-]|{_YOUR}|\.\.\.|^x{{3,}}$"
)
_LOOPBACK = re.compile(r"^(?:\w+://)?(?:localhost|0\.0\.0\.0|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/]|$)")


def refusals(nodes: list[Component], *, allow_code: bool) -> Iterator[Finding]:
    """Errors and warnings of each kind, without a look at what is not on the allow-list."""
    yield from _references(nodes[0])
    for node in nodes:
        yield from _not_servable(node)
        yield from _addresses(node)
    if not allow_code:
        yield from _code(nodes)


def _references(root: Component) -> Iterator[Finding]:
    """What AutoGen would fetch by itself, while it reads a tool's schema: files and URLs of the author's choice."""
    stack: list[tuple[str, Any]] = [(root.path, root.value)]
    while stack:
        path, here = stack.pop()
        if isinstance(here, dict):
            target = here.get("$ref")
            if isinstance(target, str) and not target.startswith("#"):
                text = f"refers to {target!r}, and only what is in the spec itself, '#...', may be referred to."
                yield Finding(Reason.INVALID_CONFIG, f"{path}.$ref", text)
            stack.extend((f"{path}.{key}", value) for key, value in here.items())
        elif isinstance(here, list):
            stack.extend((f"{path}[{index}]", value) for index, value in enumerate(here))


def _not_servable(node: Component) -> Iterator[Finding]:
    if node.provider in NOT_SERVABLE:
        name = node.provider.rpartition(".")[2]
        yield Finding(Reason.NOT_SERVABLE, f"{node.path}.provider", f"{name} {NOT_SERVABLE[node.provider]}.")
    config = node.config
    if node.provider.endswith(".HandoffTermination") and config.get("target") == "user":
        text = "hands over to a person in a run, and nobody is there: let the agent answer with its question."
        yield Finding(Reason.NOT_SERVABLE, f"{node.path}.config.target", text)


def _code(nodes: list[Component]) -> Iterator[Finding]:
    """One finding that names every tool: what the spec itself brings to be run."""
    brought = [(node, what) for node in nodes for what in [_brings_code(node)] if what]
    if brought:
        told = ", ".join(what for _, what in brought)
        text = (
            f"brings code that would run in the pod: {told}. Set security.allowCode to permit it, build it into an "
            "image (entrypoint), or use an MCP server over HTTP."
        )
        yield Finding(Reason.CODE_NOT_ALLOWED, brought[0][0].path, text)


def _brings_code(node: Component) -> str:
    config = node.config
    if node.provider == "autogen_core.tools.FunctionTool":
        return f"tool {config.get('name')!r}"
    server = config.get("server_params")
    if node.provider.startswith(_MCP) and isinstance(server, dict) and "command" in server:
        return f"MCP server {str(server['command'])!r}"  # its arguments may hold a key
    return ""


def _addresses(node: Component) -> Iterator[Finding]:
    """Placeholders that nobody has filled in, and addresses that mean the pod itself."""
    if allowlist.kind_of(node.provider) not in (allowlist.Kind.MODEL, allowlist.Kind.WORKBENCH, allowlist.Kind.TOOL):
        return
    for path, key, value in _texts(node.config, f"{node.path}.config"):
        if key in _PLACEHOLDER_FIELDS and _PLACEHOLDER.search(value):
            shown = "it" if key == "api_key" else repr(value)
            text = f"still holds a placeholder, {shown}: put in the real value, or leave it out."
            yield Finding(Reason.PLACEHOLDER, path, text)
        elif key in _ADDRESSES and _LOOPBACK.match(value):
            text = f"is {value!r}, inside a pod the pod itself: name a Service, unless a sidecar listens there."
            yield Finding(Reason.INVALID_CONFIG, path, text, warning=True)


def _texts(config: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    for key, value in config.items():
        if isinstance(value, str):
            yield f"{path}.{key}", key, value
        elif key == "server_params" and isinstance(value, dict):
            yield from _texts(value, f"{path}.{key}")
