"""A pod template and what is laid over it: the same table for the merge itself and for a real API server."""

from typing import Any

BASE: dict[str, Any] = {
    "metadata": {"labels": {"app": "x", "team": "a"}, "annotations": {"note": "1"}},
    "spec": {
        "containers": [
            {
                "name": "agent",
                "image": "example.com/agent:1",
                "command": ["serve"],
                "args": ["--a", "--b"],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "ports": [
                    {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                    {"name": "probes", "containerPort": 8081, "protocol": "TCP"},
                ],
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "data", "mountPath": "/data"}],
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
                "securityContext": {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
                "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8081}, "periodSeconds": 1},
            },
            {"name": "proxy", "image": "example.com/proxy:1"},
        ],
        "initContainers": [
            {"name": "first", "image": "example.com/a:1"},
            {"name": "second", "image": "example.com/b:1"},
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "data", "configMap": {"name": "data"}}],
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "imagePullSecrets": [{"name": "one"}],
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
        "nodeSelector": {"arch": "amd64", "pool": "a"},
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]},
                    }
                ]
            }
        },
    },
}


def _agent(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "agent", **fields}]}}


OVERLAYS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "label-added-and-changed": {"metadata": {"labels": {"team": "b", "stage": "prod"}, "annotations": {"x": "y"}}},
    "label-removed-by-null": {"metadata": {"labels": {"team": None}}},
    "field-added": {"spec": {"runtimeClassName": "gvisor", "schedulerName": "mine"}},
    "field-replaced": {"spec": {"securityContext": {"runAsNonRoot": False}}},
    "nested-field-added": {"spec": {"securityContext": {"fsGroup": 1000, "seccompProfile": {"type": "Unconfined"}}}},
    "object-removed-by-null": {"spec": {"securityContext": None, "nodeSelector": {"pool": None}}},
    "object-emptied-by-delete": {"spec": {"securityContext": {"$patch": "delete"}}},
    "object-replaced": {"spec": {"nodeSelector": {"$patch": "replace", "zone": "z"}}},
    "object-that-was-not-there-replaced": {"spec": {"dnsConfig": {"$patch": "replace", "nameservers": ["10.0.0.9"]}}},
    "container-changed": _agent(image="example.com/agent:2", stdin=True),
    "container-added": {"spec": {"containers": [{"name": "new", "image": "example.com/new:1"}]}},
    "containers-added-and-changed": {
        "spec": {
            "containers": [
                {"name": "new", "image": "example.com/new:1"},
                {"name": "proxy", "image": "example.com/proxy:2"},
                {"name": "newer", "image": "example.com/newer:1"},
            ]
        }
    },
    "containers-in-another-order": {
        "spec": {"containers": [{"name": "proxy", "tty": True}, {"name": "agent", "tty": True}]}
    },
    "container-removed": {"spec": {"containers": [{"name": "proxy", "$patch": "delete"}]}},
    "container-removed-that-is-not-there": {"spec": {"containers": [{"name": "other", "$patch": "delete"}]}},
    "containers-replaced": {"spec": {"containers": [{"$patch": "replace"}, {"name": "only", "image": "only:1"}]}},
    "init-container-before-the-second": {
        "spec": {"initContainers": [{"name": "between", "image": "c:1"}, {"name": "second", "tty": True}]}
    },
    "native-sidecar": {"spec": {"initContainers": [{"name": "mesh", "image": "m:1", "restartPolicy": "Always"}]}},
    "init-containers-removed-by-null": {"spec": {"initContainers": None}},
    "variable-changed-and-added": _agent(env=[{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]),
    "variable-turned-into-a-reference": _agent(
        env=[{"name": "A", "value": None, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    ),
    "variable-removed": _agent(env=[{"name": "A", "$patch": "delete"}]),
    "variables-replaced": _agent(env=[{"$patch": "replace"}, {"name": "Z", "value": "26"}]),
    "arguments-are-one-value": _agent(args=["--c"]),
    "command-removed": _agent(command=None),
    "port-renamed": _agent(ports=[{"containerPort": 8080, "name": "web"}]),
    "port-added": _agent(ports=[{"containerPort": 9090, "name": "metrics"}]),
    "mount-added-and-changed": _agent(
        volumeMounts=[{"mountPath": "/data", "readOnly": True}, {"mountPath": "/more", "name": "tmp"}]
    ),
    "mount-removed": _agent(volumeMounts=[{"mountPath": "/data", "$patch": "delete"}]),
    "limits-changed": _agent(resources={"limits": {"memory": "1Gi", "nvidia.com/gpu": 1}}),
    "capabilities-are-one-value": _agent(securityContext={"capabilities": {"add": ["NET_ADMIN"], "drop": ["CHOWN"]}}),
    "probe-handler-exchanged": _agent(readinessProbe={"httpGet": None, "exec": {"command": ["true"]}}),
    "probe-fields-kept": _agent(readinessProbe={"$retainKeys": ["httpGet"], "httpGet": {"path": "/r"}}),
    "volume-changed": {"spec": {"volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]}},
    "volume-added": {"spec": {"volumes": [{"name": "cache", "emptyDir": {}}]}},
    "volume-source-exchanged": {
        "spec": {"volumes": [{"$retainKeys": ["name", "emptyDir"], "name": "data", "emptyDir": {}}]}
    },
    "tolerations-are-one-value": {"spec": {"tolerations": [{"key": "spot", "operator": "Exists"}]}},
    "pull-secret-added": {"spec": {"imagePullSecrets": [{"name": "two"}]}},
    "host-alias-changed": {"spec": {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["b"]}]}},
    "spread-changed-by-its-key": {"spec": {"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]}},
    "spread-added": {
        "spec": {
            "topologySpreadConstraints": [{"topologyKey": "host", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}]
        }
    },
    "affinity-terms-are-one-value": {
        "spec": {
            "affinity": {
                "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []},
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "x"}}}
                    ]
                },
            }
        }
    },
    "gates-added": {"spec": {"schedulingGates": [{"name": "example.com/wait"}]}},
    "null-in-something-new": {"spec": {"dnsConfig": {"nameservers": ["10.0.0.9"], "searches": None}}},
}
