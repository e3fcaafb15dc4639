"""What was measured, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle import Tuning
from ..errors import ExportError, MissingExtra

if TYPE_CHECKING:
    from .curve import Curve


PICTURES = (".png", ".svg", ".pdf")
"""Endings of files that can be drawn."""


def require_matplotlib() -> None:
    """Raises MissingExtra where a plot would: before the work, not after it."""
    _figure()


def plot_tuning(tuning: Tuning, path: Path) -> None:
    """Texts a second against nDCG@10, one point for each variant.

    Raises MissingExtra without matplotlib.
    """
    figure, axes = _figure()
    rows = [row for row in tuning.measured if "quality" in row]
    bound = max(row["quality"] for row in rows if row["variant"] == "fp32") - tuning.max_loss
    axes.axhline(
        bound, color="grey", linestyle="--", linewidth=1, label=f"a loss of {tuning.max_loss:g}"
    )
    for row, marker in zip(rows, _markers(), strict=False):
        provider = row["setting"]["provider"]
        chosen = row["variant"] == tuning.variant and provider == tuning.provider
        state = "chosen" if chosen else row["objection"]
        axes.scatter(
            row["texts_per_second"],
            row["quality"],
            marker=marker,
            s=160 if chosen else 70,
            edgecolors="black" if chosen else "none",
            linewidths=1.5,
            zorder=3 if chosen else 2,
            label=f"{row['variant']}, {provider}" + (f" ({state})" if state else ""),
        )
    axes.set_xlabel("texts a second, in bulk")
    axes.set_xlim(left=0)
    _finish(figure, axes, tuning, path)


def plot_curve(curve: Curve, path: Path) -> None:
    """Dimensions against nDCG@10, one line for each number of layers.

    Raises MissingExtra without matplotlib, ExportError when the path cannot be written.
    """
    figure, axes = _figure()
    for layers, marker in zip(
        sorted({point.layers for point in curve.points}, reverse=True), _markers(), strict=False
    ):
        points = [point for point in curve.points if point.layers == layers]
        axes.plot(
            [point.dims for point in points],
            [point.quality for point in points],
            marker=marker,
            label=f"{layers} layers, {points[0].texts_per_second:.0f} texts/s",
        )
    dims = sorted({point.dims for point in curve.points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(dims, [str(each) for each in dims])
    axes.set_xlabel("dimensions")
    try:
        _finish(figure, axes, curve, path)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from error


def _figure() -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(error.name or "matplotlib", "tune") from error
    figure = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.margins(0.1)
    return figure, axes


def _finish(figure: Any, axes: Any, measured: Tuning | Curve, path: Path) -> None:
    axes.set_ylabel(f"{measured.measure}, exact search")
    axes.set_title(
        f"{measured.collection}: {measured.documents:,} documents, {measured.queries:,} queries\n"
        f"{measured.machine}, {measured.date}",
        fontsize=10,
    )
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize=9)
    figure.savefig(path, dpi=150)


def _markers() -> str:
    return "osD^vP*Xh<>pd8" * 4
