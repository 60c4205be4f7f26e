"""The report of `prewarm simulate`: complete in itself, and as a real browser lays it out on a phone and on a desk."""

import re
from pathlib import Path
from typing import Any

import pytest
from component.commands import browser
from component.commands.simulation import simulate, write_load

CHROMIUM = "chromium"
"""`make chromium` installs it."""
PHONE, DESK = 360, 1280
MEASURE = (Path(__file__).parent / "measure.js").read_text()
GOOD = {"scrolls": False, "outside": [], "hidden": [], "covered": []}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    load = write_load(folder / "a load & more.csv")
    done = simulate(folder, load, "--concurrency-limit", 4, "--report", "report.html")
    assert done.returncode == 0, done.stderr
    return folder / "report.html"


@pytest.fixture(scope="module")
def page(report: Path) -> str:
    return report.read_text(encoding="utf-8")


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    assert not re.search(r"<script|<link|<img|<iframe|src=|href=|url\(|@import|https?:|\son\w+=", page)


def test_it_names_the_record_what_is_not_counted_and_all_settings(page: str) -> None:
    assert "<h1>Scaling on a load &amp; more.csv</h1>" in page
    assert "The first 0.2 h of 0.5 h, in which the forecast learns, are not counted." in page
    assert page.count('class="area learning"') == 2
    assert page.count("<tr") == 14
    assert page.count('<tr class="drawn">') == 2


def test_the_verdict_says_what_the_table_says(page: str) -> None:
    change, ours, hpa = re.findall(r"<dd>([^<]+)</dd>", page)
    cells = re.search(r"<th>Prewarm, target cold 1% \*</th>" + 3 * r"<td[^>]+>([^<]+)</td>", page)
    assert cells is not None
    assert (change, ours) == cells.groups()[1:]
    assert f"{change.lstrip('+-')} {'fewer' if change.startswith('-') else 'more'} pod-hours than an HPA" in page
    assert f"with {ours} of the load above its ready pods instead of {hpa}." in page


def test_each_figure_has_its_curves(page: str) -> None:
    capacity, cold, hours, costs = re.findall(r"<figure>(.*?)</figure>", page, flags=re.DOTALL)
    for kind in ("area demand", "area band", "line hpa", "line ours"):
        assert len(re.findall(f'class="{kind}" d="M[^"]+L', capacity)) == 1, kind
    assert cold.count('class="line ours"') == cold.count('class="line hpa"') == 1
    assert re.findall(r'class="bar (\w+)"', hours) == ["ours", "hpa", "other", "other", "other"]
    dots = {kind: d.count("h0") for kind, d in re.findall(r'class="dots (\w+)" d="([^"]+)"', costs)}
    assert dots == {"other": 1, "hpa": 5, "ours": 5}
    assert "nan" not in "".join(re.findall(r' d="([^"]+)"', page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_a_browser_shows_all_of_it(report: Path, tmp_path: Path, width: int, scheme: str) -> None:
    found, tab = await laid_out(report, tmp_path, width, scheme)
    assert found.pop("figures") == 4
    assert found == GOOD
    assert (tab.requests, tab.complaints) == ([], [])


async def test_dark_rooms_get_a_dark_page(report: Path, tmp_path: Path) -> None:
    shades = {}
    async with browser.page(CHROMIUM, tmp_path) as tab:
        for scheme in ("light", "dark"):
            await tab.open(report, DESK, scheme)
            colour = await tab.evaluate("getComputedStyle(document.body).backgroundColor")
            shades[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))
    assert shades["dark"] < 150 < 600 < shades["light"]


@pytest.mark.parametrize(
    ("put", "instead_of", "fault"),
    [
        ('<main><p style="width:400px">wide', "<main>", "scrolls"),
        ('<main><p style="width:40px;overflow:hidden;white-space:nowrap">words that are longer', "<main>", "outside"),
        ('class="line hidden"', 'class="line ours"', "hidden"),
        ('x="2" y="90"', 'x="2" y="', "covered"),
        ('<main><img src="http://127.0.0.1:9/none.png">', "<main>", "requests"),
        ("<main><script>console.error('wrong')</script>", "<main>", "complaints"),
    ],
)
async def test_the_browser_sees_what_is_wrong(page: str, tmp_path: Path, put: str, instead_of: str, fault: str) -> None:
    broken = tmp_path / "broken.html"
    if fault == "covered":
        broken.write_text(re.sub(r'x="2" y="[\d.]+"', put, page), encoding="utf-8")
    else:
        broken.write_text(page.replace(instead_of, put).replace("</style>", ".hidden{stroke:none}</style>"))
    found, tab = await laid_out(broken, tmp_path, PHONE, "light")
    found |= {"requests": tab.requests, "complaints": tab.complaints}
    assert found[fault]


async def laid_out(file: Path, folder: Path, width: int, scheme: str) -> tuple[dict[str, Any], browser.Page]:
    async with browser.page(CHROMIUM, folder) as tab:
        await tab.open(file, width, scheme)
        return await tab.evaluate(f"({MEASURE})({width})"), tab
