"""Plots as SVG that takes its colours from the page around it, so that both are light or dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple
from unicodedata import east_asian_width

from ..evaluation import Interval

_WIDTH = 720
_LABELS = 130
"""Pixels at the left for names."""
_NUMBERS = 60
_ROW = 30
_NAME_ROW = 20
"""Of a name that stands above its bar, for want of room beside it."""
_CHARACTER = 7.5
"""Pixels of a letter, at most of most; signs of East Asia take two."""


def bars(intervals: Mapping[str, Interval], title: str) -> str:
    """A bar for each system's mean, with a line from the lower to the upper bound.

    Names stand beside the bars, or above them where one of them is too long for that.
    """
    above = any(_width(name) > _LABELS - 8 for name in intervals)
    left = 0 if above else _LABELS
    height = _ROW + _NAME_ROW if above else _ROW
    room = _WIDTH - left - _NUMBERS
    most = max(
        [each.high for each in intervals.values()] + [each.mean for each in intervals.values()]
    )
    scale = room / most if most > 0 else 0.0
    parts = []
    for number, (name, each) in enumerate(intervals.items()):
        top = number * height + height - _ROW
        low, high, mean = (left + value * scale for value in (each.low, each.high, each.mean))
        middle = top + _ROW / 2
        parts += [
            _text(0, top - 4, name, "start", _WIDTH)
            if above
            else _text(_LABELS - 8, middle, name, "end"),
            f'<rect class="bar" x="{left}" y="{top + 6}" width="{max(0.5, mean - left):.1f}"'
            f' height="{_ROW - 12}"><title>{escape(name)} {each.mean:.4f}, 95% from'
            f" {each.low:.4f} to {each.high:.4f}</title></rect>",
            f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 5}v10'
            f'M{high:.1f} {middle - 5}v10"/>',
            _text(_WIDTH - _NUMBERS + 10, middle, f"{each.mean:.4f}", "start"),
        ]
    return _svg(parts, len(intervals) * height, title)


def waterfall(differences: Sequence[float], title: str) -> str:
    """A bar for each query's difference, the largest gain first, losses below the line."""
    height, middle = 180, 90
    most = max((abs(each) for each in differences), default=0.0) or 1.0
    step = (_WIDTH - 60) / max(1, len(differences))
    parts = [_text(52, 10, f"+{most:.2f}", "end"), _text(52, height - 8, f"−{most:.2f}", "end")]
    for number, each in enumerate(sorted(differences, reverse=True)):
        size = abs(each) / most * (middle - 4)
        if size:
            top = middle - size if each > 0 else middle
            parts.append(
                f'<rect class="{"gain" if each > 0 else "loss"}" x="{60 + number * step:.2f}"'
                f' y="{top:.1f}" width="{max(0.4, step * 0.85):.2f}" height="{size:.1f}"/>'
            )
    parts.append(f'<path class="axis" d="M60 {middle}H{_WIDTH}"/>')
    return _svg(parts, height, title)


def stacked(counts: Mapping[str, int], title: str) -> str:
    """One bar cut into parts, each with its name and number below."""
    total = sum(counts.values())
    if not total:
        return ""
    parts, left = [], 0.0
    for number, (name, count) in enumerate(counts.items()):
        width = count / total * _WIDTH
        parts.append(
            f'<rect class="part part{number}" x="{left:.1f}" y="0" width="{width:.1f}" height="22">'
            f"<title>{escape(name)}: {count}</title></rect>"
        )
        left += width
    return _svg(parts, 22, title)


class Dot(NamedTuple):
    """A point of a plot: its kind decides its mark, ``title`` is what it says when pointed at."""

    x: float
    y: float
    kind: int
    title: str


def frontier(
    dots: Sequence[Dot], front: Sequence[tuple[float, float]], x_name: str, y_name: str
) -> str:
    """Dots over both axes, x from 0, and a line through those that are the best of all."""
    height, left, bottom, top = 360, 60, 46, 14
    most = max(each.x for each in dots) * 1.05
    highest = max(each.y for each in dots)
    lowest = min(each.y for each in dots)
    margin = (highest - lowest or highest or 1.0) * 0.06
    lowest, highest = lowest - margin, highest + margin

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + x / most * (_WIDTH - left - 12)
        down = top + (highest - y) / (highest - lowest) * (height - top - bottom)
        return across, down

    parts = []
    for value in _ticks(lowest, highest):
        across, down = place(0, value)
        parts += [
            f'<path class="grid" d="M{across:.1f} {down:.1f}H{_WIDTH - 12}"/>',
            _text(across - 8, down, f"{value:g}", "end"),
        ]
    for value in _ticks(0, most):
        across, _ = place(value, lowest)
        parts.append(_text(across, height - bottom + 16, f"{value:g}", "middle"))
    parts.append(f'<path class="axis" d="M{left} {top}V{height - bottom}H{_WIDTH - 12}"/>')
    parts.append(_text(_WIDTH - 12, height - 10, x_name, "end"))
    parts.append(_text(left + 8, top + 4, y_name, "start"))
    line = "L".join("{:.1f} {:.1f}".format(*place(x, y)) for x, y in front)
    parts.append(f'<path class="front" d="M{line}"/>')
    for each in dots:
        across, down = place(each.x, each.y)
        parts.append(f"<g><title>{escape(each.title)}</title>{dot(across, down, each.kind)}</g>")
    return _svg(parts, height, f"{y_name} against {x_name}")


def dot(x: float, y: float, kind: int) -> str:
    """A mark with the colour and the shape of a kind, so that colour is not all that tells."""
    shape = _SHAPES[kind % len(_SHAPES)]
    return (
        f'<path class="dot kind{kind % len(_SHAPES)}" transform="translate({x:.1f} {y:.1f})"'
        f' d="{shape}"/>'
    )


_SHAPES = (
    "M-5 -5H5V5H-5Z",
    "M0 -6L6 0L0 6L-6 0Z",
    "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z",
    "M0 -6L6 5H-6Z",
    "M0 6L6 -5H-6Z",
)
"""Square, diamond, circle, triangles up and down, about the origin."""


def _ticks(low: float, high: float) -> list[float]:
    """Some round numbers between the two."""
    rough = (high - low) / 6
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= rough)
    first = math.ceil(low / step)
    return [round(n * step, 10) for n in range(first, math.floor(high / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str, room: float | None = None) -> str:
    """Text at a place, drawn together where there is less room than it needs."""
    narrow = room is not None and _width(text) > room
    fitted = f' textLength="{room:.0f}" lengthAdjust="spacingAndGlyphs"' if narrow else ""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" dominant-baseline="middle"{fitted}>'
        f"{escape(text)}</text>"
    )


def _width(text: str) -> float:
    return _CHARACTER * sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
