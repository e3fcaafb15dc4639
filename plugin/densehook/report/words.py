"""What a difference means, in a sentence for who decides."""

from __future__ import annotations

from ..evaluation import Difference, Evaluation


def verdict(evaluation: Evaluation) -> str:
    """What the best system brings over the baseline by the first measure."""
    measure = evaluation.measures[0]
    if not evaluation.differences:
        (system,) = evaluation.systems
        return f"{system} reaches {evaluation.systems[system][measure]:.4f} {measure}."
    told = [each for each in evaluation.differences if each.measure == measure]
    # what is sure comes before what is higher and may be chance
    best = max(told, key=lambda each: (each.verdict == "better", each.mean))
    if best.mean <= 0:
        return f"Nothing is better than {evaluation.baseline} by {measure}."
    return sentence(best, evaluation.baseline or "")


def sentence(difference: Difference, baseline: str) -> str:
    """One system against the baseline: by how much, how surely, on how many queries."""
    each = difference
    counts = (
        f"it ranks better on {each.better}, worse on {each.worse} and alike on {each.equal} of"
        f" {each.queries} queries"
    )
    span = f"{each.mean:+.4f} {each.measure} (95% between {each.low:+.4f} and {each.high:+.4f})"
    if each.verdict == "no difference":
        told = "" if each.needed is None else f" Some {each.needed:,} queries would tell."
        return (
            f"{each.system} differs from {baseline} by {span}, which may be chance"
            f" (p = {each.randomisation_holm:.2g}): {counts}.{told}"
        )
    return f"{each.system} is {each.verdict} than {baseline}, by {span}: {counts}."
