import json
from pathlib import Path

from prewarm_demo.report.results import merge
from prewarm_demo.trial.sigkill import host_pid

CONTAINER = "4f1c0ffee"


def process(proc: Path, pid: int, *, container: str, inside: list[int]) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cgroup").write_text(f"4:memory:/kubepods/pod1/{container}\n")
    (folder / "status").write_text(f"Name:\tpython\nNSpid:\t{' '.join(map(str, [pid, *inside]))}\nThreads:\t1\n")


def test_the_container_to_kill_is_found_by_its_first_process(tmp_path: Path) -> None:
    process(tmp_path, 1, container="", inside=[])
    process(tmp_path, 812, container="another", inside=[1])
    process(tmp_path, 900, container=CONTAINER, inside=[7])
    process(tmp_path, 901, container=CONTAINER, inside=[1])
    (tmp_path / "self").mkdir()
    (tmp_path / "77").mkdir()  # ended while we look

    assert host_pid(CONTAINER, tmp_path) == 901
    assert host_pid("elsewhere", tmp_path) is None


def test_an_unknown_container_never_matches_a_process_of_the_host(tmp_path: Path) -> None:
    process(tmp_path, 901, container=CONTAINER, inside=[1])

    assert host_pid("", tmp_path) is None


def test_an_act_keeps_the_figures_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "build" / "demo.json"
    merge(path, figures={"a": 1, "minutes_total": 3}, act="act1", details={"x": 1}, surroundings={"versions": {"k": 1}})
    merge(path, figures={"b": 2, "minutes_total": 5}, act="act2", details={"y": 1}, surroundings={"versions": {"k": 2}})

    assert json.loads(path.read_text()) == {
        "figures": {"a": 1, "b": 2, "minutes_total": 5},
        "acts": {"act1": {"x": 1}, "act2": {"y": 1}},
        "versions": {"k": 2},
    }


def test_a_file_cut_off_by_an_interrupted_run_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    path.write_text('{"figures": {"a"')
    merge(path, figures={"b": 2}, act="act1", details={}, surroundings={})

    assert json.loads(path.read_text())["figures"] == {"b": 2}
