"""What was measured, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Speed against nDCG@10, one point for each variant, and for each kind that it gives.

    Raises MissingExtra without matplotlib.
    """
    figure, axes = _figure()
    rows = [row for row in tuning.measured if "quality" in row]
    for kind in rows[0].get("kinds", [""]):
        _scatter(axes, tuning, rows, kind)
    axes.set_xlabel(f"{tuning.unit} a second, in bulk")
    axes.set_xlim(left=0)
    _finish(figure, axes, tuning, tuning.way, path)


def _scatter(axes: Any, tuning: Tuning, rows: Sequence[Mapping[str, Any]], kind: str) -> None:
    """Each variant as one of the kinds that it gives, with what may be lost of that."""
    of_kind = f", {kind}" if kind else ""
    qualities = [(row["kinds"][kind] if kind else row)["quality"] for row in rows]
    plain = (own for own, row in zip(qualities, rows, strict=True) if row["variant"] == "fp32")
    axes.axhline(
        max(plain) - tuning.max_loss,
        color="grey",
        linestyle="--",
        linewidth=1,
        label=f"a loss of {tuning.max_loss:g}{of_kind}",
    )
    for row, quality, marker in zip(rows, qualities, _markers(), strict=False):
        provider = row["setting"]["provider"]
        chosen = row["variant"] == tuning.variant and provider == tuning.provider
        state = "chosen" if chosen else row["objection"]
        axes.scatter(
            row["texts_per_second"],
            quality,
            marker=marker,
            s=160 if chosen else 70,
            edgecolors="black" if chosen else "none",
            linewidths=1.5,
            zorder=3 if chosen else 2,
            label=f"{row['variant']}, {provider}{of_kind}" + (f" ({state})" if state else ""),
        )


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
        _finish(figure, axes, curve, "exact search", path)
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


def _finish(figure: Any, axes: Any, measured: Tuning | Curve, way: str, path: Path) -> None:
    axes.set_ylabel(f"{measured.measure}, {way}")
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
