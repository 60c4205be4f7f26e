"""Every write that Prewarm makes, one function each. No other module sends anything but GET, except for the Lease."""

from collections.abc import Callable, Mapping
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.decide.plan import Adopt, Apply, AskForPod, Create, Delete, Rank, Relabel, TryApply
from prewarm_operator.kube.client import REQUEST_TIMEOUT_SECONDS, Client
from prewarm_operator.kube.errors import NotFound
from prewarm_operator.kube.resources import AGENT_DEPLOYMENTS, EVENTS
from prewarm_operator.world.snapshot import Object

_MANAGER = {"fieldManager": names.FIELD_MANAGER}


ANSWER_SECONDS = 12.0
"""After this time the API server gives up a question itself. Longer than the 10 s that a webhook has unless told
otherwise, whose name is then in the answer; shorter than ours, so that there is an answer."""


class Gateway:
    """Writes through one client. Every function raises KubeError; see there.

    `write_seconds` is asked before every write: it returns how long a write may take from now on so that it ends before
    another replica can write, or raises NotLeading.
    """

    def __init__(self, client: Client, write_seconds: Callable[[], float]) -> None:
        self._client = client
        self._write_seconds = write_seconds

    async def _write(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        timeout_seconds = min(REQUEST_TIMEOUT_SECONDS, self._write_seconds())
        return await self._client.request(method, path, timeout_seconds=timeout_seconds, **request)

    async def create(self, write: Create) -> dict[str, Any]:
        """POST: fails with Conflict where the name is taken, by whomever."""
        path = write.resource.path(write.body["metadata"]["namespace"])
        return await self._write("POST", path, query=_MANAGER, body=write.body)

    async def adopt(self, write: Adopt) -> dict[str, Any]:
        """Change the operation of our managedFields entry; Invalid if it is not where it was when it was read.

        The resourceVersion may have moved on: controllers write the status of what is a moment old.
        """
        entry = f"/metadata/managedFields/{write.entry}"
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": write.uid},
            {"op": "test", "path": f"{entry}/manager", "value": names.FIELD_MANAGER},
            {"op": "test", "path": f"{entry}/operation", "value": "Update"},
            {"op": "replace", "path": f"{entry}/operation", "value": "Apply"},
        ]
        path = write.resource.path(write.namespace, write.name)
        return await self._write("PATCH", path, body=patch, content_type="application/json-patch+json")

    async def apply(self, write: Apply) -> dict[str, Any]:
        """Server-side apply by force: fields that we render are ours, all others stay with their managers.

        The body's uid makes the API server answer Conflict when a namesake has taken the object's place.
        """
        return await self._apply(write, _MANAGER | {"force": "true"})

    async def try_apply(self, write: TryApply) -> dict[str, Any]:
        """The answer that apply() would have: nothing is kept (dry run)."""
        return await self._apply(write, _MANAGER | {"force": "true", "dryRun": "All"})

    async def _apply(self, write: Apply | TryApply, query: Mapping[str, str]) -> dict[str, Any]:
        metadata = write.body["metadata"]
        return await self._write(
            "PATCH",
            write.resource.path(metadata["namespace"], metadata["name"]),
            query=query,
            body=write.body,
            content_type="application/apply-patch+yaml",
        )

    async def delete(self, write: Delete) -> None:
        """Delete in the background, only that uid. Gone already is done."""
        body = {"preconditions": {"uid": write.uid}, "propagationPolicy": "Background"}
        try:
            await self._write("DELETE", write.resource.path(write.namespace, write.name), body=body)
        except NotFound:
            return

    async def relabel(self, write: Relabel) -> dict[str, Any]:
        """Set labels of a pod; of another pod of its name they are not set (422)."""
        return await self._write(
            "PATCH",
            write.resource.path(write.namespace, write.name),
            query=_MANAGER,
            body={"metadata": {"uid": write.uid, "labels": write.labels}},
            content_type="application/merge-patch+json",
        )

    async def rank(self, write: Rank) -> dict[str, Any]:
        """Set what it costs to delete a pod; of another pod of its name it is not set (422)."""
        metadata = {"uid": write.uid, "annotations": {names.ANNOTATION_DELETION_COST: str(write.cost)}}
        return await self._write(
            "PATCH",
            write.resource.path(write.namespace, write.name),
            query=_MANAGER,
            body={"metadata": metadata},
            content_type="application/merge-patch+json",
        )

    async def ask_for_pod(self, write: AskForPod) -> None:
        """POST a pod that is not kept (dry run): all admission looks at it. Fields that no pod has are refused, too.

        Refused with 504 if admission has not ended after ANSWER_SECONDS.
        """
        query = _MANAGER | {"dryRun": "All", "fieldValidation": "Strict", "timeout": f"{ANSWER_SECONDS:.0f}s"}
        await self._write("POST", write.resource.path(write.namespace), query=query, body=write.body)

    async def patch_status(self, agent: Object, status: Object) -> dict[str, Any]:
        """Merge `status` into the AgentDeployment's status, if it still is the object that was read."""
        metadata = agent["metadata"]
        return await self._write(
            "PATCH",
            AGENT_DEPLOYMENTS.path(metadata["namespace"], metadata["name"], "status"),
            query=_MANAGER,
            body={"metadata": {"uid": metadata["uid"]}, "status": status},
            content_type="application/merge-patch+json",
        )

    async def post_event(self, event: Object) -> None:
        """Create an Event object."""
        await self._write("POST", EVENTS.path(event["metadata"]["namespace"]), query=_MANAGER, body=event)
