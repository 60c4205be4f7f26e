"""Helm and our chart, as a user runs them."""

import functools
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from devcluster.settings import Cache

CHART = Path(__file__).resolve().parents[1] / "charts" / "prewarm"
PREVIOUS_CHART = Path(__file__).parent / "chart" / "previous" / "prewarm"

Object = dict[str, Any]


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run helm to its end and return it, whatever its exit code; the user's own Helm settings play no part."""
    command = [str(Cache.from_environment().current / "helm"), *arguments]
    if values is not None:
        command.append("--values=-")
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            command,
            env={"HOME": home},
            input=json.dumps(values),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def render(values: Mapping[str, Any] | None = None) -> list[Object]:
    """The objects that a release called prewarm in namespace prewarm-system consists of, its test pod included.

    Not to be changed by the caller: the same values give the same list.
    """
    return _rendered(json.dumps(values or {}))


@functools.cache
def _rendered(values: str) -> list[Object]:
    done = helm("template", "prewarm", str(CHART), "--namespace=prewarm-system", values=json.loads(values))
    assert done.returncode == 0, done.stderr
    documents = yaml.load_all(done.stdout, Loader=yaml.CSafeLoader)
    return [document for document in documents if document]


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    """All objects of that kind, in their order."""
    return [item for item in objects if item["kind"] == kind]


def only(objects: list[Object], kind: str) -> Object:
    """The one object of that kind. Fails if there is none, or more."""
    (found,) = of_kind(objects, kind)
    return found
