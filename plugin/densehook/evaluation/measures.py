"""Effectiveness measures of each query, by the names of ir_measures.

MacAvaney et al. 2022, "Streamlining Evaluation with ir-measures". It knows what a name means
(``nDCG@10``, ``AP``, ``P(rel=2)@5``, ``nDCG(judged_only=True)@10``) and has most of them measured
by pytrec_eval, which is trec_eval's own code in this process; the others are here. What a report
gives as a system's figure is then asked of Pyserini's trec_eval as well: see ``official``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import EvaluationError
from ..types import DocId, Qrels, QueryId, Run

if TYPE_CHECKING:
    from ir_measures.measures import Measure

DEFAULT_MEASURES = ("nDCG@10", "R@100", "AP@100", "RR@10")
"""What is measured unless something else is asked for, in the order shown."""

ERR_HIGHEST = 4
"""The highest grade of ERR, whatever a collection has: that of gdeval, which TREC measures with and
ir_measures asks. So a query's value does not hang on what other queries have."""

Values = Mapping[QueryId, Mapping[str, float]]
"""For every judged query its measures by name."""


def check_measures(names: Iterable[str]) -> list[str]:
    """The names as ir_measures writes them, without repetition: ``MAP@100`` is ``AP@100``.

    Raises EvaluationError for what is no measure, or one that nothing here can compute.
    """
    wanted = list(dict.fromkeys(str(parsed(name)) for name in names))
    if not wanted:
        raise EvaluationError(f"no measure to take; as {', '.join(DEFAULT_MEASURES)}")
    return wanted


def measure_queries(run: Run, qrels: Qrels, measures: Sequence[str] = DEFAULT_MEASURES) -> Values:
    """Measures of every judged query, as floats; one without hits has 0.

    The value of a query hangs on no other query. The run's order must not hang on ties: see
    ``ties.without_ties``. Raises EvaluationError as ``check_grades``.
    """
    check_grades(measures, qrels)
    wanted = {name: parsed(name) for name in measures}
    values: dict[QueryId, dict[str, float]] = {
        query: dict.fromkeys(measures, 0.0) for query in qrels
    }
    theirs = [each for each in wanted.values() if each.NAME not in _OURS]
    scores = {
        query: {hit.id: hit.score for hit in ranking} for query, ranking in run.items() if ranking
    }
    if theirs and scores:
        names = {str(each): name for name, each in wanted.items()}
        for metric in _ir_measures().iter_calc(
            theirs, {q: dict(j) for q, j in acceptable(qrels).items()}, scores
        ):
            if metric.query_id in values:
                values[metric.query_id][names[str(metric.measure)]] = float(metric.value)
    for name, each in wanted.items():
        if each.NAME in _OURS:
            for query, judged in qrels.items():
                grades = [max(0, judged.get(hit.id, 0)) for hit in run.get(query, ())]
                values[query][name] = _OURS[each.NAME](grades, judged, each)
    return values


def acceptable(qrels: Qrels) -> Qrels:
    """Judgements as trec_eval takes them: it ends at a query of which no grade is 0 or more.

    Nothing is relevant to such a query: with 0 in the place of its grades all measures are what
    they were.
    """
    return {
        query: judged if max(judged.values(), default=0) >= 0 else dict.fromkeys(judged, 0)
        for query, judged in qrels.items()
    }


def check_grades(measures: Sequence[str], qrels: Qrels) -> None:
    """Raises EvaluationError where a measure is asked for that has no meaning for these grades."""
    asked = [name for name in measures if parsed(name).NAME == "ERR"]
    for query, judged in qrels.items() if asked else ():
        for document, grade in judged.items():
            if grade > ERR_HIGHEST:
                raise EvaluationError(
                    f"{asked[0]} is for grades up to {ERR_HIGHEST}, as gdeval has it; query"
                    f" {query!r} gives document {document!r} {grade}: leave it out, or grade anew"
                )


