"""How many places on nodes are kept free for pods to come, so that none of them waits for a node.

The places are for the pods beyond those that are wanted now: one that is wanted and has no place asks for its node by
itself, and a place beside it would buy the node twice.
"""

from dataclasses import dataclass, replace
from typing import Any

from prewarm_operator.api.agentdeployment import AgentDeploymentSpec
from prewarm_operator.decide import reasons
from prewarm_operator.decide.ownership import controlled_by
from prewarm_operator.decide.plan import Scale
from prewarm_operator.decide.scale import policy, scheduled
from prewarm_operator.decide.scaling import pace
from prewarm_operator.decide.scaling.horizon import LATER_SECONDS
from prewarm_operator.decide.scaling.model import Mode, Policy, Term, Verdict
from prewarm_operator.decide.scaling.terms import pods_for
from prewarm_operator.decide.scaling.trust import counts
from prewarm_operator.kube.resources import CAPACITY_BUFFERS, DEPLOYMENTS
from prewarm_operator.render import headroom
from prewarm_operator.render.template import Template
from prewarm_operator.world.places import HeadroomMode
from prewarm_operator.world.scaling import Forecast, Signals
from prewarm_operator.world.snapshot import Object, Snapshot

NODE_SECONDS = LATER_SECONDS[-1]
"""Longer than a cloud takes from the wish for a node to its first pod: 1 minute with Karpenter, up to 4 with
cluster-autoscaler and its scans. A pod that serves this long after the own horizon is asked for in this time at the
latest, and then the node must be there; so the forecast's last horizon is the nodes' own. What is needed sooner needs a
place as well: the greatest of the later horizons counts."""

STABILIZATION_SECONDS = NODE_SECONDS
"""A node that goes takes as long to come back: places go when they were not needed for that time."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Places to keep free, why, and what of it the next decision needs (History.expected)."""

    places: int
    term: Term
    expected: pace.Dated


def nodes(
    spec: AgentDeploymentSpec,
    verdict: Verdict,
    signals: Signals,
    expected: pace.Dated,
    kept: int,
    now: float,
    epoch_seconds: float,
) -> Nodes:
    """The places for one agent in mode Auto.

    They never reach beyond maxReplicas, and fall after STABILIZATION_SECONDS. Where nothing is known of the load to
    come, what was expected last still is.

    Args:
        spec: its bounds and windows.
        verdict: the decision about the pods that are wanted now.
        signals: with the forecast.
        expected: what was expected lately (History.expected).
        kept: places that are kept now.
        now: monotonic seconds.
        epoch_seconds: the same moment, for windows.
    """
    bounds = policy(spec)
    high = max(bounds.low, bounds.high)
    last = expected[0][1] if expected else verdict.replicas + kept
    problem = _problem(verdict, signals.forecast, now)
    ahead = max(verdict.replicas, _scheduled(spec, bounds, epoch_seconds))
    if problem is None and signals.forecast is not None:
        load = max((signals.forecast.upper, *signals.forecast.later))
        ahead = max(ahead, pods_for(load, bounds.concurrency_limit) + bounds.headroom)
    else:
        ahead = max(ahead, last)
    if bounds.paused:
        ahead = verdict.replicas
    if verdict.blind:
        ahead = max(ahead, last)
    expected = pace.remember(expected, ahead, now, STABILIZATION_SECONDS)
    peak = min(high, expected[0][1])
    places = max(0, peak - verdict.replicas)
    if problem is not None:
        message = f"{problem.message}: {places} places on nodes stay free"
        return Nodes(places, Term("nodes", places, problem.reason, message), expected)
    message = (
        f"up to {peak} pods are expected while a node starts, {verdict.replicas} are wanted now: "
        f"{places} places on nodes are kept free"
    )
    return Nodes(places, Term("nodes", places, reasons.NODE_HEADROOM, message), expected)


def _problem(verdict: Verdict, forecast: Forecast | None, now: float) -> Term | None:
    """Why the forecast says nothing about pods to come: a sick model API makes a load that is none."""
    limits = (term for term in verdict.terms if term.reason == reasons.UPSTREAM_LIMITED and term.replicas is not None)
    return counts(forecast, now) or next(limits, None)


def _scheduled(spec: AgentDeploymentSpec, bounds: Policy, epoch_seconds: float) -> int:
    """Pods that a window asks for which is open when a node that is asked for now has started."""
    present = scheduled(spec, epoch_seconds, NODE_SECONDS)
    return 0 if present.replicas is None else present.replicas + bounds.headroom


def node_headroom(snapshot: Snapshot, scale: Scale) -> Scale:
    """`scale` with the places beside it; as it is where none are kept for this agent."""
    spec, verdict, places = snapshot.agent.spec, scale.verdict, snapshot.places
    if not places.wanted or verdict is None or Mode(spec.mode) is not Mode.AUTO:
        return scale
    if places.by is None:
        message = (
            f"the cluster serves no {CAPACITY_BUFFERS.kind} of {CAPACITY_BUFFERS.api_version}: no place is kept free"
        )
        return replace(scale, nodes=Term("nodes", None, reasons.NO_CAPACITY_BUFFER, message))
    history, now = snapshot.history, snapshot.now
    found = nodes(spec, verdict, snapshot.signals, history.expected, _kept(snapshot), now, snapshot.taken_at)
    return replace(scale, nodes=found.term, history=replace(scale.history, expected=found.expected))


def objects(snapshot: Snapshot, scale: Scale, pods: Template) -> tuple[dict[str, Any], ...]:
    """What keeps the places, and what has kept them before with none any more.

    Nothing is made before the first place is needed.
    """
    agent, places = snapshot.agent, snapshot.places
    count = 0 if scale.nodes is None else scale.nodes.replicas or 0
    by_buffer = count if places.by is HeadroomMode.CAPACITY_BUFFER else 0
    by_pods = count if places.by is HeadroomMode.PLACEHOLDER else 0
    wanted: list[dict[str, Any]] = []
    if by_buffer or _live(snapshot, CAPACITY_BUFFERS.kind) is not None:
        wanted += headroom.capacity_buffer(agent, by_buffer, pods)
    if by_pods or _live(snapshot, DEPLOYMENTS.kind) is not None:
        wanted.append(headroom.placeholders(agent, by_pods, pods, places.placeholders))
    return tuple(wanted)


def _kept(snapshot: Snapshot) -> int:
    """While one takes over from the other, both are for the same pods."""
    found = (_live(snapshot, kind) for kind in (CAPACITY_BUFFERS.kind, DEPLOYMENTS.kind))
    return max((live["spec"].get("replicas", 0) for live in found if live is not None), default=0)


def _live(snapshot: Snapshot, kind: str) -> Object | None:
    ours = (live for live in snapshot.children.headroom if controlled_by(snapshot.agent.uid, live))
    return next((live for live in ours if live["kind"] == kind), None)
