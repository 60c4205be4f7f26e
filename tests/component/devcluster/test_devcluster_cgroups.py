"""cgroup v2, which Debian boots with, on files of our own: the machine that runs the tests may have v1."""

import errno
import os
from pathlib import Path

import pytest

from devcluster import host, settings


@pytest.mark.parametrize(("cores", "weight"), [(2, "2000"), (64, "10000")])
def test_the_clusters_group_is_made_in_a_hierarchy_of_version_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, weight: str
) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma")
    root = tmp_path / settings.CGROUP_ROOT
    root.mkdir()
    for name, content in (("cpuset.cpus", "\n"), ("cpuset.mems", "\n"), ("cpu.weight", "100\n")):
        (root / name).write_text(content)  # the kernel makes them with the folder; the top has none of them
    monkeypatch.setattr(host, "CGROUPS", tmp_path)
    monkeypatch.setattr(host, "cgroup_roots", lambda: [root])
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    host.create_cgroups()
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +cpuset +hugetlb +memory +pids"
    assert (root / "cpuset.cpus").read_text().strip() == ""
    assert (root / "cpu.weight").read_text() == weight  # the kernel takes at most 10,000


def test_a_controller_that_the_cluster_enabled_for_the_host_is_disabled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma\n")
    enabled = tmp_path / "cgroup.subtree_control"
    enabled.write_text("cpu io memory hugetlb pids\n")
    monkeypatch.setattr(host, "CGROUPS", tmp_path)
    monkeypatch.setattr(host, "cgroup_roots", list)
    absent = host.absent_controllers()
    host.create_cgroups()
    host.disable_controllers(absent)
    assert enabled.read_text() == "-cpuset"


def test_a_controller_that_somebody_else_has_come_to_use_stays_and_the_others_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def write(_: Path, words: str) -> None:
        tried.append(words)
        if words == "-cpu":
            raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "write_text", write)
    host.disable_controllers(("cpu", "pids"))
    assert tried == ["-cpu", "-pids"]


def test_a_host_with_version_1_has_no_controllers_to_enable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "CGROUPS", tmp_path)
    assert host.absent_controllers() == ()