def means(values: Values, measures: Sequence[str]) -> dict[str, float]:
    """Means over all queries given, with four decimals as trec_eval prints them; counts are summed.

    NumQ, NumRel and NumRet are counts.
    """
    return {
        name: round(sum(each[name] for each in values.values()) / max(1, len(values)) * weight, 4)
        for name, weight in weights(measures, max(1, len(values))).items()
    }


def weights(measures: Sequence[str], queries: int) -> dict[str, int]:
    """What makes a measure's figure of a mean over so many queries: 1, but for what is summed."""
    summed = _ir_measures().measures.base.SumAgg
    return {
        name: queries if isinstance(parsed(name).aggregator(), summed) else 1 for name in measures
    }


def parsed(name: str) -> Measure:
    """A measure of ir_measures by its name. Raises EvaluationError."""
    try:
        found = _ir_measures().parse_measure(name)
        found.validate_params()
        for least in ("cutoff", "rel"):  # pytrec_eval ends the process for less
            if found.params.get(least, 1) < 1:
                raise ValueError(f"{least} is {found.params[least]}, it must be 1 or more")
    except (NameError, ValueError, TypeError, AssertionError, SyntaxError, AttributeError) as error:
        raise EvaluationError(
            f"no measure {name!r} ({_reason(error)}); write it as ir_measures does, as nDCG@10,"
            " R@100, AP, RR@10, P@5, Judged@10, RBP(p=0.8), ERR@20"
        ) from None
    if found.NAME not in _OURS and not _computable(found):
        raise EvaluationError(f"measure {name!r} is known, but nothing installed here computes it")
    return found


def _computable(measure: Measure) -> bool:
    return any(
        provider.is_available() and provider.supports(measure)
        for provider in _ir_measures().DefaultPipeline.providers
    )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _ir_measures() -> Any:
    import ir_measures

    return ir_measures


def _given(measure: Any, name: str, default: Any) -> Any:
    """A parameter that was written, else the default."""
    return measure.params.get(name, default)


def _err(grades: Sequence[int], judged: Mapping[DocId, int], measure: Any) -> float:
    """Expected reciprocal rank: Chapelle et al. 2009.

    A document of grade g satisfies with (2^g - 1) / 2^ERR_HIGHEST.
    """
    total, looking = 0.0, 1.0
    for rank, grade in enumerate(grades[: _given(measure, "cutoff", None)], start=1):
        satisfied = (2**grade - 1) / 2**ERR_HIGHEST
        total += looking * satisfied / rank
        looking *= 1 - satisfied
    return total


def _rbp(grades: Sequence[int], judged: Mapping[DocId, int], measure: Any) -> float:
    """Rank-biased precision: Moffat and Zobel 2008, with persistence ``p``, 0.8 by default.

    A document gains its grade, as in trectools; with ``rel``, 1 from that grade on, as in cwl_eval.
    """
    persistence = _given(measure, "p", 0.8)
    least = _given(measure, "rel", None)
    gains = [float(grade if least is None else grade >= least) for grade in grades]
    cut = gains[: _given(measure, "cutoff", None)]
    return float((1 - persistence) * sum(gain * persistence**n for n, gain in enumerate(cut)))


def _relevant(grades: Sequence[int], judged: Mapping[DocId, int], measure: Any) -> float:
    """How many documents are relevant, whether or not they were found."""
    least = _given(measure, "rel", 1)
    return float(sum(grade >= least for grade in judged.values()))


def _returned(grades: Sequence[int], judged: Mapping[DocId, int], measure: Any) -> float:
    """How many documents were found, or with ``rel`` how many of them are relevant."""
    least = _given(measure, "rel", None)
    return float(sum(least is None or grade >= least for grade in grades))


_OURS: Mapping[str, Callable[[Sequence[int], Mapping[DocId, int], Any], float]] = {
    "ERR": _err,
    "RBP": _rbp,
    "NumRel": _relevant,
    "NumRet": _returned,
    "NumQ": lambda grades, judged, measure: 1.0,
}
"""What ir_measures leaves to programs that read ids as whole numbers, and counts, which queries
without hits have too; each from the grades of the hits and the query's judgements."""
