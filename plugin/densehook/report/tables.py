"""Means with what differs from the baseline marked, as Markdown and as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from ..evaluation import Evaluation

BETTER, WORSE = "▲", "▼"
"""After a mean: better or worse than the baseline, and not by chance."""


def mark(evaluation: Evaluation, system: str, measure: str) -> str:
    """Whether a mean differs from the baseline's: a mark, or nothing."""
    found = evaluation.difference(system, measure)
    if found is None or found.verdict == "no difference":
        return ""
    return BETTER if found.verdict == "better" else WORSE


def markdown_table(evaluation: Evaluation) -> str:
    """A table of GitHub's Markdown; the best mean of each measure is bold."""
    measures = evaluation.measures
    best = _best(evaluation)
    lines = [
        f"| {_plain(evaluation.collection)}, {evaluation.queries} queries | "
        + " | ".join(measures)
        + " |",
        "| --- |" + " ---: |" * len(measures),
    ]
    for system, means in evaluation.systems.items():
        cells = []
        for measure, most in zip(measures, best, strict=True):
            shown = f"{means[measure]:.4f}"
            shown = f"**{shown}**" if means[measure] == most else shown
            cells.append(f"{shown}{mark(evaluation, system, measure)}")
        lines.append(f"| {_plain(system)} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", legend(evaluation)]) + "\n"


def latex_table(evaluation: Evaluation) -> str:
    """A tabular of booktabs; the best mean of each measure is bold."""
    measures = evaluation.measures
    best = _best(evaluation)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(measures)}}}",
        r"\toprule",
        " & ".join(["system", *map(_escaped, measures)]) + r" \\",
        r"\midrule",
    ]
    marks = {BETTER: r"$^{\blacktriangle}$", WORSE: r"$^{\blacktriangledown}$", "": ""}
    for system, means in evaluation.systems.items():
        cells = [_escaped(system)]
        for measure, most in zip(measures, best, strict=True):
            shown = f"{means[measure]:.4f}"
            shown = rf"\textbf{{{shown}}}" if means[measure] == most else shown
            cells.append(shown + marks[mark(evaluation, system, measure)])
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", f"% {legend(evaluation)}"]) + "\n"


def legend(evaluation: Evaluation) -> str:
    """What the marks mean; nothing where nothing was compared."""
    if not evaluation.differences:
        return ""
    return (
        f"{BETTER} better, {WORSE} worse than {evaluation.baseline}: randomisation test over the"
        f" {evaluation.queries} queries, corrected by Holm, p < 0.05."
    )


def _best(evaluation: Evaluation) -> Sequence[float]:
    return [
        max(means[measure] for means in evaluation.systems.values())
        for measure in evaluation.measures
    ]


def _plain(text: str) -> str:
    """Text that is no Markdown, and no end of a cell."""
    return "".join(f"\\{each}" if each in "\\|<>[]*_`" else each for each in text)


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
"""Characters that mean something to LaTeX, and how they are written."""
