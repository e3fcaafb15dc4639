"""The order that every tool reads a run in: equal scores are told apart before it is written.

trec_eval looks at the score alone, as a 32-bit float, and takes equal ones by document id,
descending. Others keep the order of the lines, or sort by 64-bit floats: of a run with equal scores
they give other figures than trec_eval. A run whose scores go down at every rank, as 32-bit floats,
is measured alike by all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import EvaluationError
from ..types import DocId, QueryId, Ranking, Run, ScoredDoc

_SIGN = np.int64(-(1 << 31))


def without_ties(run: Run) -> dict[QueryId, list[ScoredDoc]]:
    """The run in trec_eval's order, each score lower than the one before it.

    What trec_eval says of it is what it says of the run as it came. A score is changed to the
    nearest 32-bit float, and where that is not below the one before, to the next float that is: by
    a ten millionth of itself. Raises EvaluationError for a score that no 32-bit float holds.
    """
    ids = {hit.id for ranking in run.values() for hit in ranking}
    # in bytes, as strcmp has it
    places = {id_: place for place, id_ in enumerate(sorted(ids, key=str.encode, reverse=True))}
    return {query: _without_ties(query, ranking, places) for query, ranking in run.items()}


def _without_ties(query: QueryId, ranking: Ranking, places: Mapping[DocId, int]) -> list[ScoredDoc]:
    """``places`` are those of all ids, in descending order."""
    with np.errstate(over="ignore"):
        scores = np.array([hit.score for hit in ranking], dtype=np.float32)
    for place in np.flatnonzero(~np.isfinite(scores)).tolist():
        id_, score = ranking[place]
        raise EvaluationError(
            f"query {query!r} gives document {id_!r} the score {score}, which trec_eval cannot read"
        )
    ids = [hit.id for hit in ranking]
    if (np.diff(scores) >= 0).any():
        order = np.lexsort((np.array([places[id_] for id_ in ids]), -scores))
        scores, ids = scores[order], [ids[place] for place in order]
    return [ScoredDoc(id_, score) for id_, score in zip(ids, lowered(scores).tolist(), strict=True)]


def lowered(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores that go down or stay -> the highest that are no higher and go down at every place.

    Of 32-bit floats the bits, read as whole numbers, are ordered as the floats are (those of
    negative ones the other way round), and neighbours differ by one.
    """
    bits = scores.view(np.int32).astype(np.int64)
    numbers = np.where(bits < 0, _SIGN - bits, bits)
    places = np.arange(len(numbers))
    numbers = np.minimum.accumulate(numbers + places) - places
    bits = np.where(numbers < 0, _SIGN - numbers, numbers).astype(np.int32)
    return bits.view(np.float32)
