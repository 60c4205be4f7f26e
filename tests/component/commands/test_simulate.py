"""`prewarm simulate` as people run it: what it prints, what each option changes, and how it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest
from component.commands.simulation import rows, simulate, write_load

PREWARM = "Prewarm, target cold 1%"


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_load(tmp_path_factory.mktemp("load") / "load.csv")


@pytest.fixture(scope="module")
def printed(load: Path) -> dict[str, list[str]]:
    done = simulate(load.parent, "load.csv", "--concurrency-limit", 4)
    assert done.returncode == 0, done.stderr
    return rows(done.stdout)


def test_a_row_for_each_setting(printed: dict[str, list[str]]) -> None:
    assert len(printed) == 13
    assert printed["HPA, target 70%"][1] == "+0.0%"
    fixed = next(name for name in printed if name.startswith("fixed, "))
    assert printed[fixed][2:] == ["0.000%", "0.000%", "0"]
    assert {PREWARM, "HPA, target 50%", "Knative KPA, target 70%", "oracle, knows the future"} <= printed.keys()


def test_it_says_what_is_not_counted_and_where_the_plots_are(load: Path) -> None:
    done = simulate(load.parent, "load.csv", "--start-seconds", "20")
    told = " ".join(done.stdout.split())
    assert f"{PREWARM} *" in told
    assert "A pod serves 20 s after the decision." in told
    assert "The first 0.2 h of 0.5 h, in which the forecast learns, are not counted." in told
    assert told.endswith("plots: prewarm-simulate.html")
    assert "<svg" in (load.parent / "prewarm-simulate.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("option", "value", "setting", "more"),
    [
        ("--start-seconds", "300", "oracle, knows the future", True),
        ("--service-seconds", "60", "HPA, target 70%", True),
        ("--concurrency-limit", "8", "HPA, target 70%", False),
        ("--min-replicas", "15", "oracle, knows the future", True),
        ("--max-replicas", "6", "HPA, target 50%", False),
    ],
)
def test_an_option_changes_the_pods(
    load: Path, printed: dict[str, list[str]], option: str, value: str, setting: str, more: bool
) -> None:
    changed = rows(simulate(load.parent, load, "--concurrency-limit", "4", option, value).stdout)
    assert changed[setting][0] != printed[setting][0]
    assert (float(changed[setting][0]) > float(printed[setting][0])) is more


def test_the_hpa_to_be_compared_with_may_have_any_target(load: Path, printed: dict[str, list[str]]) -> None:
    changed = rows(simulate(load.parent, load, "--concurrency-limit", "4", "--hpa-target", "65").stdout)
    assert changed["HPA, target 65%"][1] == "+0.0%"
    assert changed["HPA, target 70%"][0] == printed["HPA, target 70%"][0]
    assert float(changed["HPA, target 65%"][0]) > float(changed["HPA, target 70%"][0])


def test_requests_at_once_need_no_service_time(tmp_path: Path) -> None:
    load = write_load(tmp_path / "load.csv", header="timestamp_seconds,concurrent")
    short, long = (simulate(tmp_path, load, "--service-seconds", seconds).stdout for seconds in ("3", "300"))
    assert rows(short) == rows(long) != {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "load.csv, row 1: the header must be timestamp_seconds or time"),
        ("", "load.csv, row 1: the header must be"),
        ("timestamp_seconds,requests\n0,1\n", "load.csv: there must be two rows at least"),
        ("timestamp_seconds,requests\n0,1\n15,-2\n", "load.csv, row 3: requests -2 cannot be a load"),
        ("timestamp_seconds,requests\n0,1\n15,many\n", "load.csv, row 3: requests 'many' is no number"),
        ("timestamp_seconds,requests\n0,1\n15,nan\n", "load.csv, row 3: requests nan cannot be a load"),
        ("timestamp_seconds,requests\n0,1\n15,1e308\n", "load.csv, row 3: requests 1e308 cannot be a load"),
        ("timestamp_seconds,requests\n0,1\n15,2\n60,3\n", "load.csv, row 4: 2 rows are missing before it"),
        ("timestamp_seconds,requests\n0,1\n15,2\n3630,3\n", "load.csv, row 4: the time jumps forward by an hour"),
        ("time,requests\n2026-01-01T00:00:00,1\n", "load.csv, row 2: time '2026-01-01T00:00:00' has no offset"),
        ("timestamp_seconds,concurrent\n0,5\n15,0\n30,0\n", "there is no load after the first third"),
        (
            "timestamp_seconds,requests\n1767225600000,5\n1767225600015,5\n",
            "load.csv, row 2: timestamp_seconds 1767225600000 is after the year 9999; write seconds, not milliseconds.",
        ),
        (f'timestamp_seconds,requests\n"0,{"x" * 200_000}', "load.csv is no CSV (field larger than field limit"),
    ],
)
def test_a_file_that_is_no_record_is_refused_with_its_row(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "load.csv").write_text(text)
    done = simulate(tmp_path, "load.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"prewarm simulate: {sentence}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "prewarm-simulate.html").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00t\x00i", b"PK\x03\x04\x90\x80"])
def test_a_file_that_is_not_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "load.xlsx").write_bytes(content)
    done = simulate(tmp_path, "load.xlsx")
    assert done.returncode == 2
    assert done.stderr == "prewarm simulate: load.xlsx is not text in UTF-8; export it as CSV.\n"


def test_a_file_that_is_not_there_and_one_that_cannot_be_written(tmp_path: Path, load: Path) -> None:
    absent = simulate(tmp_path, "absent.csv")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert "absent.csv: No such file or directory" in absent.stderr
    unwritable = simulate(tmp_path, load, "--report", "no/report.html")
    assert (unwritable.returncode, unwritable.stdout) == (2, "")
    assert "report.html: No such file or directory" in unwritable.stderr


def test_any_name_of_a_file_will_do(tmp_path: Path) -> None:
    """Not text in UTF-8, or what a terminal's markup is made of."""
    load = write_load(tmp_path / "\udcff.csv")
    done = simulate(tmp_path, load, "--report", "[bold]page.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("plots: [bold]page.html\n")
    assert "Scaling on ?.csv" in (tmp_path / "[bold]page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--start-seconds", "0", "'0' must be a number above 0"),
        ("--service-seconds", "nan", "'nan' must be a number above 0"),
        ("--concurrency-limit", "0", "'0' must be a whole number above 0"),
        ("--min-replicas", "1.5", "'1.5' must be a whole number above 0"),
        ("--max-replicas", "ten", "'ten' must be a whole number above 0"),
        ("--hpa-target", "170", "'170' must be a number above 0, up to 100"),
        ("--from", "2026-01-01T00:00:00", "must be Unix time, or like 2026-01-01T00:00:00Z, with the offset"),
        ("--to", "yesterday", "must be Unix time"),
        ("--from", "nan", "'nan' must be Unix time"),
        ("--to", "inf", "'inf' must be Unix time"),
        ("--to", "1767225600000", "'1767225600000' must be Unix time"),
        ("--header", "X-Scope-OrgID", "'X-Scope-OrgID' must be like X-Scope-OrgID:team"),
    ],
)
def test_an_option_that_cannot_be(tmp_path: Path, load: Path, option: str, value: str, sentence: str) -> None:
    done = simulate(tmp_path, load, f"{option}={value}")
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("load.csv", "--min-replicas", "5", "--max-replicas", "4"), "--max-replicas must not be below --min-replicas"),
        ((), "name a FILE.csv, or --prometheus with --query and --from: one of the two."),
        (("load.csv", "--prometheus", "http://localhost:1"), "one of the two."),
        (("--prometheus", "http://localhost:1"), "--prometheus needs --query"),
        (("--prometheus", "http://[::1", "--query", "a", "--from", "0"), "'http://[::1' is no address of a Prometheus"),
        (("--prometheus", "localhost:1", "--query", "a", "--from", "0"), "'localhost:1' is no address of a Prometheus"),
        (("--prometheus", "http://localhost:1", "--query", "a"), "and --from, when it begins."),
    ],
)
def test_options_that_exclude_or_need_each_other(load: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = simulate(load.parent, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_needs_no_cluster_and_no_client_of_one() -> None:
    code = """
import sys
from prewarm_operator.commands.main import main
assert main(["simulate", "absent.csv"]) == 2
print({"kopf", "kubernetes"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
