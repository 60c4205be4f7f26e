"""What is rendered for a spec decides whose pods an operator upgrade could roll: every change of it is on purpose."""

import json
from dataclasses import replace

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
