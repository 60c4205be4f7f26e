from typing import Any

import pytest

from prewarm_operator.decide.drift import first_difference

UNCHANGED: dict[str, tuple[Any, Any]] = {
    "equal": ({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}),
    "fields of others are left alone": ({"a": 1}, {"a": 1, "b": 2}),
    "empty list that the API server drops": ({"env": []}, {}),
    "empty mapping that the API server drops": ({"emptyDir": {"x": {}}}, {"emptyDir": {}}),
    "sidecar beside our container": (
        {"containers": [{"name": "agent", "image": "a"}]},
        {"containers": [{"name": "proxy"}, {"name": "agent", "image": "a", "stdin": False}]},
    ),
    "quantities written another way": (
        {"requests": {"cpu": "0.5", "memory": "1024Mi", "x": 1}},
        {"requests": {"cpu": "500m", "memory": "1Gi", "x": "1"}},
    ),
    "one volume mounted at two paths": (
        {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]},
        {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]},
    ),
    "init container that a mesh put between ours": (
        {"initContainers": [{"name": "a"}, {"name": "b"}]},
        {"initContainers": [{"name": "a"}, {"name": "mesh"}, {"name": "b"}]},
    ),
    "port that somebody added": (
        {"ports": [{"containerPort": 1}]},
        {"ports": [{"containerPort": 2}, {"containerPort": 1, "protocol": "TCP"}]},
    ),
    "size of a volume written another way": ({"emptyDir": {"sizeLimit": "1024Mi"}}, {"emptyDir": {"sizeLimit": "1Gi"}}),
    "false and zero that the API server drops": (
        {"hostNetwork": False, "ports": [{"containerPort": 1, "hostPort": 0}]},
        {"ports": [{"containerPort": 1}]},
    ),
    "zero that the API server keeps": ({"maxUnavailable": 0}, {"maxUnavailable": 0}),
}

CHANGED: dict[str, tuple[Any, Any, str]] = {
    "init containers run in their order": (
        {"initContainers": [{"name": "a"}, {"name": "b"}]},
        {"initContainers": [{"name": "b"}, {"name": "mesh"}, {"name": "a"}]},
        "initContainers",
    ),
    "scaled to zero by hand": ({"spec": {"replicas": 2}}, {"spec": {"replicas": 0}}, "spec.replicas"),
    "wanted zero is not absent": ({"maxUnavailable": 0}, {}, "maxUnavailable"),
    "image of the named container": (
        {"containers": [{"name": "agent", "image": "a"}]},
        {"containers": [{"name": "agent", "image": "b"}]},
        "containers[agent].image",
    ),
    "container gone": ({"containers": [{"name": "agent"}]}, {"containers": []}, "containers[agent]"),
    "item added to a list of ours": ({"drop": ["ALL"]}, {"drop": ["ALL", "X"]}, "drop"),
    "one of two mounts of a volume moved": (
        {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]},
        {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/c"}]},
        "volumeMounts[v].mountPath",
    ),
    "false that means something else than nothing": (
        {"automountServiceAccountToken": False},
        {},
        "automountServiceAccountToken",
    ),
    "zero that means something else than nothing": (
        {"terminationGracePeriodSeconds": 0},
        {"terminationGracePeriodSeconds": 30},
        "terminationGracePeriodSeconds",
    ),
    "true for a false that was dropped": ({"hostNetwork": False}, {"hostNetwork": True}, "hostNetwork"),
    "smaller volume": ({"emptyDir": {"sizeLimit": "1Gi"}}, {"emptyDir": {"sizeLimit": "1G"}}, "emptyDir.sizeLimit"),
    "other quantity": ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "999m"}}, "limits.cpu"),
    "what is no quantity": ({"limits": {"cpu": "much"}}, {"limits": {"cpu": "1"}}, "limits.cpu"),
    "quantity removed": ({"limits": {"cpu": "1"}}, {}, "limits.cpu"),
    "mapping replaced by a scalar": ({"a": {"b": 1}}, {"a": 1}, "a"),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_no_difference(name: str) -> None:
    wanted, live = UNCHANGED[name]
    assert first_difference(wanted, live) is None


@pytest.mark.parametrize("name", CHANGED)
def test_difference_is_named_by_its_path(name: str) -> None:
    wanted, live, path = CHANGED[name]
    assert first_difference(wanted, live) == path
