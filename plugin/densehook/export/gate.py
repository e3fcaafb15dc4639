"""The gate: an export goes out only when it is PyTorch's equal, a variant when it is near enough.

Token ids must be the same, every cosine at or over the precision's bound, and, where the bits are
those of floating point, the ten nearest neighbours of each question the same. What was measured is
written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundle import PRECISION_BOUNDS, GoldenText, Role
from ..encode import Encoder, cosines
from ..encode.selftest import golden_objection
from ..errors import GateError
from .folder import Settings
from .reference import Reference
from .texts import AWKWARD, PASSAGES, QUESTIONS, SCRIPTS, beyond, long_text

NEIGHBOURS = 10
_TIES = {"fp32": 1e-5, "fp16": 1e-3}
"""Neighbours closer in score than this may change places; of fewer bits that is not asked."""
_LONGEST_COMPARED = 8192
"""Tokens; of a longer text the attention alone, written out, would take tens of gigabytes."""
_BATCH_TOLERANCE = 1e-3
"""Rounding makes the numbers of a vector differ by less; a scale taken from a batch by far more."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Parity:
    """How the graph compares to PyTorch; the content of parity.json."""

    texts: int
    token_ids_equal: bool
    lowest_cosine: float
    mean_cosine: float
    largest_difference: float
    neighbours_agree: float
    batched_difference: float

    @property
    def batch_dependent(self) -> bool:
        """Whether a text's vector depends on those that it is encoded together with."""
        return not self.batched_difference <= _BATCH_TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return asdict(self)


def run_gate(encoder: Encoder, reference: Reference, settings: Settings) -> Parity:
    """Compares the graph, as it will be served, with PyTorch; raises GateError if they differ.

    PyTorch encodes each text alone, the graph encodes them batched, so that padding and packing are
    judged too; how far batched is from alone is measured beside it.
    """
    texts = _texts(encoder, [("document", text) for text in reference.edge_texts])
    expected_ids = [reference.tokenize(settings, role, text) for role, text in texts]
    whole: tuple[Role, str] = ("document", beyond(settings.max_tokens))
    for (role, text), ids in (
        *zip(texts, expected_ids, strict=True),
        (whole, reference.tokenize(settings, *whole)),
    ):
        found = encoder.tokenize([text], role)[0].ids
        if found != ids:
            raise GateError(
                f"token ids differ from transformers' for {text[:40]!r}:"
                f" {_apart(found, ids)}; no bundle was written"
            )
    expected = np.stack(
        [
            reference.encode(settings, role, ids)
            for (role, _), ids in zip(texts, expected_ids, strict=True)
        ]
    )
    return _compared(encoder, texts, expected, "PyTorch's")


def gate_variant(variant: Encoder, plain: Encoder, golden: Sequence[GoldenText]) -> Parity:
    """Compares a variant with the plain bundle it was made of; raises GateError if it is too far.

    Their tokenizer is one file, whose ends the golden texts know. The plain bundle encodes each
    text alone.
    """
    texts = _texts(plain, [(each.role, each.text) for each in golden])
    return _compared(variant, texts, _alone(plain, texts), "the plain bundle's")


def gate_transformed(
    transformed: Encoder,
    plain: Encoder,
    golden: Sequence[GoldenText],
    transform: Callable[[Vectors], Vectors],
) -> Parity:
    """Compares a graph with what a transform makes of the plain bundle's vectors, each text alone.

    Raises GateError if it is too far.
    """
    texts = _texts(plain, [(each.role, each.text) for each in golden])
    return _compared(transformed, texts, transform(_alone(plain, texts)), "the transform's")


def gate_golden(encoder: Encoder, golden: Sequence[GoldenText]) -> None:
    """Raises GateError for a graph that every load would refuse by its self-test."""
    if reason := golden_objection(encoder, golden):
        raise GateError(f"the graph fails the self-test: {reason}; no bundle was written")


def _texts(encoder: Encoder, more: Sequence[tuple[Role, str]]) -> list[tuple[Role, str]]:
    """Questions first, then documents: our own, some more, and one as long as can be."""

    def count(text: str) -> int:
        tokens = encoder.tokenize([text], "document")[0]
        return len(tokens.ids) + tokens.lost

    longest = long_text(encoder.manifest.max_tokens, _LONGEST_COMPARED, count)
    documents = [
        *PASSAGES,
        *AWKWARD,
        *SCRIPTS,
        *(text for role, text in more if role == "document"),
        longest,
    ]
    return [
        *(("query", text) for text in QUESTIONS),
        *(("document", text) for text in dict.fromkeys(documents)),
    ]


def _apart(found: Sequence[int], expected: Sequence[int]) -> str:
    """Where two lists of ids part, and with what."""
    at = next(
        (i for i, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b),
        min(len(found), len(expected)),
    )
    around = slice(max(0, at - 2), at + 3)
    return (
        f"at token {at} of {len(expected)} the bundle has {list(found[around])},"
        f" transformers {list(expected[around])}"
    )


def _alone(encoder: Encoder, texts: Sequence[tuple[Role, str]]) -> Vectors:
    return np.vstack([encoder.encode_counted([text], role).vectors for role, text in texts])


def _compared(
    encoder: Encoder, texts: Sequence[tuple[Role, str]], expected: Vectors, whose: str
) -> Parity:
    documents = [text for role, text in texts if role == "document"]
    batched = np.vstack(
        [
            encoder.encode_counted(QUESTIONS, "query").vectors,
            encoder.encode_counted(documents, "document").vectors,
        ]
    )
    similar = cosines(batched, expected)
    tie = _TIES.get(encoder.manifest.precision, 0.0)
    parity = Parity(
        texts=len(texts),
        token_ids_equal=True,
        lowest_cosine=float(similar.min()),
        mean_cosine=float(similar.mean()),
        largest_difference=float(np.abs(batched - expected).max()),
        neighbours_agree=_agreement(batched, expected, len(QUESTIONS), tie),
        batched_difference=float(np.abs(batched - _alone(encoder, texts)).max()),
    )
    _judge(parity, encoder.manifest.precision, texts[int(similar.argmin())][1], whose)
    return parity


def _judge(parity: Parity, precision: str, worst: str, whose: str) -> None:
    bound = PRECISION_BOUNDS[precision]
    if not parity.lowest_cosine >= bound:  # NaN must fail too
        raise GateError(
            f"the {precision} graph is not {whose} equal: cosine {parity.lowest_cosine:.6f} for"
            f" {worst[:40]!r}, the bound is {bound}; no bundle was written"
        )
    if precision in _TIES and parity.neighbours_agree < 1:
        raise GateError(
            f"only {parity.neighbours_agree:.1%} of the top-{NEIGHBOURS} neighbours are {whose};"
            " no bundle was written"
        )


def _agreement(found: Vectors, expected: Vectors, queries: int, tie: float) -> float:
    """Share of the nearest documents, over all queries, that both spaces agree on."""
    agreed = 0
    for query in range(queries):
        scores = expected[queries:] @ expected[query]
        tenth = np.sort(scores)[-NEIGHBOURS]
        nearest = np.argsort(-(found[queries:] @ found[query]), kind="stable")[:NEIGHBOURS]
        agreed += int((scores[nearest] >= tenth - tie).sum())
    return agreed / (queries * NEIGHBOURS)
