"""Tools that a spec declares, built once: no source is executed and no HTTP client made for a request."""

import builtins
import dis
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import httpx
from autogen_core import ComponentLoader
from autogen_core.tools import BaseTool, FunctionTool

from prewarm_agent.spec.findings import Finding, PermanentError, Reason

FUNCTION_TOOL = "autogen_core.tools.FunctionTool"
HTTP_TOOL = "autogen_ext.tools.http.HttpTool"


def build_tool(component: dict[str, Any], http_client: httpx.AsyncClient, path: str) -> BaseTool[Any, Any]:
    """Raises PermanentError with the findings about `component`, a FunctionTool or HttpTool."""
    try:
        if component["provider"] == HTTP_TOOL:
            from prewarm_agent.framework.http_tool import SharedHttpTool

            return SharedHttpTool.on(http_client, component["config"])
        made = ComponentLoader.load_component(component, expected=FunctionTool)
    except Exception as error:
        text = f"{error}".rstrip(".") or type(error).__name__
        raise PermanentError([Finding(Reason.INVALID_CONFIG, f"{path}.config", f"{text}.")]) from error
    missing = sorted(set(_unknown_names(made._func))) if isinstance(made._func, FunctionType) else []
    if missing:
        text = (
            f"uses {', '.join(missing)}, which nothing defines; import it in the source or name it in global_imports."
        )
        raise PermanentError([Finding(Reason.INVALID_CONFIG, f"{path}.config.source_code", text)])
    return made


def _unknown_names(function: FunctionType) -> Iterator[str]:
    """Global names that the function reads and that will raise NameError when it is called."""
    known = {*function.__globals__, *vars(builtins)}
    codes: list[CodeType] = [function.__code__]
    while codes:
        code = codes.pop()
        codes.extend(constant for constant in code.co_consts if isinstance(constant, CodeType))
        for instruction in dis.get_instructions(code):
            if instruction.opname == "LOAD_GLOBAL" and instruction.argval not in known:
                yield instruction.argval
