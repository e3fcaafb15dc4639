"""The gate: an export goes out only when it is PyTorch's equal, a variant when it is near enough.

Token ids must be the same, and what the graph gives as near to what is expected as its kind and its
precision ask. What was measured is written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np

from ..bundle import PRECISION_BOUNDS, Bundle, GoldenText, Role
from ..encode import Encoder, Vectors, cosines
from ..encode.selftest import golden_objection, image_objection
from ..encode.tokenizer import Tokens
from ..errors import EncodeError, GateError
from .kinds import GATES, Parity
from .kinds.compared import Compared
from .texts import AWKWARD, PASSAGES, QUESTIONS, SCRIPTS, beyond, long_text

_LONGEST_COMPARED = 8192
"""Tokens; of a longer text the attention alone, written out, would take tens of gigabytes."""


class Expected(Protocol):
    """What a graph is compared with: PyTorch, or the graph as it was before anything was added."""

    @property
    def edge_texts(self) -> Sequence[str]:
        """Texts of the ends of the vocabulary, and of added tokens."""

    def tokenize(self, settings: Any, role: Role, text: str) -> list[int]:
        """Token ids of the prompted text, cut to the limit."""

    def encode(self, settings: Any, role: Role, ids: list[int]) -> Any:
        """What one text comes to, unbatched; ``settings`` are those of its kind."""


class ExpectedInSpans(Expected, Protocol):
    """The same where parts of a text have vectors."""

    def encode_spans(self, settings: Any, ids: list[int], spans: Sequence[tuple[int, int]]) -> Any:
        """What the parts of one text come to."""


def run_gate(
    encoder: Encoder, reference: Expected, settings: Any, whose: str = "PyTorch's"
) -> Parity:
    """Compares the graph, as it will be served, with PyTorch; raises GateError if they differ.

    PyTorch encodes each text alone, the graph encodes them batched, so that padding and packing are
    judged too; how far batched is from alone is measured beside it.
    """
    if not any(reference.tokenize(settings, "query", text) for text in QUESTIONS):
        raise GateError(
            f"the tokenizer finds no token in any of {len(QUESTIONS)} questions in many scripts, so"
            " that there are no vectors to compare; give it an unknown token"
        )
    every = _texts(encoder, [("document", text) for text in reference.edge_texts])
    ids_of = {each: reference.tokenize(settings, *each) for each in every}
    texts = [each for each in every if ids_of[each]]  # of a blank text there may be no token
    expected_ids = [ids_of[each] for each in texts]
    whole: tuple[Role, str] = ("document", beyond(settings.max_tokens))
    for (role, text), ids in (
        *zip(texts, expected_ids, strict=True),
        (whole, reference.tokenize(settings, *whole)),
    ):
        found = encoder.tokenize([text], role)[0].ids
        if found != ids:
            raise GateError(
                f"token ids differ from transformers' for {text[:40]!r}:"
                f" {apart(found, ids)}; no bundle was written"
            )
    expected = encoder.blank(len(texts))
    for place, ((role, _), ids) in enumerate(zip(texts, expected_ids, strict=True)):
        expected[place] = reference.encode(settings, role, ids)
    parity = compared_with(encoder, texts, expected, whose)
    if encoder.manifest.knows_spans:
        tokens = _with_spans(encoder)
        of = cast(ExpectedInSpans, reference)
        spans = [of.encode_spans(settings, each.ids, each.spans) for each in tokens]
        _require_spans(encoder, tokens, spans, whose)
    return parity


def gate_variant(variant: Encoder, plain: Encoder, golden: Sequence[GoldenText]) -> Parity:
    """Compares a variant with the plain bundle it was made of; raises GateError if it is too far.

    Their tokenizer is one file, whose ends the golden texts know. The plain bundle encodes each
    text alone.
    """
    texts = _readable(plain, golden)
    parity = compared_with(variant, texts, _alone(plain, texts), "the plain bundle's")
    if variant.manifest.knows_spans:
        tokens = _with_spans(plain)
        spans = [plain.encode_spans_of([each])[0][0] for each in tokens]
        _require_spans(variant, tokens, spans, "the plain bundle's")
    return parity


def gate_transformed(
    transformed: Encoder,
    plain: Encoder,
    golden: Sequence[GoldenText],
    transform: Callable[[Any], Any],
) -> Parity:
    """Compares a graph with what a transform makes of the plain bundle's rows, each text alone.

    Raises GateError if it is too far.
    """
    texts = _readable(plain, golden)
    return compared_with(transformed, texts, transform(_alone(plain, texts)), "the transform's")


def gate_golden(encoder: Encoder, bundle: Bundle) -> None:
    """Raises GateError for a graph that every load would refuse by its self-test."""
    if reason := golden_objection(encoder, bundle):
        raise GateError(f"the graph fails the self-test: {reason}; no bundle was written")


def gate_golden_images(encoder: Encoder, bundle: Bundle) -> None:
    """The same of images."""
    if reason := image_objection(encoder, bundle):
        raise GateError(f"the graph fails the self-test: {reason}; no bundle was written")


def _with_spans(encoder: Encoder) -> list[Tokens]:
    """Passages in parts of many lengths, one of them within another."""
    found = []
    for each in encoder.tokenize(PASSAGES, "document"):
        third, end = len(each.ids) // 3, len(each.ids)
        found.append(each._replace(spans=[(0, third or 1), (third, end), (end - 1, end), (0, end)]))
    return found


def _require_spans(
    encoder: Encoder, tokens: Sequence[Tokens], expected: Sequence[Vectors], whose: str
) -> None:
    """Raises GateError unless the vectors of parts of texts, batched, are those expected."""
    vectors, failures = encoder.encode_spans_of(tokens)
    if failures:
        raise next(iter(failures.values()))
    found = np.concatenate([vectors[place] for place in range(len(tokens))])
    lowest = float(cosines(found, np.concatenate(expected)).min())
    bound = PRECISION_BOUNDS[encoder.manifest.precision]
    if not lowest >= bound:
        raise GateError(
            f"the {encoder.manifest.precision} graph's vectors of parts of texts are not {whose}:"
            f" cosine {lowest:.6f}, the bound is {bound}; no bundle was written"
        )


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


def _readable(encoder: Encoder, golden: Sequence[GoldenText]) -> list[tuple[Role, str]]:
    """The same with the golden texts, without those of which there is no token."""
    texts = _texts(encoder, [(each.role, each.text) for each in golden])
    return [(role, text) for role, text in texts if _is_readable(encoder, role, text)]


def _is_readable(encoder: Encoder, role: Role, text: str) -> bool:
    try:
        encoder.tokenize([text], role)
    except EncodeError:
        return False
    return True


def apart(found: Sequence[int], expected: Sequence[int]) -> str:
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


def _alone(encoder: Encoder, texts: Sequence[tuple[Role, str]]) -> Any:
    return np.concatenate([encoder.encode_counted([text], role).vectors for role, text in texts])


def compared_with(
    encoder: Encoder, texts: Sequence[tuple[Role, str]], expected: Any, whose: str
) -> Parity:
    """Texts, batched and each alone, against the rows that are expected of them.

    Raises GateError where they are not near enough.
    """
    questions = [text for role, text in texts if role == "query"]
    documents = [text for role, text in texts if role == "document"]
    batched = np.concatenate(
        [
            encoder.encode_counted(questions, "query").vectors,
            encoder.encode_counted(documents, "document").vectors,
        ]
    )
    compared = Compared(texts, batched, _alone(encoder, texts), expected)
    return GATES[encoder.manifest.kind].judged(encoder.manifest, compared, whose)
