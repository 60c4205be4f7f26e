import json
from typing import Any

import pytest
from unit.operator.builders import COMPONENT, IMAGE, agent, rendered


def pod_spec(**spec: Any) -> dict[str, Any]:
    return rendered(agent(**spec)).deployment["spec"]["template"]["spec"]


def container(**spec: Any) -> dict[str, Any]:
    return pod_spec(**spec)["containers"][0]


FOREIGN = {"container": {"image": "example.com/own:2", "port": 9000, "warmupPath": "/warm"}}


def test_the_config_map_carries_the_agent_spec_of_the_contract() -> None:
    config_map = rendered(
        agent(warmup={"mode": "offline", "timeoutSeconds": 30}, concurrencyLimit=7, drain={"delaySeconds": 1})
    ).config_map
    assert config_map is not None
    assert json.loads(config_map["data"]["agent.json"]) == {
        "name": "support",
        "agent": {"component": COMPONENT},
        "warmup": {"mode": "offline", "timeoutSeconds": 30},
        "concurrencyLimit": 7,
        "drain": {"delaySeconds": 1, "timeoutSeconds": 60},
    }


def test_an_entrypoint_reaches_the_agent_spec() -> None:
    config_map = rendered(agent(agent={"entrypoint": "my.module:build"})).config_map
    assert config_map is not None
    assert json.loads(config_map["data"]["agent.json"])["agent"] == {"entrypoint": "my.module:build"}


def test_what_a_factory_wants_to_know_reaches_the_agent_spec() -> None:
    config_map = rendered(agent(agent={"entrypoint": "my.module:build", "config": {"model": "fast"}})).config_map
    assert config_map is not None
    assert json.loads(config_map["data"]["agent.json"])["agent"]["config"] == {"model": "fast"}


def test_permission_for_code_and_a_required_warm_up_reach_the_agent_spec() -> None:
    asked = agent(security={"allowCode": True}, warmup={"mode": "live", "required": True})
    config_map = rendered(asked).config_map
    assert config_map is not None
    spec = json.loads(config_map["data"]["agent.json"])
    assert spec["security"] == {"allowCode": True}
    assert spec["warmup"] == {"mode": "live", "required": True, "timeoutSeconds": 300}


def test_the_token_of_users_comes_from_its_secret() -> None:
    variables = container(auth={"tokenSecretRef": {"name": "users", "key": "token"}})["env"]
    secret = {"secretKeyRef": {"name": "users", "key": "token"}}
    assert {"name": "PREWARM_API_TOKEN", "valueFrom": secret} in variables


def test_a_changed_agent_spec_changes_config_map_name_and_revision() -> None:
    one, other = (rendered(agent(concurrencyLimit=limit)) for limit in (1, 2))
    assert one.config_map is not None
    assert other.config_map is not None
    assert one.config_map["metadata"]["name"] != other.config_map["metadata"]["name"]
    assert one.revision != other.revision


def test_another_replica_count_is_no_new_revision() -> None:
    assert rendered(agent()).revision == rendered(agent(), 4).revision


def test_traffic_is_gated_on_the_warm_up_path() -> None:
    assert container()["startupProbe"]["httpGet"] == {"path": "/warmupz", "port": 8081}
    assert container()["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 8081}
    assert container()["livenessProbe"]["httpGet"] == {"path": "/livez", "port": 8081}


def test_the_start_may_take_the_warm_up_time_out_and_no_longer() -> None:
    probe = container(warmup={"timeoutSeconds": 45})["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 45


def test_a_rollout_is_called_stuck_only_after_the_warm_up_time_out() -> None:
    spec = rendered(agent(warmup={"timeoutSeconds": 900})).deployment["spec"]
    assert spec["progressDeadlineSeconds"] > 900


def test_the_grace_period_covers_drain_delay_and_time_out() -> None:
    assert pod_spec(drain={"delaySeconds": 7, "timeoutSeconds": 100})["terminationGracePeriodSeconds"] == 112


def test_a_rollout_never_goes_below_the_replicas() -> None:
    strategy = rendered(agent()).deployment["spec"]["strategy"]
    assert strategy["rollingUpdate"]["maxUnavailable"] == 0


def test_pods_meet_the_restricted_standard() -> None:
    assert pod_spec()["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert pod_spec()["automountServiceAccountToken"] is False


@pytest.mark.parametrize(("minimum", "available"), [(1, 0), (2, 1), (5, 4)])
def test_the_budget_never_blocks_a_drain(minimum: int, available: int) -> None:
    budget = rendered(agent(minReplicas=minimum), 5).disruption_budget
    assert budget["spec"]["minAvailable"] == available


def test_the_service_selects_by_the_agent_label_alone_and_the_deployment_leaves_out_claimed_pods() -> None:
    found = rendered(agent())
    assert found.service["spec"]["selector"] == {"prewarm.dev/agent": "support"}
    selector = found.deployment["spec"]["selector"]["matchLabels"]
    assert selector == {"prewarm.dev/agent": "support", "prewarm.dev/origin": "own"}
    assert selector.items() <= found.deployment["spec"]["template"]["metadata"]["labels"].items()


def test_the_image_of_the_spec_wins_over_the_default() -> None:
    assert container()["image"] == IMAGE
    assert container(image="example.com/mine:3")["image"] == "example.com/mine:3"


def test_env_resources_and_pull_policy_reach_the_container() -> None:
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "model-api", "key": "api-key"}}}]
    found = container(env=env, resources={"requests": {"cpu": "250m"}}, imagePullPolicy="Never")
    assert found["env"] == env
    assert found["resources"] == {"requests": {"cpu": "250m"}}
    assert found["imagePullPolicy"] == "Never"


def test_a_foreign_image_gets_its_own_paths_and_no_config_map() -> None:
    found = container(agent=FOREIGN)
    assert found["image"] == "example.com/own:2"
    assert found["startupProbe"]["httpGet"] == {"path": "/warm", "port": 9000}
    assert found["readinessProbe"]["httpGet"] == {"path": "/warm", "port": 9000}
    assert "livenessProbe" not in found
    assert rendered(agent(agent=FOREIGN)).config_map is None


def test_a_foreign_image_may_probe_elsewhere() -> None:
    foreign = {"container": {**FOREIGN["container"], "probePort": 9001, "readinessPath": "/ok", "args": ["-v"]}}
    found = container(agent=foreign)
    assert found["startupProbe"]["httpGet"] == {"path": "/warm", "port": 9001}
    assert found["readinessProbe"]["httpGet"] == {"path": "/ok", "port": 9001}
    assert found["args"] == ["-v"]


@pytest.mark.parametrize(("delay", "lifecycle"), [(4, {"preStop": {"sleep": {"seconds": 4}}}), (0, None)])
def test_a_foreign_image_is_told_to_stop_only_after_the_drain_delay(delay: int, lifecycle: Any) -> None:
    assert container(agent=FOREIGN, drain={"delaySeconds": delay}).get("lifecycle") == lifecycle
