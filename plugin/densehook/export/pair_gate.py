"""The gate of encoders of pairs: token ids, scores, and the order of passages for each question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ..bundle import GoldenText
from ..encode import CrossEncoder, Encoder
from ..encode.session import Vector
from ..errors import ExportError, GateError
from .gate import apart
from .kinds import Parity
from .kinds.cross import RANKED, Pairs, judged_pairs, orders_agree
from .texts import AWKWARD, GOLDEN, PASSAGES, QUESTIONS, SCRIPTS, beyond, long_text

if TYPE_CHECKING:
    from .pair_reference import (
        PairIds,
        PairTokens,
    )  # which loads torch, and variants are made without

Pair = tuple[str, str]
Score = Callable[["PairIds"], float]
"""Of a reference, for the tokens of a pair."""

# a longer pair would make the self-test, run at every load, cost seconds
_LONGEST_GOLDEN = 512

_ASKED = QUESTIONS[:16]
_FEW = 4
"""Questions that awkward texts are paired with."""


def golden_pairs(tokens: PairTokens, score: Score) -> list[GoldenText]:
    """Pairs of many scripts, of the ends of the vocabulary, and such as are cut on either side."""
    query = QUESTIONS[0]
    long = long_text(tokens.max_tokens, _LONGEST_GOLDEN, lambda text: len(tokens.plain(text)))
    pairs = [(query, text) for text in (*GOLDEN, *tokens.edge_texts, long)]
    pairs += [(other, PASSAGES[0]) for other in (QUESTIONS[14], long)]
    ids = [tokens.pair_ids(*pair) for pair in pairs]
    return [
        GoldenText("document", text, each.ids, score(each), query=query)
        for (query, text), each in zip(pairs, ids, strict=True)
    ]


def run_pair_gate(encoder: Encoder, tokens: PairTokens, score: Score, whose: str) -> Parity:
    """Compares the graph, as it will be served, with a reference; raises GateError if they differ.

    The reference scores each pair alone, the graph scores them batched.
    """
    crossing = cast(CrossEncoder, encoder)
    pairs = _pairs(tokens.edge_texts)
    expected_ids = [tokens.pair_ids(*pair) for pair in pairs]
    long = beyond(crossing.manifest.max_tokens)
    cut = [(QUESTIONS[0], long), (long, PASSAGES[0]), (long, long)]
    for pair, ids in (
        *zip(pairs, expected_ids, strict=True),
        *((pair, tokens.pair_ids(*pair)) for pair in cut),
    ):
        found = crossing.tokenize_pairs([pair])[0]
        if (found.ids, list(found.types) or [0] * len(found.ids)) != (ids.ids, ids.types):
            differing = apart(found.ids, ids.ids)
            raise GateError(
                f"token ids differ from transformers' for {pair[0][:40]!r} with {pair[1][:40]!r}:"
                f" {differing}; no bundle was written"
            )
    expected = np.array([score(ids) for ids in expected_ids], dtype=np.float32)
    return _judged(crossing, pairs, expected, whose)


def near_pairs(
    given: PairTokens, score: Score, weights: PairTokens, by_weights: Score
) -> tuple[int, dict[str, float]]:
    """How many pairs a graph and a model scored, and how near the scores are.

    Raises ExportError where the model reads a pair otherwise.
    """
    pairs = _pairs(given.edge_texts)
    read = [given.pair_ids(*pair) for pair in pairs]
    for pair, ids in zip(pairs, read, strict=True):
        if weights.pair_ids(*pair).ids != ids.ids:
            raise ExportError(
                f"the model of --weights gives other token ids for {pair[0][:40]!r} with"
                f" {pair[1][:40]!r} than the graph's; name the folder of the model it was made of"
            )
    found, expected = (
        np.array([each(ids) for ids in read], dtype=np.float32) for each in (score, by_weights)
    )
    apart_by = np.abs(found - expected)
    return len(pairs), {
        "largest_difference": float(apart_by.max()),
        "mean_difference": float(apart_by.mean()),
        "orders_agree": orders_agree(Pairs(pairs, len(_ASKED), found, found, expected)),
    }


def gate_variant_of_pairs(variant: Encoder, plain: Encoder, golden: Sequence[GoldenText]) -> Parity:
    """Compares a variant's scores with the plain bundle's; raises GateError if it is too far."""
    pairs = _pairs([each.text for each in golden])
    crossing = cast(CrossEncoder, plain)
    return _judged(
        cast(CrossEncoder, variant), pairs, _alone(crossing, pairs), "the plain bundle's"
    )


def _pairs(more: Sequence[str]) -> list[Pair]:
    """First each question with the same passages, question by question, then others."""
    ranked = [(question, passage) for question in _ASKED for passage in PASSAGES[:RANKED]]
    others = list(dict.fromkeys([*AWKWARD, *SCRIPTS, *more]))
    return [*ranked, *((QUESTIONS[n % _FEW], text) for n, text in enumerate(others))]


def _alone(encoder: CrossEncoder, pairs: Sequence[Pair]) -> Vector:
    return np.concatenate([encoder.score_counted([pair]).scores for pair in pairs])


def _judged(encoder: CrossEncoder, pairs: Sequence[Pair], expected: Vector, whose: str) -> Parity:
    batched = encoder.score_counted(pairs).scores
    found = Pairs(pairs, len(_ASKED), batched, _alone(encoder, pairs), expected)
    return judged_pairs(encoder.manifest, found, whose)
