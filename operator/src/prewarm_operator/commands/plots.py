"""Plots as inline SVG: as wide as the page at any width, with letters that keep their size.

Curves lie in an inner SVG that is stretched to the width; what is written lies in the outer one, placed by percent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

HEIGHT = 240.0
BELOW = 22.0
"""For the labels of the horizontal axis, in pixels."""

WIDTH = 1000.0
"""Of the inner SVG, in its own units."""

BAR_HEIGHT, BAR_ROW = 14.0, 44.0

NARROW = 328.0
"""Pixels: a figure on a phone. Wider ones only move marks apart."""
LETTER, DOT = 6.6, 4.0
"""Pixels: a letter's width, half a dot's."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Scale:
    """From values to shares of an axis."""

    low: float
    high: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """From 0 to 1."""
        if self.log:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Axes:
    """Both scales with their marks, as (value, label)."""

    x: Scale
    y: Scale
    x_marks: Sequence[tuple[float, str]]
    y_marks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: "_Box") -> bool:
        """Whether they share a point."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True)
class Bar:
    """A row with its length in the units of all rows; `kind` is its class."""

    words: str
    value: float
    told: str
    kind: str


def plot(axes: Axes, drawn: Sequence[str], written: Sequence[str], title: str) -> str:
    """A figure from what `line`, `area`, `band`, `dots` and `labels` made; `title` says what it shows."""
    inside = HEIGHT - BELOW
    grid = "".join(f'<path class="grid" d="M0 {_y(axes, value):.1f}H{WIDTH:.0f}"/>' for value, _ in axes.y_marks)
    words = [
        f'<text x="2" y="{max(11.0, _y(axes, value) - 3):.1f}">{escape(text)}</text>' for value, text in axes.y_marks
    ]
    for value, text in axes.x_marks:
        at = axes.x(value)
        anchor = "start" if at < 0.05 else "end" if at > 0.95 else "middle"
        words.append(f'<text x="{at:.2%}" y="{HEIGHT - 6:.0f}" text-anchor="{anchor}">{escape(text)}</text>')
    return _figure(title, HEIGHT, inside, grid + "".join(drawn), "".join((*words, *written)))


def bars(rows: Sequence[Bar], title: str) -> str:
    """Rows of words, a number at the right and a bar below both."""
    most = max(row.value for row in rows)
    drawn, words = [], []
    for number, row in enumerate(rows):
        top = number * BAR_ROW + 18
        width = max(2.0, WIDTH * row.value / most)
        drawn.append(f'<path class="bar {row.kind}" d="M0 {top:.0f}h{width:.1f}v{BAR_HEIGHT:.0f}H0Z"/>')
        words.append(f'<text class="name" x="0" y="{top - 5:.0f}">{escape(row.words)}</text>')
        words.append(f'<text x="100%" y="{top - 5:.0f}" text-anchor="end">{escape(row.told)}</text>')
    height = len(rows) * BAR_ROW
    return _figure(title, height, height, "".join(drawn), "".join(words))


def line(axes: Axes, points: Points, kind: str) -> str:
    """A curve; `kind` is its class."""
    return f'<path class="line {kind}" d="{_path(axes, points)}"/>'


def area(axes: Axes, points: Points, kind: str) -> str:
    """What lies under a curve."""
    return band(axes, points, [(x, axes.y.low) for x, _ in points], kind)


def band(axes: Axes, upper: Points, lower: Points, kind: str) -> str:
    """What lies between two curves."""
    return f'<path class="area {kind}" d="{_path(axes, upper)}L{_path(axes, lower[::-1])[1:]}Z"/>'


def dots(axes: Axes, points: Points, kind: str) -> str:
    """Round marks: lines without length, whose ends no stretching makes oval."""
    moves = "".join(f"M{axes.x(x) * WIDTH:.1f} {_y(axes, y):.1f}h0" for x, y in points)
    return f'<path class="dots {kind}" d="{moves}"/>'


def labels(axes: Axes, marks: Sequence[tuple[float, float, str]]) -> list[str]:
    """Words beside marks, where they cover neither another mark nor other words, on the narrowest page; else none."""
    places = [(axes.x(x) * NARROW, _y(axes, y)) for x, y, _ in marks]
    taken = [_Box(at - DOT, down - DOT, at + DOT, down + DOT) for at, down in places]
    written = []
    for (x, y, text), (at, down) in zip(marks, places, strict=True):
        wide = len(text) * LETTER
        for anchor, aside, below in (("start", 8, 4), ("end", -8, 4), ("middle", 0, -9), ("middle", 0, 16)):
            left = at + aside - {"start": 0.0, "end": wide, "middle": wide / 2}[anchor]
            box = _Box(left, down + below - 9, left + wide, down + below + 3)
            if box.left < 0 or box.right > NARROW or any(map(box.covers, taken)):
                continue
            taken.append(box)
            place = f'x="{axes.x(x):.2%}" y="{_y(axes, y):.1f}" dx="{aside}" dy="{below}"'
            written.append(f'<text class="name" {place} text-anchor="{anchor}">{escape(text)}</text>')
            break
    return written


def nice_marks(high: float, count: int = 4) -> list[float]:
    """About `count` round values from 0 to `high`, which is above 0."""
    raw = high / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [step * index for index in range(int(high / step + 1e-9) + 1)]


def _figure(title: str, height: float, inside: float, drawn: str, words: str) -> str:
    return (
        f'<svg role="img" width="100%" height="{height:.0f}"><title>{escape(title)}</title>'
        f'<svg width="100%" height="{inside:.0f}" viewBox="0 0 {WIDTH:.0f} {inside:.0f}" preserveAspectRatio="none">'
        f"{drawn}</svg>{words}</svg>"
    )


def _path(axes: Axes, points: Points) -> str:
    return "M" + "L".join(f"{axes.x(x) * WIDTH:.1f} {_y(axes, y):.1f}" for x, y in points)


def _y(axes: Axes, value: float) -> float:
    return (HEIGHT - BELOW) * (1 - axes.y(value))
