"""One self-contained HTML page about a comparison: no script, nothing to load, readable on a phone."""

import html
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from prewarm_operator.simulate.comparison import Answer, Question
from prewarm_operator.simulate.demand import TICK_SECONDS

WIDTH, HEIGHT, MARGIN = 720, 260, 44
POINTS = 700
"""A point a pixel, more or less: of several ticks in one the largest is drawn."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --faint: #c9d1d9;
  --a: #0b7285; --b: #d9480f; --c: #868e96; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #10161d; --faint: #3a444f; --a: #3bc9db; --b: #ff922b; --c: #adb5bd; }
}
body { margin: 0 auto; max-width: 46rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font-size: 15px; }
.axis { stroke: var(--faint); } .demand { fill: var(--faint); stroke: none; }
.learning { fill: var(--faint); opacity: .35; }
.a, .b { fill: none; stroke-width: 1.6; } .a { stroke: var(--a); } .b { stroke: var(--b); }
.dot-a { fill: var(--a); } .dot-b { fill: var(--b); } .dot-c { fill: var(--c); }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { padding: .25rem .4rem; text-align: right; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; } .default { font-weight: 600; }
.key::before { content: "■ "; } .key.a::before { color: var(--a); } .key.b::before { color: var(--b); }
.key.c::before { color: var(--c); }
"""


def page(name: str, question: Question, answers: Sequence[Answer]) -> str:
    """The page; `name` is that of the record."""
    ours = next(answer for answer in answers if answer.policy == "Prewarm" and answer.is_default)
    hpa = next(answer for answer in answers if answer.policy == "HPA" and answer.is_default)
    title = f"Prewarm on {html.escape(name)}"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE}</style>",
            f"<h1>{title}</h1>",
            f"<p>{_about(question)}</p>",
            "<h2>Demand and ready capacity</h2>",
            _lines(question, ours, hpa),
            _key("c", "requests at once") + _key("a", f"Prewarm, {ours.setting}") + _key("b", f"HPA, {hpa.setting}"),
            "<h2>Demand that met no ready pod</h2>",
            _cold(question, ours, hpa),
            _key("a", "Prewarm") + _key("b", "HPA"),
            "<h2>What each setting would cost</h2>",
            _settings(answers),
            _key("a", "Prewarm") + _key("b", "HPA") + _key("c", "others"),
            f'<div class="table">{_table(answers, hpa)}</div></html>\n',
        )
    )


def _about(question: Question) -> str:
    begins = datetime.fromtimestamp(question.begins_epoch_seconds, UTC)
    hours = len(question.demand) * TICK_SECONDS / 3600
    return (
        f"{hours:.1f} hours from {begins:%Y-%m-%d %H:%M} UTC. A pod takes {question.concurrency_limit} requests at "
        f"once and serves {question.start_seconds:g} s after it was asked for. The shaded first third, in which a "
        "forecast learns, is not counted."
    )


def _lines(question: Question, ours: Answer, hpa: Answer) -> str:
    limit = question.concurrency_limit
    capacity = {"a": ours.outcome.ready, "b": hpa.outcome.ready}
    series = {letter: _largest([pods * limit for pods in ready]) for letter, ready in capacity.items()}
    demand = _largest(question.demand)
    top = max(max(demand), *(max(values) for values in series.values()))
    area = f"{MARGIN},{HEIGHT - MARGIN} {_points(demand, top)} {WIDTH},{HEIGHT - MARGIN}"
    drawn = [f'<polygon class="demand" points="{area}"/>']
    drawn += [f'<polyline class="{letter}" points="{_points(values, top)}"/>' for letter, values in series.items()]
    return _svg("requests at once over time", [_learning(question), *drawn, *_axes(question, top)])


def _cold(question: Question, ours: Answer, hpa: Answer) -> str:
    def missing(answer: Answer) -> list[float]:
        served = (pods * question.concurrency_limit for pods in answer.outcome.ready)
        return _largest([max(0.0, load - most) for load, most in zip(question.demand, served, strict=True)])

    series = {"b": missing(hpa), "a": missing(ours)}
    top = max(1.0, *(max(values) for values in series.values()))
    drawn = [f'<polyline class="{letter}" points="{_points(values, top)}"/>' for letter, values in series.items()]
    return _svg("requests at once without a ready pod, over time", [_learning(question), *drawn, *_axes(question, top)])


