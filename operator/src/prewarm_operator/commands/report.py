"""One page with everything in it: no script, nothing that is fetched."""

from datetime import UTC, datetime
from html import escape
from importlib import resources

from prewarm_operator.commands import figures, table
from prewarm_operator.decide.scaling.horizon import TICK_SECONDS
from prewarm_operator.simulate.comparison import Comparison


def page(comparison: Comparison, title: str) -> str:
    """The report in HTML. `title` names the record."""
    style = resources.files("prewarm_operator.commands").joinpath("report.css").read_text(encoding="utf-8")
    parts = (_verdict(comparison), *_figures(comparison), _table(comparison))
    about = f"{_span(comparison)}{table.explanation(comparison)}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)} · prewarm simulate</title>'
        f"<style>{style}</style></head><body><main><h1>Scaling on {escape(title)}</h1>"
        f"<p>{escape(about)}</p>{''.join(parts)}</main></body></html>\n"
    )


def _span(comparison: Comparison) -> str:
    begins = comparison.question.begins_epoch_seconds
    return "" if begins < figures.YEAR_2000 else f"From {datetime.fromtimestamp(begins, UTC):%Y-%m-%d %H:%M} UTC. "


def _verdict(comparison: Comparison) -> str:
    """The answer in one sentence, and its numbers."""
    ours, hpa = comparison.ours.outcome, comparison.hpa.outcome
    name = f"HPA {comparison.question.hpa_target * 100:g}%"
    change = ours.pod_hours / hpa.pod_hours - 1
    tiles = (
        (f"Pod-hours to {name}", f"{change:+.1%}"),
        ("Cold, Prewarm", table.share(ours.cold_share)),
        (f"Cold, {name}", table.share(hpa.cold_share)),
    )
    inner = "".join(f"<div><dt>{escape(term)}</dt><dd>{escape(value)}</dd></div>" for term, value in tiles)
    pods = f"{abs(change):.1%} {'fewer' if change < 0 else 'more'} pod-hours than"
    sentence = (
        f"By default Prewarm would have used {pods} an HPA with target {comparison.question.hpa_target * 100:g}%, with "
        f"{table.share(ours.cold_share)} of the load above its ready pods instead of {table.share(hpa.cold_share)}."
    )
    return f'<p class="verdict">{escape(sentence)}</p><dl>{inner}</dl>'


def _figures(comparison: Comparison) -> list[str]:
    minutes = figures.step_ticks(comparison) * TICK_SECONDS / 60
    shaded = f"Each point is the largest of {minutes:g} min. Shaded: the forecast learns, nothing is counted."
    both = (("ours", comparison.ours.name), ("hpa", comparison.hpa.name))
    return [
        _figure(
            "Demand and ready capacity",
            "Requests at once: what came, what the forecast expected for that time, and what the ready pods took.",
            figures.capacity_over_time(comparison),
            (("demand", "demand"), ("band", "forecast, expected to upper bound"), *both),
            shaded,
        ),
        _figure(
            "Cold demand",
            "Requests at once above what the ready pods took. Flat at zero is best.",
            figures.cold_over_time(comparison),
            both,
            shaded,
        ),
        _figure("Pod-hours", "What was paid for, from the decision on.", figures.pod_hours(comparison), (), ""),
        _figure(
            "What each setting would cost",
            "Pod-hours upwards, cold share of the load to the right: lower and further left is better.",
            figures.costs(comparison),
            (("ours", "Prewarm by target cold"), ("hpa", "HPA by target"), ("other", "others")),
            "Both axes are logarithmic.",
        ),
    ]


def _figure(heading: str, says: str, svg: str, legend: tuple[tuple[str, str], ...], note: str) -> str:
    keys = "".join(f'<li><i class="{kind}"></i>{escape(name)}</li>' for kind, name in legend)
    caption = f"<figcaption>{escape(note)}</figcaption>" if note else ""
    return (
        f"<section><h2>{escape(heading)}</h2><p>{escape(says)}</p>{f'<ul>{keys}</ul>' if keys else ''}"
        f"<figure>{svg}{caption}</figure></section>"
    )


def _table(comparison: Comparison) -> str:
    header = table.header(comparison)
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = []
    for answer in comparison.answers:
        name, *values = table.cells(comparison, answer)
        cells = "".join(
            f'<td data-name="{escape(column)}">{escape(value)}</td>'
            for column, value in zip(header[1:], values, strict=True)
        )
        kind = ' class="drawn"' if answer in (comparison.ours, comparison.hpa) else ""
        body.append(f"<tr{kind}><th>{escape(name)}</th>{cells}</tr>")
    rows = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f"<section><h2>All settings</h2><p>* the default</p><table>{rows}</table></section>"
