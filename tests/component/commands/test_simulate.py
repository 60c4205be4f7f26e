"""`prewarm simulate` as people run it."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "load.csv"


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "prewarm_operator.commands.main", "simulate", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def test_a_record_gives_a_table_and_a_page_that_loads_nothing(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = simulate(EXAMPLE, "--concurrency-limit", 4, "--report", page)
    assert done.returncode == 0, done.stderr
    for policy in ("Prewarm, target cold 1 % *", "HPA, target 70% *", "Knative KPA", "fixed", "oracle"):
        assert policy in done.stdout
    text = page.read_text()
    HTMLParser().feed(text)
    assert text.count("<svg") == 3
    assert not re.search(r"(?i)<script|<link|src=|href=|url\(|https?://", text)
    assert "width=device-width" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("when,requests\n0,1\n", "row 1: the header must be"),
        ("timestamp_seconds,requests\n0,1\n15,x\n", "row 3: requests 'x' is no number"),
        ("timestamp_seconds,requests\n0,1\n15,-2\n", "row 3: requests -2 cannot be a load"),
        ("timestamp_seconds,requests\n0,1\n15,2\n60,2\n", "row 4: 2 rows are missing"),
        ("timestamp_seconds,requests\n0,1\n15,2\n3630,2\n", "row 4: the time jumps forward by an hour"),
        ("timestamp_seconds,requests\n0,0\n15,0\n", "there is no load in it"),
        ("timestamp_seconds,requests\n0,1\n", "two rows at least"),
    ],
)
def test_what_is_no_record_is_refused_with_its_row(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "load.csv"
    file.write_text(text)
    done = simulate(file)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert done.stderr.startswith("prewarm simulate: ")
    assert words in done.stderr


def test_a_file_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = simulate(tmp_path / "none.csv")
    assert done.returncode == 2
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--concurrency-limit", "0"), ("--start-seconds", "x"), ("--max-replicas", "-1")]
)
def test_a_number_that_cannot_be_is_refused(arguments: tuple[str, str]) -> None:
    done = simulate(EXAMPLE, *arguments)
    assert done.returncode == 2
    assert "must be a number above 0" in done.stderr


def test_bounds_that_exclude_each_other_are_refused() -> None:
    done = simulate(EXAMPLE, "--min-replicas", 5, "--max-replicas", 4)
    assert done.returncode == 2
    assert "--max-replicas must not be below --min-replicas" in done.stderr
