"""The annotation prewarm.dev/restarted-at: new pods of the same template."""

from dataclasses import replace
from typing import Any

from unit.operator.builders import agent, agent_body, live, rendered, settled_children, snapshot

from prewarm_operator.api import names
from prewarm_operator.decide import reasons
from prewarm_operator.decide.conditions import agent_valid, progressing
from prewarm_operator.decide.decide import decide
from prewarm_operator.decide.plan import Apply, Plan
from prewarm_operator.render import template
from prewarm_operator.render.agent import Agent, parse
from prewarm_operator.world.snapshot import LiveChildren, Snapshot
from prewarm_operator.world.verdicts import PodVerdict

AT = "2026-01-01T12:00:00.000+00:00"
NEWER = "example.com/agent:2"


def restarted(at: str = AT, **spec: Any) -> Agent:
    body = agent_body(**spec)
    body["metadata"]["annotations"] = {names.ANNOTATION_RESTARTED_AT: at}
    return parse(body)


def seen(of: Agent, children: LiveChildren, **fields: Any) -> Snapshot:
    """The API server takes every pod that it is asked about."""
    asked = snapshot(of, children, pod_verdict=None, **fields)
    (question,) = [write for write in decide(asked).writes if hasattr(write, "revision")] or (None,)
    return asked if question is None else replace(asked, pod_verdict=PodVerdict(question.revision, None))


def applied(plan: Plan) -> Apply:
    (write,) = [write for write in plan.writes if isinstance(write, Apply)]
    return write


def after(plan: Plan) -> LiveChildren:
    return replace(settled_children(agent(), 3), deployment=live(applied(plan).body))


def test_a_restart_rolls_the_pods_once_and_changes_nothing_else_of_them() -> None:
    plan = decide(seen(restarted(), settled_children(agent(), 3)))
    pods, before = applied(plan).body["spec"]["template"], rendered(agent()).pods.body
    assert plan.revision != rendered(agent()).revision
    assert pods["spec"] == before["spec"]
    assert pods["metadata"]["annotations"] == {**before["metadata"]["annotations"], names.ANNOTATION_RESTARTED_AT: AT}
    assert decide(seen(restarted(), after(plan))).writes == ()


def test_each_value_is_another_restart_and_none_asks_for_nothing() -> None:
    plan = decide(seen(restarted(), settled_children(agent(), 3)))
    children = after(plan)
    assert decide(seen(restarted("later"), children)).revision not in (plan.revision, rendered(agent()).revision)
    without = decide(seen(agent(), children))
    assert (without.writes, without.revision, without.update) == ((), plan.revision, None)


def test_a_restart_brings_no_newer_image_and_hides_none() -> None:
    plan = decide(seen(restarted(), settled_children(agent(), 3), default_image=NEWER))
    assert applied(plan).body["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/agent:1"
    assert plan.update is not None
    assert NEWER in plan.update


def test_a_changed_spec_keeps_the_restart() -> None:
    children = after(decide(seen(restarted(), settled_children(agent(), 3))))
    pods = applied(decide(seen(agent(concurrencyLimit=7), children))).body["spec"]["template"]
    assert pods["metadata"]["annotations"][names.ANNOTATION_RESTARTED_AT] == AT


def test_the_template_is_read_back_as_it_was_given() -> None:
    plan = decide(seen(restarted(), settled_children(agent(), 3)))
    stored = template.stored(applied(plan).body)
    assert stored is not None
    assert (stored.restarted_at, stored.revision) == (AT, plan.revision)


def test_what_a_deployment_says_of_the_template_before_stops_no_restart() -> None:
    halted = {"type": "Progressing", "status": "False", "message": "has timed out progressing"}
    children = settled_children(agent(), 3)
    assert children.deployment is not None
    for observed, reason in ((1, reasons.STUCK), (0, reasons.ROLLING_OUT)):
        status = {**children.deployment["status"], "conditions": [halted], "observedGeneration": observed}
        at = snapshot(agent(), replace(children, deployment={**children.deployment, "status": status}))
        plan = decide(at)
        assert progressing(at, plan, (), agent_valid(at, plan)).reason == reason
