"""JSON in, JSON out, over the official client's configuration, authentication and connections.

The generated models cost three times the CPU of a call and refuse answers that newer servers give, so bodies are
plain dictionaries; see docs/design/0002-operator.md.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.config.config_exception import ConfigException
from yaml import YAMLError

from prewarm_operator import metrics
from prewarm_operator.kube.errors import (
    Conflict,
    Invalid,
    KubeError,
    NamespaceTerminating,
    NotFound,
    Refused,
    Unreachable,
)

Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]
ContentType = Literal[
    "application/json", "application/merge-patch+json", "application/json-patch+json", "application/apply-patch+yaml"
]

REQUEST_TIMEOUT_SECONDS = 15.0
"""Bound of one call. A reconcile makes a handful of calls; the queue retries what ran out of time."""

# Ours is exact; aiohttp rounds its own up to whole seconds, and a write must not outlive the lease.
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


class Client:
    """One connection pool to one API server."""

    def __init__(self, api: kubernetes_client.ApiClient) -> None:
        self._api = api

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: ContentType = "application/json",
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> dict[str, Any]:
        """Make one call and return the parsed answer. `timeout_seconds` includes the wait for a connection.

        Raises:
            Unreachable: no answer in time, or not one of an API server's; or there is no token to ask with.
            Refused: an answer other than 2xx, as its narrowest subclass.
        """
        started = time.perf_counter()
        code = "<error>"
        try:
            # Reads the token anew where it has changed.
            _, url, headers, _, _ = await self._api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json", "Content-Type": content_type},
                auth_settings=["BearerToken"],
            )
            async with asyncio.timeout(timeout_seconds):
                response = await self._api.call_api(method, url, headers, body=body, _request_timeout=_NO_TIMEOUT)
                payload: bytes = await response.read()  # type: ignore[no-untyped-call]
            code = str(response.status)
        except (TimeoutError, aiohttp.ClientError, OSError, ConfigException) as error:
            raise Unreachable(f"{method} {path}: {str(error) or type(error).__name__}") from error
        finally:
            metrics.API_REQUESTS.labels(method, code).inc()
            metrics.API_REQUEST_SECONDS.labels(method).observe(time.perf_counter() - started)
        if 200 <= response.status < 300:
            try:
                parsed: dict[str, Any] = json.loads(payload)
            except ValueError as error:  # somebody between us and the API server has answered
                raise Unreachable(f"{method} {path}: the answer is no JSON: {payload[:100]!r}") from error
            return parsed
        raise _refusal(response.status, payload, response.headers.get("Retry-After"))


@asynccontextmanager
async def connect(user_agent: str) -> AsyncIterator[Client]:
    """A client with the pod's service account, or with the kubeconfig where there is none.

    The API server's audit log names the process by `user_agent`.

    Raises:
        KubeError: neither of the two is there.
    """
    configuration = kubernetes_client.Configuration()
    try:
        kubernetes_config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except ConfigException:
        try:
            await kubernetes_config.load_kube_config(  # type: ignore[no-untyped-call]
                client_configuration=configuration
            )
        except ConfigException as error:
            raise KubeError(
                f"no way to the API server: not in a pod, and no usable kubeconfig ({error}); set KUBECONFIG"
            ) from error
    async with kubernetes_client.ApiClient(configuration) as api:
        api.user_agent = user_agent
        yield Client(api)


@asynccontextmanager
async def connect_as_person(
    user_agent: str, kubeconfig: str | None = None, context: str | None = None
) -> AsyncIterator[tuple[Client, str]]:
    """A client with the rights of whoever runs the command, and the namespace that kubectl would take.

    Args:
        user_agent: by which the API server's audit log names the command.
        kubeconfig: path; None as kubectl finds it.
        context: name in it; None is the current one.

    Raises:
        KubeError: there is no such kubeconfig or context.
    """
    configuration = kubernetes_client.Configuration()
    files = _found(kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config")
    try:
        loader = await kubernetes_config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=files, context=context, client_configuration=configuration, persist_config=False
        )
    # The last two are the library's words for a file that is YAML of another kind.
    except (ConfigException, OSError, YAMLError, AttributeError, TypeError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise KubeError(f"the kubeconfig {files} cannot be used ({told}): set KUBECONFIG or --context") from error
    async with kubernetes_client.ApiClient(configuration) as api:
        api.user_agent = user_agent
        yield Client(api), loader.current_context["context"].get("namespace") or "default"


def _found(kubeconfig: str) -> str:
    if any(Path(file).expanduser().exists() for file in kubeconfig.split(os.pathsep) if file):
        return kubeconfig
    raise KubeError(f"there is no kubeconfig {kubeconfig}: set KUBECONFIG or --kubeconfig")


def _refusal(status: int, payload: bytes, retry_after: str | None) -> Refused:
    details: Mapping[str, Any] = {}
    try:
        answer = json.loads(payload)
        message = str(answer.get("message") or payload.decode())
        details = answer.get("details") or {}
    except ValueError:
        message = payload.decode(errors="replace")[:500]
    if any(cause.get("reason") == "NamespaceTerminating" for cause in details.get("causes") or ()):
        return NamespaceTerminating(status, message)
    if status == 404:
        return NotFound(status, message)
    if status == 409:
        return Conflict(status, message)
    # 403 is admission (a quota, Pod Security) as often as RBAC: both need a person, neither is helped by haste.
    if status in (400, 403, 413, 422):
        return Invalid(status, message)
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    return Refused(status, message, seconds)