def _settings(answers: Sequence[Answer]) -> str:
    """Pod-hours to the right, cold share upwards on a logarithmic scale."""
    lowest = 1e-5
    most = max(answer.outcome.pod_hours for answer in answers) * 1.05
    drawn = [*_decades(lowest)]
    for answer in answers:
        done = answer.outcome
        x = MARGIN + (WIDTH - MARGIN) * done.pod_hours / most
        y = _height(max(done.cold_share, lowest), lowest)
        letter = {"Prewarm": "a", "HPA": "b"}.get(answer.policy, "c")
        told = f"{answer.policy}, {answer.setting}: {done.pod_hours:.1f} pod-hours, {done.cold_share:.3%} cold"
        size = 7 if answer.is_default else 4
        drawn.append(
            f'<circle class="dot-{letter}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"><title>{told}</title></circle>'
        )
    drawn.append(f'<text x="{WIDTH}" y="{HEIGHT - 8}" text-anchor="end">pod-hours, up to {most:.0f}</text>')
    return _svg("cold demand over pod-hours of every setting", drawn)


def _decades(lowest: float) -> Iterator[str]:
    for power in range(round(math.log10(lowest)), 1):
        y = _height(10.0**power, lowest)
        yield f'<line class="axis" x1="{MARGIN}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="0" y="{y + 5:.1f}">{100 * 10.0**power:g}%</text>'


def _height(share: float, lowest: float) -> float:
    return MARGIN / 2 + (HEIGHT - 1.5 * MARGIN) * math.log(share) / math.log(lowest)


def _axes(question: Question, top: float) -> Iterator[str]:
    base = HEIGHT - MARGIN
    yield f'<line class="axis" x1="{MARGIN}" x2="{WIDTH}" y1="{base}" y2="{base}"/>'
    yield f'<text x="0" y="{base}">0</text><text x="0" y="16">{top:.0f}</text>'
    seconds = len(question.demand) * TICK_SECONDS
    for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = datetime.fromtimestamp(question.begins_epoch_seconds + part * seconds, UTC)
        x = MARGIN + part * (WIDTH - MARGIN)
        yield f'<text x="{x:.0f}" y="{HEIGHT - 16}" text-anchor="{anchor}">{at:%a %H:%M}</text>'


def _learning(question: Question) -> str:
    width = (WIDTH - MARGIN) * question.first / len(question.demand)
    return f'<rect class="learning" x="{MARGIN}" y="0" width="{width:.1f}" height="{HEIGHT - MARGIN}"/>'


def _largest(values: Sequence[float]) -> list[float]:
    step = max(1, math.ceil(len(values) / POINTS))
    return [max(values[at : at + step]) for at in range(0, len(values), step)]


def _points(values: Sequence[float], top: float) -> str:
    base = HEIGHT - MARGIN
    across = (WIDTH - MARGIN) / max(1, len(values) - 1)
    return " ".join(f"{MARGIN + at * across:.1f},{base - base * value / top:.1f}" for at, value in enumerate(values))


def _svg(title: str, parts: Sequence[str]) -> str:
    label = html.escape(title)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _key(letter: str, text: str) -> str:
    return f'<span class="key {letter}" style="margin-right:1rem">{html.escape(text)}</span>'


def _table(answers: Sequence[Answer], hpa: Answer) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("policy", "cold demand", "pod-hours", "of HPA 70 %", "starts"))
    rows = []
    for answer in answers:
        done = answer.outcome
        cells = (
            f"{answer.policy}, {answer.setting}",
            f"{done.cold_share:.3%}",
            f"{done.pod_hours:.1f}",
            f"{done.pod_hours / hpa.outcome.pod_hours:.0%}",
            str(done.starts),
        )
        kind = ' class="default"' if answer.is_default else ""
        rows.append(f"<tr{kind}>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>")
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
