import pytest

from devcluster import settings
from devcluster.binaries import ADD_ONS, PROGRAMS, Program, select
from devcluster.errors import DevClusterError
from devcluster.toolchain import version_of


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.9 linux/arm64", (1, 9)),
        ("go version devel +abc linux/amd64", (0, 0)),
    ],
)
def test_gos_version_is_compared_as_numbers(answer: str, version: tuple[int, int]) -> None:
    assert version_of(answer) == version


def test_a_changed_flag_or_version_is_another_build() -> None:
    package = "example.org/tool@v1"
    builds = [
        Program("tool", "1", package, ("tool",), "a minute"),
        Program("tool", "2", package, ("tool",), "a minute"),
        Program("tool", "1", package, ("tool",), "a minute", ("example.org/tool.version=1",)),
    ]
    assert len({build.folder for build in builds}) == len(builds)


def test_what_a_person_sees_does_not_change_the_build() -> None:
    package = "example.org/tool@v1"
    first = Program("tool", "1", package, ("tool",), "a minute")
    assert first.folder == Program("tool", "1", package, ("tool",), "an hour").folder


def test_kubernetes_reports_the_version_it_is_built_from() -> None:
    (kubernetes,) = [program for program in PROGRAMS if program.name == "kubernetes"]
    assert f"-X k8s.io/component-base/version.gitVersion=v{settings.KUBERNETES_VERSION}" in kubernetes.linker_flags


def test_the_modules_pin_the_versions_that_the_cache_is_keyed_by() -> None:
    kubernetes = (settings.GO_SOURCES / "kubernetes" / "go.mod").read_text()
    etcd = (settings.GO_SOURCES / "etcd" / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{settings.KUBERNETES_VERSION}\n" in kubernetes
    assert f"go.etcd.io/etcd/server/v3 v{settings.ETCD_VERSION}\n" in etcd


def test_add_ons_are_built_only_where_they_are_asked_for_by_name() -> None:
    assert select([]) == PROGRAMS
    assert [program.name for program in select(["kwok", "karpenter"])] == ["kwok", "karpenter"]
    assert not set(ADD_ONS) & set(PROGRAMS)
    with pytest.raises(DevClusterError, match="no add-on is called 'etcd'; the add-ons are karpenter, kwok"):
        select(["etcd"])


def test_files_that_a_program_keeps_are_part_of_its_build() -> None:
    source = "example.org/tool@v1"
    with_files = Program("tool", "1", source, ("tool",), "a minute", files=("crds/*.yaml",))
    assert with_files.folder != Program("tool", "1", source, ("tool",), "a minute").folder
