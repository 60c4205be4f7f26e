"""JSON in, JSON out, over the official client's configuration, authentication and connections.

The generated models cost three times the CPU of a call and refuse answers that newer servers give, so bodies are
plain dictionaries; see docs/design/0002-operator.md.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import aiohttp
from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.config.config_exception import ConfigException

from prewarm_operator.kube.errors import Conflict, Invalid, KubeError, NotFound, Refused, Unreachable

Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]
ContentType = Literal[
    "application/json", "application/merge-patch+json", "application/json-patch+json", "application/apply-patch+yaml"
]

REQUEST_TIMEOUT_SECONDS = 15.0
"""Bound of one call. A reconcile makes a handful of calls; the queue retries what ran out of time."""


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
    ) -> dict[str, Any]:
        """Make one call and return the parsed answer.

        Raises:
            Unreachable: no answer within 15 seconds.
            Refused: an answer other than 2xx, as its narrowest subclass.
        """
        _, url, headers, _, _ = await self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._api.call_api(
                method, url, headers, body=body, _request_timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS)
            )
            payload: bytes = await response.read()  # type: ignore[no-untyped-call]
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{method} {path}: {error or type(error).__name__}") from error
        if 200 <= response.status < 300:
            parsed: dict[str, Any] = json.loads(payload)
            return parsed
        raise _refusal(response.status, payload, response.headers.get("Retry-After"))


@asynccontextmanager
async def connect() -> AsyncIterator[Client]:
    """A client with the pod's service account, or with the kubeconfig where there is none.

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
        api.user_agent = "prewarm-operator"
        yield Client(api)


def _refusal(status: int, payload: bytes, retry_after: str | None) -> Refused:
    try:
        message = str(json.loads(payload).get("message") or payload.decode())
    except ValueError:
        message = payload.decode(errors="replace")[:500]
    if status == 404:
        return NotFound(status, message)
    if status == 409:
        return Conflict(status, message)
    # 403 is admission (a quota, Pod Security) as often as RBAC: both need a person, neither is helped by haste.
    if status in (400, 403, 413, 422):
        return Invalid(status, message)
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    return Refused(status, message, seconds)
