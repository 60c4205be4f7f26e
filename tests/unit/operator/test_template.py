"""What is rendered for a spec decides whose pods an operator upgrade could roll: every change of it is on purpose."""

import json
from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import agent, rendered

from prewarm_operator.api import names
from prewarm_operator.render import template

FOREIGN = {"container": {"image": "example.com/own:2", "port": 9000, "warmupPath": "/warm"}}
RENDERED = {
    "1": {"component": "55fa018bc2", "foreign image": "89441141fb"},
    "2": {"component": "55fa018bc2", "foreign image": "89441141fb"},  # differs where a sidecar has a port called http
}
"""By RENDERER_VERSION, the revisions of two known specs."""


@pytest.mark.parametrize(("name", "spec"), [("component", {}), ("foreign image", {"agent": FOREIGN})])
def test_the_renderer_version_is_raised_with_every_change_of_what_is_rendered(
    name: str, spec: dict[str, object]
) -> None:
    """If this fails, what is rendered has changed: raise RENDERER_VERSION, and add a line above."""
    assert rendered(agent(**spec)).revision == RENDERED[template.RENDERER_VERSION][name]


def test_a_deployment_carries_its_template_as_it_was_rendered() -> None:
    deployment = rendered(agent()).deployment
    stored = template.stored(deployment)
    assert stored is not None
    assert stored == rendered(agent()).pods
    assert (
        json.loads(deployment["metadata"]["annotations"][names.ANNOTATION_TEMPLATE]) == deployment["spec"]["template"]
    )


def test_all_that_the_api_server_limits_to_63_characters_is_shorter() -> None:
    name = "a" * 40
    children = rendered(replace(agent(), name=name))
    labels = children.deployment["spec"]["template"]["metadata"]["labels"]
    assert max(len(value) for value in labels.values()) <= 63
    assert len(f"{name}-0123456789-01234") <= 63  # what ReplicaSet and pod add
    assert children.config_map is not None
    assert len(children.config_map["metadata"]["name"]) <= 63


@pytest.mark.parametrize(
    "field",
    [
        {"mode": "Auto"},
        {"replicas": 9},
        {"minReplicas": 3},
        {"maxReplicas": 9},
        {"targetConcurrency": 7},
        {"scaling": {"headroom": 1}},
        {"service": {"port": 81}},
    ],
    ids=lambda field: next(iter(field)),
)
def test_what_only_says_how_many_pods_there_are_is_no_change_of_the_pods(field: dict[str, Any]) -> None:
    assert template.source_hash(agent(**field)) == template.source_hash(agent())


def test_what_a_pod_is_made_of_is_a_change_of_the_pods() -> None:
    assert template.source_hash(agent(concurrencyLimit=7)) != template.source_hash(agent())
