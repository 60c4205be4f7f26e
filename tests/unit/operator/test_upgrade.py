"""A newer operator renders other pods from the same spec. Whose pods change, and when."""

import json
from dataclasses import replace
from typing import Any

import pytest
from unit.operator.builders import NO_CHILDREN, agent, agent_body, live, rendered, settled_children, snapshot

from prewarm_operator.api import names
from prewarm_operator.decide import reasons
from prewarm_operator.decide.conditions import conditions
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Apply, Create, Plan
from prewarm_operator.render import config_map, pod, template
from prewarm_operator.render.agent import Agent, parse
from prewarm_operator.world.snapshot import LiveChildren, Snapshot

NEWER = "example.com/agent:2"


def upgraded(of: Agent, children: LiveChildren) -> Snapshot:
    """What an operator with a newer default image sees."""
    return snapshot(of, children, default_image=NEWER)


def asking(value: str) -> Agent:
    body = agent_body()
    body["metadata"]["annotations"] = {names.ANNOTATION_UPGRADE: value}
    return parse(body)


def image(plan: Plan) -> str:
    (write,) = [write for write in plan.writes if isinstance(write, Apply)]
    found: str = write.body["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


def test_a_newer_default_image_rolls_nobody() -> None:
    plan = decide(upgraded(agent(), settled_children(agent(), 3)))
    assert plan.writes == ()
    assert plan.revision == rendered(agent()).revision


def test_a_newer_renderer_rolls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = settled_children(agent(), 3)
    monkeypatch.setattr(template, "RENDERER_VERSION", "99")
    monkeypatch.setattr(pod, "GRACE_SECONDS", 77)
    plan = decide(snapshot(agent(), settled))
    assert plan.writes == ()
    assert plan.update is not None
    assert "renderer 99" in plan.update


@pytest.mark.parametrize("spec", [{"replicas": 4}, {"minReplicas": 3}, {"maxReplicas": 9}, {"service": {"port": 81}}])
def test_what_does_not_reach_the_pods_keeps_them_as_they_are(spec: dict[str, Any]) -> None:
    plan = decide(upgraded(agent(**spec), settled_children(agent(), 3)))
    assert plan.revision == rendered(agent()).revision


def test_a_changed_spec_gets_the_newer_image() -> None:
    assert image(decide(upgraded(agent(concurrencyLimit=7), settled_children(agent(), 3)))) == NEWER


def test_the_annotation_asks_for_the_newer_image_once() -> None:
    asked = asking("v2")
    plan = decide(upgraded(asked, settled_children(agent(), 3)))
    assert image(plan) == NEWER
    (write,) = [write for write in plan.writes if isinstance(write, Apply)]
    children = replace(settled_children(agent(), 3), deployment=live(write.body))
    assert decide(upgraded(asked, children)).writes == ()
    assert decide(snapshot(asked, children, default_image="example.com/agent:3")).writes == ()


def test_drift_is_repaired_towards_the_template_that_was_given() -> None:
    settled = settled_children(agent(), 3)
    assert settled.deployment is not None
    by_hand = json.loads(json.dumps(settled.deployment))
    by_hand["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/evil:1"
    assert image(decide(upgraded(agent(), replace(settled, deployment=by_hand)))) == "example.com/agent:1"


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"metadata": {"labels": {}}}', None])
def test_a_stored_template_that_a_hand_has_changed_is_not_trusted(broken: str | None) -> None:
    settled = settled_children(agent(), 3)
    assert settled.deployment is not None
    by_hand = json.loads(json.dumps(settled.deployment))
    stored = json.loads(by_hand["metadata"]["annotations"][names.ANNOTATION_TEMPLATE])
    stored["spec"]["containers"][0]["image"] = "example.com/evil:1"
    by_hand["metadata"]["annotations"][names.ANNOTATION_TEMPLATE] = json.dumps(stored) if broken is None else broken
    assert image(decide(snapshot(agent(), replace(settled, deployment=by_hand)))) == "example.com/agent:1"


def test_a_config_map_of_an_older_format_stays_and_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = replace(settled_children(agent(), 3), replica_sets_read_at=1e12)
    original = config_map.agent_spec
    monkeypatch.setattr(config_map, "agent_spec", lambda of: {**(original(of) or {}), "format": 2})
    assert decide(snapshot(agent(), settled)).writes == ()


def test_pods_whose_config_map_is_lost_and_of_an_older_format_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = replace(settled_children(agent(), 3), config_maps=())
    original = config_map.agent_spec
    monkeypatch.setattr(config_map, "agent_spec", lambda of: {**(original(of) or {}), "format": 2})
    kinds = [type(write) for write in decide(snapshot(agent(), settled)).writes]
    assert kinds == [Create, Apply]


def test_a_lost_config_map_of_the_present_format_is_made_again() -> None:
    settled = replace(settled_children(agent(), 3), config_maps=())
    (write,) = decide(upgraded(agent(), settled)).writes
    assert isinstance(write, Create)


def verdict(at: Snapshot) -> tuple[str, str, str]:
    (found,) = [verdict for verdict in conditions(at, decide(at), ()) if verdict.type == "UpToDate"]
    return found.status, found.reason, found.message


def test_an_available_update_is_told_with_what_changes_and_how_to_get_it() -> None:
    status, reason, message = verdict(upgraded(agent(), settled_children(agent(), 3)))
    assert (status, reason) == ("False", reasons.UPDATE_AVAILABLE)
    assert "image example.com/agent:1 becomes example.com/agent:2" in message
    assert "kubectl annotate agentdeployment support --overwrite prewarm.dev/upgrade=" in message


def test_a_new_child_is_up_to_date() -> None:
    assert verdict(upgraded(agent(), NO_CHILDREN))[:2] == ("True", reasons.LATEST)


def test_what_a_user_writes_out_although_it_is_the_default_is_the_same_source() -> None:
    assert template.source_hash(agent(concurrencyLimit=100)) == template.source_hash(agent())


KNOWN_SOURCES: dict[str, tuple[dict[str, Any], str]] = {
    "component": ({}, "22cd59e99c"),
    "entrypoint": (
        {
            "agent": {"entrypoint": "my.module:build"},
            "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "model-api", "key": "api-key"}}}],
            "resources": {"requests": {"cpu": "250m"}},
            "concurrencyLimit": 7,
        },
        "dbf5484b2d",
    ),
    "foreign image": (
        {
            "agent": {"container": {"image": "example.com/own:2", "port": 9000, "warmupPath": "/warm"}},
            "drain": {"timeoutSeconds": 600},
        },
        "8432b8ef7b",
    ),
}


@pytest.mark.parametrize("name", KNOWN_SOURCES)
def test_the_hash_of_a_spec_is_the_same_in_every_version_of_the_operator(name: str) -> None:
    """If this fails, an upgrade of the operator would roll every agent: give a new field a default that is left out."""
    spec, known = KNOWN_SOURCES[name]
    assert template.source_hash(agent(**spec)) == known


def undone_children(before: Agent) -> LiveChildren:
    """What `kubectl rollout undo` makes: template and annotations of the older ReplicaSet."""
    return settled_children(before, 3)


def with_status(of: Agent, revision: str, generation: int = 3) -> Agent:
    return replace(of, status=of.status.model_copy(update={"revision": revision, "observed_generation": generation}))


def test_an_undone_rollout_is_put_back_and_told() -> None:
    now = with_status(agent(concurrencyLimit=7), rendered(agent(concurrencyLimit=7)).revision)
    plan = decide(snapshot(now, undone_children(agent())))
    assert image(plan) == "example.com/agent:1"
    (notice,) = plan.notices
    assert (notice.warning, notice.reason) == (True, reasons.ROLLOUT_UNDONE)
    assert rendered(agent()).revision in notice.message


def test_an_undone_upgrade_is_put_back_and_told() -> None:
    asked = asking("v2")
    plan = decide(upgraded(with_status(asked, rendered(asked, image=NEWER).revision), undone_children(agent())))
    assert image(plan) == NEWER
    assert [notice.reason for notice in plan.notices] == [reasons.ROLLOUT_UNDONE]


def test_an_ordinary_change_of_the_spec_is_no_undone_rollout() -> None:
    changed = with_status(agent(concurrencyLimit=7), rendered(agent()).revision, generation=2)
    assert decide(snapshot(changed, settled_children(agent(), 3))).notices == ()


def test_a_change_that_was_written_but_not_yet_reported_is_no_undone_rollout() -> None:
    changed = with_status(agent(concurrencyLimit=7), rendered(agent()).revision)
    assert decide(snapshot(changed, settled_children(agent(concurrencyLimit=7), 3))).notices == ()


def test_a_spec_that_goes_back_before_its_change_was_reported_is_no_undone_rollout() -> None:
    back = with_status(agent(), rendered(agent()).revision, generation=1)
    assert decide(snapshot(back, settled_children(agent(concurrencyLimit=7), 3))).notices == ()
