"""Each reason that a user can meet has a page that says what it means and what to do; every page is found."""

import ast
import re
from pathlib import Path

import pytest

from prewarm_agent.spec.findings import Reason
from prewarm_operator.decide import reasons
from prewarm_operator.world import pods

REPOSITORY = Path(__file__).parents[3]
SOURCE = REPOSITORY / "operator" / "src"
DOCS = REPOSITORY / "docs"
REFERENCE = DOCS / "reference"
CAMEL_CASE = re.compile(r"[A-Z][A-Za-z]+")
PAGES = {page.stem: page.read_text() for page in (REFERENCE / "reasons").glob("*.md")}
INDEX = (REFERENCE / "reasons.md").read_text()

OURS = {value for name, value in vars(reasons).items() if name.isupper()}
OF_PODS = {pods.IMAGE_PULL_FAILED, pods.START_FAILED, *pods.WAITING_FOR_CONFIG}
OF_THE_KUBELET = {"OOMKilled", "Error", "StartError", "Unknown", "ContainerStatusUnknown"}
"""Why a container ended: handed on as the kubelet says it, and these are what it says."""


def test_every_reason_has_a_page_and_every_page_a_reason() -> None:
    assert {*OURS, *OF_PODS, *OF_THE_KUBELET, *(str(reason) for reason in Reason)} == PAGES.keys()


def test_no_reason_is_spelled_out_where_it_is_given_without_a_page() -> None:
    """Reasons are constants, which the test above knows; this finds one that was written in place."""
    place = {"Fault": 0, "Problem": 0, "Scale": 1, "Verdict": 2}
    for file in SOURCE.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            at = place.get(call.func.id, len(call.args))
            given = [*call.args[at : at + 1], *(word.value for word in call.keywords if word.arg == "reason")]
            texts = {str(node.value) for each in given for node in ast.walk(each) if isinstance(node, ast.Constant)}
            assert set(filter(CAMEL_CASE.fullmatch, texts)) <= PAGES.keys(), file


@pytest.mark.parametrize("reason", PAGES)
def test_a_page_says_what_it_means_how_to_see_it_and_what_to_do(reason: str) -> None:
    page = PAGES[reason]
    assert page.startswith(f"# {reason}\n")
    assert "\n## See it\n\n```\nkubectl " in page
    (remedy,) = re.findall(r"\n## What to do\n\n(.+)", page)
    assert len(remedy) >= len("Nothing.")


def test_the_index_leads_to_every_page() -> None:
    assert set(re.findall(r"\(reasons/(\w+)\.md\)", INDEX)) == PAGES.keys()


@pytest.mark.parametrize(
    "page", [*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")], ids=lambda page: str(page.relative_to(REPOSITORY))
)
def test_links_lead_somewhere(page: Path) -> None:
    for target, heading in links(page):
        assert target.exists(), target
        assert not heading or heading in headings(target), f"{target.name} has no heading #{heading}"


def test_the_first_page_leads_to_every_other_one() -> None:
    found, left = set(), [DOCS / "README.md"]
    while left:
        page = left.pop()
        found.add(page)
        left += [target for target, _ in links(page) if target.suffix == ".md" and target not in found]
    assert set(DOCS.rglob("*.md")) <= found


def links(page: Path) -> list[tuple[Path, str]]:
    """The files of this repository that a page links to, with the heading or ""."""
    found = re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text())
    return [((page.parent / target).resolve() if target else page, heading) for target, heading in found]


def headings(page: Path) -> set[str]:
    """Their anchors, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}
