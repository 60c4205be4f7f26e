"""The conditions of an AgentDeployment, each a verdict (status, reason, message) about one aspect."""

from collections.abc import Sequence

from prewarm_operator.api import names
from prewarm_operator.decide import reasons
from prewarm_operator.decide.condition import Status, Verdict
from prewarm_operator.decide.plan import AskForPod, Plan, Problem
from prewarm_operator.decide.scaling_active import scaling_active
from prewarm_operator.world.pods import Fault, PodView
from prewarm_operator.world.snapshot import Object, Snapshot

FAULTS_TOLD = 3
"""Different faults of pods that one message lists."""


def conditions(snapshot: Snapshot, plan: Plan, problems: Sequence[Problem]) -> tuple[Verdict, ...]:
    """All of them. `problems` are those of the plan and those that the writes met, in the order to tell them in."""
    valid = agent_valid(snapshot, plan)
    progress = progressing(snapshot, plan, problems, valid)
    return (
        ready(snapshot, problems, progress),
        warm(snapshot, plan),
        progress,
        *in_the_words_of_kstatus(progress),
        valid,
        scaling_active(snapshot, plan),
        up_to_date(plan, problems, snapshot.agent.name),
    )


def agent_valid(snapshot: Snapshot, plan: Plan) -> Verdict:
    """Whether the current revision can be started at all: a fault of any of its pods speaks against it."""
    current = [pod for pod in snapshot.pods if pod.revision == plan.revision and not pod.terminating]
    faults = [(pod.name, pod.fault) for pod in current if pod.fault is not None]
    if faults:
        return Verdict("AgentValid", "False", faults[0][1].reason, _each_once(faults))
    if any(pod.ready for pod in current):
        return Verdict("AgentValid", "True", reasons.AGENT_LOADED, "the agent was loaded and warmed up")
    crashes = [(pod.name, pod.crash) for pod in current if pod.crash is not None]
    if crashes:
        return Verdict("AgentValid", "Unknown", crashes[0][1].reason, _each_once(crashes))
    return Verdict("AgentValid", "Unknown", reasons.NO_POD_WARM_YET, "no pod of the current revision is warm yet")


def _each_once(faults: Sequence[tuple[str, Fault]]) -> str:
    """Each different fault with the first pod that has it, in the order of the pods' names."""
    first: dict[Fault, str] = {}
    for pod, fault in faults:
        first.setdefault(fault, pod)
    told = [f"{fault.message} (pod {pod})" for fault, pod in first.items()]
    more = f"; and {len(told) - FAULTS_TOLD} more" if len(told) > FAULTS_TOLD else ""
    return "; ".join(told[:FAULTS_TOLD]) + more


def warm(snapshot: Snapshot, plan: Plan) -> Verdict:
    """Whether every wanted pod is warm, of whichever revision."""
    count = sum(pod.ready for pod in snapshot.pods)
    wanted = plan.scale.replicas
    message = f"{count} of {wanted} pods are warm"
    if count >= wanted:
        return Verdict("Warm", "True", reasons.ALL_WARM, message)
    refusal = _replica_failure(snapshot.children.deployment)
    if refusal is not None:
        return Verdict("Warm", "False", reasons.POD_REFUSED, f"{message}: {refusal}")
    homeless = next((pod.unschedulable for pod in snapshot.pods if pod.unschedulable and not pod.terminating), None)
    if homeless is not None:
        return Verdict("Warm", "False", reasons.UNSCHEDULABLE, f"{message}: {homeless}")
    return Verdict("Warm", "False", reasons.WARMING_UP, message + _first_obstacle(snapshot.pods))


def ready(snapshot: Snapshot, problems: Sequence[Problem], progress: Verdict) -> Verdict:
    """Whether users are served by at least the minimum, and nothing is in the way of keeping it so.

    It stays True during a rollout, by the pods from before; so does the generation that it speaks of, which
    `kubectl wait --for=condition=Ready` looks at.
    """
    if problems:
        return Verdict("Ready", "False", problems[0].reason, _all_told(problems))
    count = sum(pod.ready for pod in snapshot.pods)
    minimum = snapshot.agent.spec.min_replicas
    if count >= minimum:
        rolled_out = progress.reason in (reasons.SETTLED, reasons.SCALING)
        return Verdict("Ready", "True", reasons.MINIMUM_SERVES, f"at least {minimum} warm pods serve", rolled_out)
    return Verdict("Ready", "False", reasons.BELOW_MINIMUM, f"{count} warm pods serve, spec.minReplicas is {minimum}")


