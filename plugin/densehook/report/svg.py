"""Plots as SVG that takes its colours from the page around it, so that both are light or dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from ..evaluation import Interval

_WIDTH = 720
_LABELS = 130
"""Pixels at the left for names."""
_NUMBERS = 60
_ROW = 30


def bars(intervals: Mapping[str, Interval], title: str) -> str:
    """A bar for each system's mean, with a line from the lower to the upper bound."""
    room = _WIDTH - _LABELS - _NUMBERS
    most = max(
        [each.high for each in intervals.values()] + [each.mean for each in intervals.values()]
    )
    scale = room / most if most > 0 else 0.0
    parts = []
    for number, (name, each) in enumerate(intervals.items()):
        top = number * _ROW
        low, high, mean = (_LABELS + value * scale for value in (each.low, each.high, each.mean))
        middle = top + _ROW / 2
        parts += [
            _text(_LABELS - 8, middle, name, "end"),
            f'<rect class="bar" x="{_LABELS}" y="{top + 6}" width="{max(0.5, mean - _LABELS):.1f}"'
            f' height="{_ROW - 12}"><title>{escape(name)} {each.mean:.4f}, 95% from'
            f" {each.low:.4f} to {each.high:.4f}</title></rect>",
            f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 5}v10'
            f'M{high:.1f} {middle - 5}v10"/>',
            _text(_WIDTH - _NUMBERS + 10, middle, f"{each.mean:.4f}", "start"),
        ]
    return _svg(parts, len(intervals) * _ROW, title)


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


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" dominant-baseline="middle">'
        f"{escape(text)}</text>"
    )


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
