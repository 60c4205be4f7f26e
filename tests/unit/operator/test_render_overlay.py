"""Strategic merge. That it is Kubernetes' own, tests/component/operator/test_pod_overlay.py shows on the same table."""

import copy
from typing import Any

import pytest
from overlay_cases import BASE, OVERLAYS

from prewarm_operator.render.overlay import merge

Object = dict[str, Any]


def names(template: Object, kind: str = "containers") -> list[str]:
    return [item["name"] for item in template["spec"][kind]]


def agent(template: Object) -> Object:
    (found,) = [item for item in template["spec"]["containers"] if item["name"] == "agent"]
    return dict(found)


def merged(case: str) -> Object:
    return merge(BASE, OVERLAYS[case])


@pytest.mark.parametrize("case", OVERLAYS)
def test_neither_the_template_nor_the_overlay_is_changed(case: str) -> None:
    before = copy.deepcopy((BASE, OVERLAYS[case]))
    merged(case)
    assert (BASE, OVERLAYS[case]) == before


@pytest.mark.parametrize("case", OVERLAYS)
def test_the_same_overlay_a_second_time_changes_nothing(case: str) -> None:
    once = merged(case)
    assert merge(once, OVERLAYS[case]) == once


def test_an_empty_overlay_changes_nothing() -> None:
    assert merged("nothing") == BASE


def test_objects_are_merged_field_by_field_and_null_removes() -> None:
    assert merged("field-replaced")["spec"]["securityContext"] == {
        "runAsNonRoot": False,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    removed = merged("object-removed-by-null")["spec"]
    assert "securityContext" not in removed
    assert removed["nodeSelector"] == {"arch": "amd64"}


def test_a_container_is_found_by_its_name() -> None:
    changed = merged("container-changed")
    assert names(changed) == ["agent", "proxy"]
    assert agent(changed) == agent(BASE) | {"image": "example.com/agent:2", "stdin": True}


def test_what_is_new_comes_before_what_is_not_mentioned() -> None:
    assert names(merged("container-added")) == ["new", "agent", "proxy"]


def test_the_order_of_the_overlay_wins_over_that_of_the_template() -> None:
    assert names(merged("containers-in-another-order")) == ["proxy", "agent"]
    assert names(merged("init-container-before-the-second"), "initContainers") == ["between", "first", "second"]


def test_an_item_is_removed_or_all_others_are() -> None:
    assert names(merged("container-removed")) == ["agent"]
    assert names(merged("container-removed-that-is-not-there")) == ["agent", "proxy"]
    assert merged("containers-replaced")["spec"]["containers"] == [{"name": "only", "image": "only:1"}]
    assert agent(merged("variables-replaced"))["env"] == [{"name": "Z", "value": "26"}]


def test_retained_keys_drop_the_source_that_was_there() -> None:
    volumes = merged("volume-source-exchanged")["spec"]["volumes"]
    assert {"name": "data", "emptyDir": {}} in volumes


def test_lists_without_a_merge_key_are_one_value() -> None:
    assert merged("tolerations-are-one-value")["spec"]["tolerations"] == [{"key": "spot", "operator": "Exists"}]
    assert agent(merged("arguments-are-one-value"))["args"] == ["--c"]


@pytest.mark.parametrize(
    "senseless",
    [
        pytest.param({"containers": "none"}, id="text-for-a-list"),
        pytest.param({"containers": {"name": "agent"}}, id="object-for-a-list"),
        pytest.param({"containers": ["agent"]}, id="texts-for-objects"),
        pytest.param({"containers": [{"image": "nameless"}]}, id="item-without-its-key"),
        pytest.param({"containers": [{"name": {"a": 1}}]}, id="key-that-is-an-object"),
        pytest.param({"containers": [{"name": "agent", "$retainKeys": 3}]}, id="retain-keys-that-are-no-list"),
        pytest.param({"securityContext": 7}, id="number-for-an-object"),
    ],
)
def test_what_makes_no_sense_is_left_for_the_api_server_to_refuse(senseless: Object) -> None:
    merge(BASE, {"spec": senseless})


def test_a_misspelt_directive_stays_visible() -> None:
    overlay = {"spec": {"containers": [{"name": "proxy", "$patch": "remove"}], "affinity": {"$patch": "drop"}}}
    spec = merge(BASE, overlay)["spec"]
    assert spec["containers"][1]["$patch"] == "remove"
    assert spec["affinity"]["$patch"] == "drop"
