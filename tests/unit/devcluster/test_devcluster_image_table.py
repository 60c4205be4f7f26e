import pytest

from devcluster.base_image import sources_for_suite
from devcluster.buildah import pip_settings
from devcluster.errors import DevClusterError
from devcluster.images import IMAGES, Image, select

AGENT = Image("agent", "agent/Dockerfile", ("agent", "requirements/agent.txt"))
DEMO = Image("demo", "demo/Dockerfile", ("demo",), base="agent")


def test_an_image_comes_after_the_one_it_starts_from() -> None:
    assert select(["demo"], [DEMO, AGENT]) == [AGENT, DEMO]


def test_no_names_mean_all_images_once() -> None:
    assert select([], [AGENT, DEMO]) == [AGENT, DEMO]


def test_an_image_for_tests_is_built_where_it_is_asked_for() -> None:
    changed = Image("changed", "tests/Dockerfile", (), base="agent", for_tests=True)
    assert select([], [AGENT, changed]) == [AGENT]
    assert select(["changed"], [AGENT, changed]) == [AGENT, changed]


def test_an_unknown_image_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(DevClusterError, match=r"no image is called 'agnet'; the images are agent, demo"):
        select(["agnet"], [AGENT, DEMO])


def test_every_base_in_the_table_is_in_the_table() -> None:
    names = {image.name for image in IMAGES}
    assert {image.base for image in IMAGES if image.base is not None} <= names


def test_a_build_sees_declared_inputs_and_no_caches() -> None:
    rules = AGENT.ignore_rules.splitlines()
    assert rules[:3] == ["*", "!agent", "!requirements/agent.txt"]
    assert "**/__pycache__" in rules[3:]


def test_debian_and_its_security_updates_come_from_the_machines_own_mirrors() -> None:
    machine = [
        ("Debian", "http://mirror.example/debian/"),
        ("Debian", "http://mirror.example/debian/"),  # apt lists a repository once per suite
        ("Debian-Security", "http://mirror.example/security/"),
        ("Debian Backports", "http://mirror.example/debian/"),
    ]
    assert sources_for_suite(machine) == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/security/ trixie-security main",
    ]


def test_pip_in_a_build_uses_the_index_of_the_environment() -> None:
    environment = {"PIP_INDEX_URL": "https://index.example/simple", "PIP_CERT": "/a/file/of/the/host", "HOME": "/root"}
    assert dict(pip_settings([], environment)["global"]) == {"index-url": "https://index.example/simple"}
