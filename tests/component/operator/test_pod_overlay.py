"""The merge of overlays against a real API server's own strategic merge patch, and our table against its schema."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from component.operator.namespace import Namespace
from overlay_cases import BASE, OVERLAYS

from prewarm_operator.render.overlay import MERGE_KEYS, merge

Object = dict[str, Any]
DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}


def deployment(template: Object) -> Object:
    labels = {"matchLabels": {"app": "x"}}
    return {"metadata": {"name": "merged"}, "spec": {"selector": labels, "template": template}}


@pytest.mark.parametrize("case", OVERLAYS)
async def test_an_overlay_gives_what_kubectl_patch_gives(namespace: Namespace, case: str) -> None:
    await namespace.create_object("deployments", deployment(BASE))
    patched = await namespace.http.patch(
        namespace.url("deployments", "merged"),
        content=json.dumps({"spec": {"template": OVERLAYS[case]}}),
        params={"dryRun": "All"},
        headers={"Content-Type": "application/strategic-merge-patch+json"},
    )
    assert patched.status_code == 200, patched.text
    await namespace.delete("deployments", "merged")
    ours = await namespace.http.post(
        namespace.url("deployments"), json=deployment(merge(BASE, OVERLAYS[case])), params=DRY_RUN
    )
    assert ours.status_code == 201, ours.text
    assert ours.json()["spec"]["template"] == patched.json()["spec"]["template"]


def lists(schemas: Object, reference: str, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, str | None]]:
    """Every list below a schema: its field, and the merge key if its items are merged."""
    name = reference.rpartition("/")[2]
    if name in seen:
        return
    for field, schema in schemas[name].get("properties", {}).items():
        inner = schema.get("allOf", [schema])[0]
        if schema.get("type") == "array":
            merges = "merge" in schema.get("x-kubernetes-patch-strategy", "").split(",")
            yield field, schema.get("x-kubernetes-patch-merge-key") if merges else None
            inner = schema["items"].get("allOf", [schema["items"]])[0]
        if "$ref" in inner:
            yield from lists(schemas, inner["$ref"], (*seen, name))


async def test_the_table_of_merge_keys_is_that_of_the_api_server(namespace: Namespace) -> None:
    answer = await namespace.http.get("/openapi/v3/api/v1")
    published = set(lists(answer.json()["components"]["schemas"], "io.k8s.api.core.v1.PodSpec"))
    ephemeral = ("ephemeralContainers", "name")  # never in a template
    merged = {(field, key) for field, key in published if key is not None} - {ephemeral}
    # ObjectMeta of a volume claim template; the API server's own fields.
    merged = {(field, key) for field, key in merged if field not in ("ownerReferences", "finalizers")}
    assert merged == set(MERGE_KEYS.items())
    assert not {field for field, key in published if key is None} & MERGE_KEYS.keys()
