"""Texts a second against nDCG@10, one point for each variant."""

from __future__ import annotations

from pathlib import Path

from ..bundle import Tuning
from ..errors import MissingExtra


def plot(tuning: Tuning, path: Path) -> None:
    """Draws what was measured as a PNG. Raises MissingExtra without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(error.name or "matplotlib", "tune") from error
    rows = [row for row in tuning.measured if "quality" in row]
    bound = max(row["quality"] for row in rows if row["variant"] == "fp32") - tuning.max_loss
    figure = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
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
    axes.set_ylabel(f"{tuning.measure}, exact search")
    axes.set_title(
        f"{tuning.collection}: {tuning.documents:,} documents, {tuning.queries:,} queries\n"
        f"{tuning.machine}, {tuning.date}",
        fontsize=10,
    )
    axes.margins(0.1)
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize=9)
    figure.savefig(path, dpi=150)


def _markers() -> str:
    return "osD^vP*Xh<>pd8" * 4
