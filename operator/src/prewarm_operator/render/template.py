"""The pod template of an agent, and how it is kept with the child Deployment.

An operator whose code or default image has changed would render another template from the same spec, and roll every
agent of the cluster. So the template is stored with the Deployment that it was rendered for, and stays as it is until
the spec changes or the user asks for a new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from prewarm_operator.api import names
from prewarm_operator.render import container, meta, pod
from prewarm_operator.render.agent import Agent

RENDERER_VERSION = "2"
"""Raised with every change that renders another template from the same spec and image."""

_NOT_IN_THE_POD = {"mode", "replicas", "min_replicas", "max_replicas", "scaling", "service", "target_concurrency"}


@dataclass(frozen=True)
class Template:
    """A pod template, and what it was rendered by and from.

    Attributes:
        body: `spec.template` of the Deployment; its pods carry the hash of all the rest as revision label.
        renderer: RENDERER_VERSION of the operator that rendered it.
        spec_hash: source_hash of the agent at that time.
    """

    body: Mapping[str, Any]
    renderer: str
    spec_hash: str

    @property
    def revision(self) -> str:
        """The revision label of pods made from this template."""
        return str(self.body["metadata"]["labels"].get(names.LABEL_REVISION, ""))

    @property
    def image(self) -> str:
        """The image of the agent's container, "" if an overlay took it away."""
        containers = self.body["spec"]["containers"]
        return next((str(each.get("image", "")) for each in containers if each.get("name") == container.NAME), "")

    @property
    def config_map_name(self) -> str | None:
        """The ConfigMap that carries the agent spec, or None for a foreign image."""
        volumes = self.body["spec"].get("volumes") or ()
        own = (volume for volume in volumes if volume.get("name") == container.CONFIG_VOLUME)
        return next((str(volume["configMap"]["name"]) for volume in own), None)

    @property
    def restarted_at(self) -> str:
        """The restart that its pods come from, "" if they were never restarted."""
        annotations = self.body["metadata"].get("annotations") or {}
        return str(annotations.get(names.ANNOTATION_RESTARTED_AT, ""))

    def restarted(self, at: str) -> Template:
        """The same template for pods of the restart `at`; "" asks for none."""
        if at in ("", self.restarted_at):
            return self
        metadata = self.body["metadata"]
        annotations = {**(metadata.get("annotations") or {}), names.ANNOTATION_RESTARTED_AT: at}
        labels = {label: value for label, value in metadata["labels"].items() if label != names.LABEL_REVISION}
        body = {**self.body, "metadata": {**metadata, "labels": labels, "annotations": annotations}}
        return replace(self, body=_with_revision(body))

    def annotations(self) -> dict[str, str]:
        """What the child Deployment carries so that a later operator can read the template back."""
        return {
            names.ANNOTATION_RENDERER: self.renderer,
            names.ANNOTATION_SPEC_HASH: self.spec_hash,
            names.ANNOTATION_TEMPLATE: json.dumps(self.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        }


def render(agent: Agent, config: Mapping[str, Any] | None, default_image: str) -> Template:
    """The template that this operator makes.

    Args:
        agent: what the pods run.
        config: the ConfigMap that carries the agent spec, None exactly for a foreign image.
        default_image: the image where the spec names none.
    """
    labels = meta.child_labels(agent.name) | selector(agent)
    body = pod.template(agent, labels, None if config is None else config["metadata"]["name"], default_image)
    return Template(_with_revision(body), RENDERER_VERSION, source_hash(agent))


def _with_revision(body: Mapping[str, Any]) -> dict[str, Any]:
    labels = {**body["metadata"]["labels"], names.LABEL_REVISION: meta.content_hash(body)}
    return {**body, "metadata": {**body["metadata"], "labels": labels}}


def selector(agent: Agent) -> dict[str, str]:
    """Labels by which the Deployment knows its pods. Claimed pods are left out."""
    return {names.LABEL_AGENT: agent.name, names.LABEL_ORIGIN: names.ORIGIN_OWN}


def source_hash(agent: Agent) -> str:
    """A hash of all that a user says about the pods of an agent, and of nothing that an operator adds.

    Fields that have their default are left out: a newer operator that knows more fields must find the same hash.
    """
    spec = agent.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=_NOT_IN_THE_POD)
    return meta.content_hash({"spec": spec, "upgrade": agent.upgrade})


def stored(deployment: Mapping[str, Any]) -> Template | None:
    """The template that was stored with a Deployment, or None if there is none or a hand has changed it."""
    annotations = deployment["metadata"].get("annotations") or {}
    try:
        body = json.loads(annotations[names.ANNOTATION_TEMPLATE])
        labels = dict(body["metadata"]["labels"])
        revision = labels.pop(names.LABEL_REVISION)
        as_hashed = {**body, "metadata": {**body["metadata"], "labels": labels}}
    except (KeyError, TypeError, ValueError):
        return None
    if meta.content_hash(as_hashed) != revision:
        return None
    return Template(
        body, annotations.get(names.ANNOTATION_RENDERER, ""), annotations.get(names.ANNOTATION_SPEC_HASH, "")
    )


def found(deployment: Mapping[str, Any]) -> Template:
    """The template that a Deployment has, where nothing readable was stored with it: kept until a new one may come."""
    return Template(deployment["spec"]["template"], renderer="", spec_hash="")
