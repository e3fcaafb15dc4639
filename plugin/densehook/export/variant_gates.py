"""How a variant is judged against the plain bundle it was made of, by the kind of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..bundle import GoldenText, Manifest
from ..encode import Encoder
from .gate import gate_variant
from .image_gate import gate_variant_of_images
from .kinds import Parity, ParityOfHeads
from .number_gate import gate_variant_of_numbers
from .pair_gate import gate_variant_of_pairs

Judge = Callable[[Encoder, Encoder, Sequence[GoldenText]], Parity]
"""Of the variant, the plain one and its golden texts; raises GateError if it is too far."""

VARIANT_GATES: Mapping[str, Judge] = {
    "cross": gate_variant_of_pairs,
    "image-text": gate_variant_of_images,
    "numbers": gate_variant_of_numbers,
}
"""By kind, where texts alone have nothing to be judged by."""


def variant_gate(manifest: Manifest) -> Judge:
    """What judges variants of encoders like this."""
    has_heads = len(manifest.token_heads) > 1
    return _gate_heads if has_heads else VARIANT_GATES.get(manifest.kind, gate_variant)


def _gate_heads(variant: Encoder, plain: Encoder, golden: Sequence[GoldenText]) -> Parity:
    also = {
        kind: gate_variant(variant.of_kind(kind), plain.of_kind(kind), golden)
        for kind in variant.manifest.also
    }
    return ParityOfHeads(gate_variant(variant, plain, golden), also)
