"""Sparse: by the weights of each text, and by the neighbours that questions find with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...bundle import Manifest, Sparse
from ...bundle.kinds.sparse import SPARSE_COSINES, SPARSE_DIFFERENCES
from ...encode.kinds.sparse import cosine, difference, largest, similarity
from ...errors import GateError
from .compared import Compared

NEIGHBOURS = 10
_TIES = {"fp32": 1e-4, "fp16": 1e-2}
"""In parts of the score: nearer neighbours may change places; of fewer bits that is not asked."""
_BATCH_TOLERANCE = 1e-3

NEAREST = "lowest_cosine"


@dataclass(frozen=True)
class Parity:
    """How weights compare to those expected, and what is lost of those that are not kept.

    ``largest_difference`` and ``batched_difference`` are in parts of a text's largest weight.
    ``mean_terms`` are what texts have. ``mass_kept`` is the share of the sum of a text's weights
    that the largest ``max_terms`` have, ``lowest_mass_kept`` that of the text that loses most; and
    ``neighbours_kept`` the share of questions' nearest documents, by every weight, that are found
    by those that are kept.
    """

    texts: int
    token_ids_equal: bool
    lowest_cosine: float
    mean_cosine: float
    largest_difference: float
    neighbours_agree: float
    batched_difference: float
    mean_terms: float
    mass_kept: float
    lowest_mass_kept: float
    neighbours_kept: float

    @property
    def batch_dependent(self) -> bool:
        """Whether a text's weights depend on those that it is encoded together with."""
        return not self.batched_difference <= _BATCH_TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return asdict(self)


def said(measured: Mapping[str, Any]) -> str:
    """As ``Gate.said``."""
    return (
        f"{measured['texts']} texts: token ids equal,"
        f" largest difference {measured['largest_difference']:.1e} of a text's largest weight,"
        f" top-10 neighbours {measured['neighbours_agree']:.0%} the same; of the weights' sum"
        f" {measured['mass_kept']:.1%} is kept,"
        f" of the neighbours {measured['neighbours_kept']:.0%}"
    )


def judged(manifest: Manifest, compared: Compared, whose: str) -> Parity:
    """Every cosine, and in fp32 every weight, is as near as asked; in fp32, fp16 neighbours are."""
    most = manifest.of(Sparse).max_terms
    whole = compared.expected
    expected = _rows([largest(row, most) for row in whole])
    cosines = [cosine(*rows) for rows in zip(compared.batched, expected, strict=True)]
    kept = [_share(row, all_) for row, all_ in zip(expected, whole, strict=True)]
    tie = _TIES.get(manifest.precision, 0.0)
    parity = Parity(
        texts=len(compared.texts),
        token_ids_equal=True,
        lowest_cosine=min(cosines),
        mean_cosine=sum(cosines) / len(cosines),
        largest_difference=_apart(compared.batched, expected, most),
        neighbours_agree=_agreement(manifest, compared.batched, expected, compared.questions, tie),
        batched_difference=_apart(compared.batched, compared.alone, most),
        mean_terms=sum(map(len, compared.batched)) / len(compared.texts),
        mass_kept=sum(kept) / len(kept),
        lowest_mass_kept=min(kept),
        neighbours_kept=_agreement(manifest, expected, whole, compared.questions, tie),
    )
    worst = compared.texts[min(range(len(cosines)), key=cosines.__getitem__)][1]
    _judge(parity, manifest.precision, worst, whose)
    return parity


def _judge(parity: Parity, precision: str, worst: str, whose: str) -> None:
    bound = SPARSE_COSINES[precision]
    if not parity.lowest_cosine >= bound:  # NaN must fail too
        raise GateError(
            f"the {precision} graph is not {whose} equal: the weights of {worst[:40]!r} have cosine"
            f" {parity.lowest_cosine:.6f}, the bound is {bound}; no bundle was written"
        )
    most = SPARSE_DIFFERENCES.get(precision, math.inf)
    if not parity.largest_difference <= most:
        raise GateError(
            f"the {precision} graph is not {whose} equal: a weight differs by"
            f" {parity.largest_difference:.2g} of its text's largest, the bound is {most}; no"
            " bundle was written"
        )
    if precision in _TIES and parity.neighbours_agree < 1:
        raise GateError(
            f"only {parity.neighbours_agree:.1%} of the top-{NEIGHBOURS} neighbours are {whose};"
            " no bundle was written"
        )


def _rows(weights: Sequence[Any]) -> Any:
    rows = np.empty(len(weights), dtype=object)
    for n, each in enumerate(weights):
        rows[n] = each
    return rows


def _apart(found: Any, expected: Any, most: int) -> float:
    return max(difference(a, b, most) for a, b in zip(found, expected, strict=True))


def _share(kept: Any, whole: Any) -> float:
    return sum(kept.values()) / sum(whole.values()) if whole else 1.0


def _agreement(manifest: Manifest, found: Any, expected: Any, queries: int, tie: float) -> float:
    """Share of the nearest documents, over all queries, that both agree on.

    Documents that score nothing are nobody's neighbours.
    """
    theirs = similarity(manifest, expected[:queries], expected[queries:])
    own = similarity(manifest, found[:queries], found[queries:])
    agreed = wanted = 0
    for scores, row in zip(theirs, own, strict=True):
        count = min(NEIGHBOURS, int((scores > 0).sum()))
        if not count:
            continue
        least = np.sort(scores)[-count]
        nearest = np.argsort(-row, kind="stable")[:count]
        nearest = nearest[row[nearest] > 0]
        agreed += int((scores[nearest] >= least - tie * abs(least)).sum())
        wanted += count
    return agreed / wanted if wanted else 1.0
