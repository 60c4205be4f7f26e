"""Each reason that a user can meet has a page that says what it means and what to do."""

import re
from pathlib import Path

import pytest

from prewarm_agent.spec.findings import Reason
from prewarm_operator.decide import reasons
from prewarm_operator.world import pods

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PAGES = {page.stem: page.read_text() for page in (REFERENCE / "reasons").glob("*.md")}
INDEX = (REFERENCE / "reasons.md").read_text()

OURS = {value for name, value in vars(reasons).items() if name.isupper()}
OF_PODS = {pods.IMAGE_PULL_FAILED, pods.START_FAILED, *pods.WAITING_FOR_CONFIG}
OF_THE_KUBELET = {"OOMKilled", "Error", "StartError"}
"""Why a container ended: handed on as the kubelet says it, and these are what it says."""


def test_every_reason_has_a_page_and_every_page_a_reason() -> None:
    assert {*OURS, *OF_PODS, *OF_THE_KUBELET, *(str(reason) for reason in Reason)} == PAGES.keys()


@pytest.mark.parametrize("reason", PAGES)
def test_a_page_says_what_it_means_how_to_see_it_and_what_to_do(reason: str) -> None:
    page = PAGES[reason]
    assert page.startswith(f"# {reason}\n")
    assert "\n## See it\n\n```\nkubectl " in page
    (remedy,) = re.findall(r"\n## What to do\n\n(.+)", page)
    assert len(remedy) >= len("Nothing.")


def test_the_index_leads_to_every_page() -> None:
    assert set(re.findall(r"\(reasons/(\w+)\.md\)", INDEX)) == PAGES.keys()


@pytest.mark.parametrize("reason", PAGES)
def test_links_lead_somewhere(reason: str) -> None:
    for target in re.findall(r"\]\((\.\.[^)#]+)", PAGES[reason]):
        assert (REFERENCE / "reasons" / target).is_file(), target
