"""docs/guide/installation.md: its commands run, its values render, its objects are accepted."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from apiserver import ApiServer, start
from helmcli import render

from devcluster.settings import REPOSITORY, Cache
from prewarm_chart.manifests import manifests

PAGE = REPOSITORY / "docs" / "guide" / "installation.md"
BLOCK = re.compile(r"^```(\S*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what is done with it here, and the heading of its section."""

    language: str
    use: str
    text: str
    section: str


def blocks() -> Iterator[Block]:
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE):
        for language, use, text in BLOCK.findall(section):
            yield Block(language, use, text, section.partition("\n")[0])


def used(use: str) -> list[Block]:
    return [block for block in blocks() if block.use == use]


def test_every_block_says_whether_it_is_tried() -> None:
    uses = {(block.language, block.use) for block in blocks()}
    assert uses == {("sh", "run"), ("sh", "offline"), ("sh", "by-hand"), ("yaml", "values"), ("yaml", "apply")}


def test_the_images_have_the_version_that_the_chart_asks_for() -> None:
    chart = yaml.safe_load((REPOSITORY / "charts" / "prewarm" / "Chart.yaml").read_text())
    assert set(re.findall(r"/prewarm-(?:operator|agent):(\S+)", PAGE.read_text())) == {chart["appVersion"]}


@pytest.mark.parametrize("section", dict.fromkeys(block.section for block in used("run")))
def test_the_commands_of_a_section_run_one_after_the_other(section: str, tmp_path: Path) -> None:
    for folder in ("charts", "examples"):
        (tmp_path / folder).symlink_to(REPOSITORY / folder)
    manifest = tmp_path / "build" / "manifests" / "prewarm.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(manifests())
    with start(tmp_path / "control-plane") as server:
        for block in used("run"):
            if block.section == section:
                run(block.text, tmp_path, KUBECONFIG=str(server.kubeconfig))


@pytest.mark.parametrize("block", used("offline"), ids=lambda block: block.section)
def test_a_command_that_needs_no_cluster_runs(block: Block, tmp_path: Path) -> None:
    (tmp_path / "charts").symlink_to(REPOSITORY / "charts")
    run(block.text, tmp_path)


def run(script: str, folder: Path, **environment: str) -> None:
    programs = Cache.from_environment().current
    environment |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{script}{done.stdout}{done.stderr}"


@pytest.mark.parametrize("block", used("values"), ids=lambda block: block.section)
def test_the_values_are_taken_and_change_the_release(block: Block) -> None:
    assert render(yaml.safe_load(block.text)) != render()


@pytest.mark.parametrize("block", used("apply"), ids=lambda block: block.section)
def test_the_objects_are_accepted(block: Block, control_plane: ApiServer) -> None:
    done = control_plane.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=block.text)
    assert done.returncode == 0, done.stderr


def test_the_table_of_alerts_is_that_of_the_chart() -> None:
    (rule,) = [item for item in render({"prometheusRule": {"enabled": True}}) if item["kind"] == "PrometheusRule"]
    alerts = [entry["alert"] for group in rule["spec"]["groups"] for entry in group["rules"]]
    assert re.findall(r"^\| `(Prewarm\w+)` ", PAGE.read_text(), re.MULTILINE) == alerts
