"""How the operator reads objects that the API server stored, and writes its own."""

from typing import Any

import pytest
from pydantic import ValidationError

from prewarm_operator.api.agent import AgentContainer
from prewarm_operator.api.agentdeployment import AgentDeployment, AgentDeploymentSpec
from prewarm_operator.api.status import AgentDeploymentStatus, Condition, StartupStatus

COMPONENT = {"provider": "autogen_agentchat.agents.AssistantAgent", "config": {"tools": None, "name": "a"}}


def spec(**fields: Any) -> AgentDeploymentSpec:
    return AgentDeploymentSpec.model_validate({"agent": {"component": COMPONENT}, **fields})


def test_a_minimal_spec_has_the_documented_defaults() -> None:
    minimal = spec()
    assert (minimal.mode, minimal.replicas, minimal.min_replicas, minimal.max_replicas) == ("Auto", 1, 1, 10)
    assert (minimal.warmup.mode, minimal.warmup.timeout_seconds) == ("connect", 300)
    assert (minimal.drain.delay_seconds, minimal.drain.timeout_seconds) == (5, 60)
    assert minimal.concurrency_limit == 100


def test_a_component_passes_through_untouched_nulls_included() -> None:
    assert spec().model_dump(exclude_none=True)["agent"]["component"] == COMPONENT


def test_a_field_of_a_newer_crd_is_ignored() -> None:
    body = {"spec": {"agent": {"entrypoint": "a:b", "new": 1}, "new": {}}, "status": {"new": [], "revision": "1"}}
    parsed = AgentDeployment.model_validate(body)
    assert parsed.spec.agent.entrypoint == "a:b"
    assert parsed.status is not None
    assert parsed.status.revision == "1"


def test_a_value_of_a_newer_crd_is_an_error_that_names_the_field() -> None:
    with pytest.raises(ValidationError) as raised:
        spec(mode="Clairvoyant")
    assert raised.value.errors()[0]["loc"] == ("mode",)


def test_a_foreign_container_is_probed_at_its_own_port_and_warmup_path_by_default() -> None:
    container = AgentContainer(image="mine", port=9000, warmup_path="/warm")
    assert (container.effective_probe_port, container.effective_readiness_path) == (9000, "/warm")
    container = AgentContainer(image="mine", port=9000, probe_port=9001, warmup_path="/warm", readiness_path="/ready")
    assert (container.effective_probe_port, container.effective_readiness_path) == (9001, "/ready")


def test_env_and_resources_are_written_in_the_words_of_a_pod() -> None:
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "model", "key": "key"}}}]
    resources = {"requests": {"cpu": 1, "memory": "512Mi"}}
    parsed = spec(env=env, resources=resources)
    assert [entry.model_dump(exclude_none=True) for entry in parsed.env] == env
    assert parsed.resources.model_dump(exclude_none=True) == resources


def test_parts_of_pods_pass_through_untouched_nulls_included() -> None:
    overlay = {"containers": [{"name": "agent", "livenessProbe": None}], "volumes": [{"name": "x", "emptyDir": {}}]}
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    parsed = spec(podTemplate={"spec": overlay}, affinity=affinity, volumes=overlay["volumes"])
    assert parsed.pod_template is not None
    assert parsed.pod_template.model_dump(exclude_none=True) == {"spec": overlay}
    assert parsed.affinity == affinity
    assert list(parsed.volumes) == overlay["volumes"]


def test_the_key_of_a_model_is_the_one_that_most_clients_read_unless_another_is_named() -> None:
    (model,) = spec(models=[{"apiKeySecretRef": {"name": "model-api", "key": "api-key"}}]).models
    assert model.env_var == "OPENAI_API_KEY"


def test_a_status_is_read_back_as_it_was_written() -> None:
    condition = Condition(
        type="Ready",
        status="True",
        reason="AllWarm",
        message="2 of 2 pods are warm.",
        last_transition_time="2026-11-25T10:00:00Z",
        observed_generation=3,
    )
    status = AgentDeploymentStatus(
        observed_generation=3,
        ready_replicas=2,
        startup=StartupStatus(created_to_ready_p90_seconds=4.25, samples=2),
        conditions=(condition,),
    )
    written = status.model_dump(mode="json", exclude_none=True)
    assert written["startup"] == {"createdToReadyP90Seconds": 4.25, "samples": 2}
    assert AgentDeploymentStatus.model_validate(written) == status


def test_a_model_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        spec().replicas = 3  # type: ignore[misc]
