"""The self-test: a bundle goes into service only when it gives its own golden vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..bundle import PRECISION_BOUNDS, Bundle, GoldenText, Manifest, Role
from ..errors import SelfTestError
from .session import Vectors
from .tokenizer import Tokens


class _Encoder(Protocol):
    manifest: Manifest

    def tokenize(self, texts: Sequence[str], role: Role) -> list[Tokens]: ...

    def encode_tokens(self, window: Sequence[Tokens]) -> Vectors: ...


def self_test(encoder: _Encoder, bundle: Bundle) -> None:
    """Encodes golden.json; raises SelfTestError at a token id or a vector that is not its own."""
    if reason := golden_objection(encoder, bundle.golden()):
        raise SelfTestError(f"{bundle.path}: {reason}; export the bundle again")


def golden_objection(encoder: _Encoder, golden: Sequence[GoldenText]) -> str:
    """What is not as in golden.json, token ids or a vector; empty when all is."""
    precision = encoder.manifest.precision
    bound = PRECISION_BOUNDS[precision]
    tokens = [encoder.tokenize([text.text], text.role)[0] for text in golden]
    for text, found in zip(golden, tokens, strict=True):
        if found.ids != list(text.ids):
            return (
                f"the tokenizer gives {_shown(found.ids)} for {text.text[:40]!r}, PyTorch's gave"
                f" {_shown(text.ids)}"
            )
    expected = np.array([text.vector for text in golden], dtype=np.float32)
    for text, cosine in zip(golden, cosines(encoder.encode_tokens(tokens), expected), strict=True):
        if not cosine >= bound:  # NaN must fail too
            return (
                f"cosine {cosine:.6f} to PyTorch's vector of {text.text[:40]!r} is under {bound}"
                f" for {precision}"
            )
    return ""


def cosines(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    """Row by row: float32 [n, dims] twice -> float64 [n]."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / norms)


def _shown(ids: Sequence[int]) -> str:
    head = ", ".join(str(i) for i in ids[:8])
    return f"[{head}, … {len(ids)} ids]" if len(ids) > 8 else f"[{head}]"
