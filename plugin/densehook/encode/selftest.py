"""The self-test: a bundle goes into service only when it gives its own golden vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..bundle import PRECISION_BOUNDS, Bundle, Role
from ..errors import SelfTestError
from .session import Vectors
from .tokenizer import Tokens


class _Encoder(Protocol):
    def tokenize(self, texts: Sequence[str], role: Role) -> list[Tokens]: ...

    def encode_tokens(self, window: Sequence[Tokens]) -> Vectors: ...


def self_test(encoder: _Encoder, bundle: Bundle) -> None:
    """Encodes golden.json; raises SelfTestError at a token id or a vector that is not its own."""
    bound = PRECISION_BOUNDS[bundle.manifest.precision]
    golden = bundle.golden()
    tokens = [encoder.tokenize([text.text], text.role)[0] for text in golden]
    for text, (ids, _) in zip(golden, tokens, strict=True):
        if ids != list(text.ids):
            raise SelfTestError(
                f"{bundle.path}: the tokenizer gives {_shown(ids)} for {text.text[:40]!r},"
                f" PyTorch's gave {_shown(text.ids)}; export the bundle again"
            )
    expected = np.array([text.vector for text in golden], dtype=np.float32)
    for text, cosine in zip(golden, cosines(encoder.encode_tokens(tokens), expected), strict=True):
        if not cosine >= bound:  # NaN must fail too
            raise SelfTestError(
                f"{bundle.path}: cosine {cosine:.6f} to PyTorch's vector of {text.text[:40]!r} is"
                f" under {bound} for {bundle.manifest.precision}; export the bundle again"
            )


def cosines(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    """Row by row: float32 [n, dims] twice -> float64 [n]."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / norms)


def _shown(ids: Sequence[int]) -> str:
    head = ", ".join(str(i) for i in ids[:8])
    return f"[{head}, … {len(ids)} ids]" if len(ids) > 8 else f"[{head}]"