def progressing(snapshot: Snapshot, plan: Plan, problems: Sequence[Problem], valid: Verdict) -> Verdict:
    """Whether a change is on its way that will end by itself."""
    deployment = snapshot.children.deployment
    if problems:
        return Verdict("Progressing", "False", reasons.STUCK, _all_told(problems))
    if valid.status == "False":
        return Verdict("Progressing", "False", reasons.STUCK, f"the current revision cannot start: {valid.message}")
    if deployment is not None and (halted := _halted(deployment)) is not None:
        return Verdict("Progressing", "False", reasons.STUCK, halted)
    status = {} if deployment is None else deployment.get("status") or {}
    wanted = plan.scale.replicas
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    if plan.writes or not _observed(deployment) or updated < min(wanted, total) or total > max(wanted, updated):
        return Verdict(
            "Progressing", "True", reasons.ROLLING_OUT, f"{updated} of {wanted} pods have the current revision"
        )
    available = status.get("availableReplicas", 0)
    if total != wanted or available < wanted:
        return Verdict("Progressing", "True", reasons.SCALING, f"{available} of {wanted} pods are available")
    return Verdict("Progressing", "False", reasons.SETTLED, f"all {wanted} pods have the current revision")


def in_the_words_of_kstatus(progress: Verdict) -> tuple[Verdict, Verdict]:
    """Progressing once more, as kstatus reads it, and with it Flux and `helm upgrade --wait`.

    Without these two an object counts as done as soon as Ready is True for its generation, and Ready stays True while
    a change rolls: the pods of the revision before serve.
    """
    stalled: Status = "True" if progress.reason == reasons.STUCK else "False"
    return (
        Verdict("Reconciling", progress.status, progress.reason, progress.message),
        Verdict("Stalled", stalled, progress.reason, progress.message),
    )


def up_to_date(plan: Plan, problems: Sequence[Problem], name: str) -> Verdict:
    """Whether the pods are what this operator would make of the spec.

    If not, they are so by design and can wait, or the API server takes no newer ones.
    """
    refused = next((problem for problem in problems if problem.reason == reasons.POD_REFUSED), None)
    if refused is not None:
        return Verdict("UpToDate", "False", refused.reason, refused.message)
    if any(isinstance(write, AskForPod) for write in plan.writes):
        message = "it is not yet known whether the API server takes pods of this spec"
        return Verdict("UpToDate", "Unknown", reasons.ROLLING_OUT, message)
    if plan.update is None:
        return Verdict("UpToDate", "True", reasons.LATEST, "the pods are as this operator makes them")
    command = f"kubectl annotate agentdeployment {name} --overwrite {names.ANNOTATION_UPGRADE}=VALUE"
    message = f"{plan.update} when you ask for it, which rolls the pods: {command}, with any new value"
    return Verdict("UpToDate", "False", reasons.UPDATE_AVAILABLE, message)


def _all_told(problems: Sequence[Problem]) -> str:
    return "; ".join(problem.message for problem in problems)


def _observed(deployment: Object | None) -> bool:
    if deployment is None:
        return False
    status = deployment.get("status") or {}
    return bool(status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0))


def _halted(deployment: Object) -> str | None:
    if deployment["spec"].get("paused"):
        name = deployment["metadata"]["name"]
        return f"Deployment {name} is paused, nothing rolls out: kubectl rollout resume deployment/{name}"
    if not _observed(deployment):
        return None  # what it says is of the template before
    for entry in (deployment.get("status") or {}).get("conditions") or ():
        if entry["type"] == "Progressing" and entry["status"] == "False":
            return f"the Deployment made no progress in time: {entry.get('message', entry.get('reason', ''))}"
    return None


def _replica_failure(deployment: Object | None) -> str | None:
    """Why the ReplicaSet cannot make a pod: what the dry run admitted may be refused later, by a quota above all."""
    for entry in ((deployment or {}).get("status") or {}).get("conditions") or ():
        if entry["type"] == "ReplicaFailure" and entry["status"] == "True":
            return str(entry.get("message") or entry.get("reason") or "no pod can be made")
    return None


def _first_obstacle(pods: Sequence[PodView]) -> str:
    obstacle = next((pod.fault or pod.crash for pod in pods if pod.fault or pod.crash), None)
    return "" if obstacle is None else f": {obstacle.message}"
