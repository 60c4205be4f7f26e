"""Every piece of YAML in the guide to pods, and every example, on a real API server: the object, and a pod of it.

The namespace enforces Pod Security `restricted`, as the guide promises.
"""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from component.operator.namespace import Namespace

from prewarm_operator.render import agent as reading
from prewarm_operator.render import config_map, service, template

Object = dict[str, Any]

REPOSITORY = Path(__file__).parents[3]
GUIDE = (REPOSITORY / "docs" / "guide" / "pods.md").read_text()
PIECES = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)]
EXAMPLES = sorted([*(REPOSITORY / "examples").rglob("*.yaml"), *(REPOSITORY / "docs" / "guide").glob("*.yaml")])

DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}
COMPONENT = {"component": {"provider": "autogen_agentchat.agents.AssistantAgent"}}


@pytest.fixture
async def restricted(namespace: Namespace) -> Namespace:
    """A restricted namespace in a cluster that has what the guide mentions."""
    await namespace.http.patch(
        f"/api/v1/namespaces/{namespace.name}",
        json={"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    for path, body in (
        ("/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "gvisor"}, "handler": "runsc"}),
        ("/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": "agents"}, "value": 1000}),
    ):
        answer = await namespace.http.post(path, json=body)
        assert answer.status_code in (201, 409), answer.text
    return namespace


async def try_out(namespace: Namespace, agent: Object) -> Object:
    """The pod that the API server would make of an AgentDeployment; nothing is stored."""
    agent = {**agent, "metadata": {**agent["metadata"], "namespace": namespace.name}}
    created = await namespace.http.post(namespace.url("agentdeployments"), json=agent, params=DRY_RUN)
    assert created.status_code == 201, created.text
    parsed = reading.parse(created.json())
    pods = template.render(parsed, config_map.render(parsed), "example.com/agent:1").body
    metadata = {**pods["metadata"], "name": "tried"}
    pod = await namespace.http.post(
        namespace.url("pods"), json={"metadata": metadata, "spec": pods["spec"]}, params=DRY_RUN
    )
    assert pod.status_code == 201, pod.text
    made = await namespace.http.post(namespace.url("services"), json=service.render(parsed), params=DRY_RUN)
    assert made.status_code == 201, made.text
    found: Object = pod.json()
    return found


def asked_for(piece: Any, found: Any) -> bool:
    """Whether all of `piece` that stays in a pod under its own name is in `found`."""
    if isinstance(piece, dict):
        return all(asked_for(value, found.get(key)) for key, value in piece.items() if value is not None)
    if isinstance(piece, list):
        return all(any(isinstance(item, type(each)) and asked_for(each, item) for item in found) for each in piece)
    return str(piece) == str(found)


@pytest.mark.parametrize("number", range(len(PIECES)))
async def test_yaml_of_the_guide_works_as_it_stands(restricted: Namespace, number: int) -> None:
    piece = copy.deepcopy(PIECES[number])
    piece["spec"].setdefault("agent", COMPONENT)
    body = {"apiVersion": "prewarm.dev/v1alpha1", "kind": "AgentDeployment", "metadata": {"name": "support"}, **piece}
    pod = await try_out(restricted, body)
    overlay = piece["spec"].get("podTemplate", {}).get("spec", {})
    assert asked_for(overlay, pod["spec"]), (overlay, pod["spec"])


def test_the_guide_has_a_piece_for_every_typed_field_of_pods() -> None:
    shown = {field for piece in PIECES for field in piece["spec"]}
    assert shown >= {
        "affinity",
        "env",
        "envFrom",
        "image",
        "imagePullSecrets",
        "models",
        "nodeSelector",
        "podAnnotations",
        "podLabels",
        "podTemplate",
        "priorityClassName",
        "resources",
        "service",
        "serviceAccountName",
        "tolerations",
        "topologySpreadConstraints",
        "volumeMounts",
        "volumes",
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(REPOSITORY)))
async def test_an_example_works_as_it_stands(restricted: Namespace, path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        if document["kind"] == "AgentDeployment":
            await try_out(restricted, document)
        else:
            plural = f"{document['kind'].lower()}s"
            made = await restricted.http.post(restricted.url(plural), json=document, params=DRY_RUN)
            assert made.status_code == 201, made.text
