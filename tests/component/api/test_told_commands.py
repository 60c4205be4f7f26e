"""Commands that documents and events tell people to run: kubectl takes them, and the API server knows the kinds."""

import re
import shlex
from collections.abc import Iterator

import pytest
from apiserver import ApiServer

from devcluster.settings import REPOSITORY
from prewarm_operator.decide.plan import Relabel
from prewarm_operator.decide.pods import notices

DOCS = REPOSITORY / "docs"
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MISSING = re.compile(r"NotFound|not found|Metrics API not available")
"""Nothing is there that the placeholders name, and nobody measures pods."""


def commands() -> Iterator[str]:
    pages = [*DOCS.glob("reference/reasons/*.md"), DOCS / "guide" / "ownership.md", DOCS / "guide" / "upgrades.md"]
    for page in pages:
        for block in FENCE.findall(page.read_text()):
            yield from re.findall(r"^(?:\$ )?kubectl (.+)$", block, re.MULTILINE)
    (event,) = notices([Relabel("default", "POD", "uid", {})])
    yield event.message.partition("kubectl ")[2]


@pytest.mark.parametrize("command", dict.fromkeys(commands()))
def test_a_command_that_people_are_told_is_one(command: str, api: ApiServer) -> None:
    words = [word.replace("NAMESPACE", "default") for word in shlex.split(command)]
    done = api.kubectl(*words)
    assert done.returncode == 0 or MISSING.search(done.stderr), done.stderr
