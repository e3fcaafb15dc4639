"""The self-test: a bundle goes into service only when it gives its own golden outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ..bundle import PRECISION_BOUNDS, Bundle, GoldenImage, GoldenText, Manifest
from ..bundle.manifest import ROLES
from ..errors import SelfTestError
from .kinds import OUTPUTS
from .kinds.dense import cosines
from .session import Vectors
from .tokenizer import Tokens


class _Encoder(Protocol):
    manifest: Manifest

    def tower(self, role: str | None) -> _Encoder: ...

    def golden_tokens(self, golden: GoldenText) -> Tokens: ...

    def encode_images(self, images: Sequence[str]) -> Vectors: ...

    def encode_tokens_of_kinds(
        self, window: Sequence[Tokens], kinds: Sequence[str]
    ) -> Sequence[Vectors]: ...


def self_test(encoder: _Encoder, bundle: Bundle) -> None:
    """Encodes golden.json; raises SelfTestError at a token id or an output not its own."""
    reason = golden_objection(encoder, bundle) or image_objection(encoder, bundle.golden_images())
    if reason:
        raise SelfTestError(f"{bundle.path}: {reason}; export the bundle again")


def golden_objection(encoder: _Encoder, bundle: Bundle) -> str:
    """What is not as in golden.json, token ids or an output; empty when all is."""
    golden = {kind: bundle.of_kind(kind).golden() for kind in bundle.manifest.heads}
    for role in ROLES:
        own = {
            kind: [text for text in texts if text.role == role] for kind, texts in golden.items()
        }
        if any(own.values()) and (reason := _objection(encoder.tower(role), own)):
            return reason
    return ""


def _objection(encoder: _Encoder, golden: Mapping[str, Sequence[GoldenText]]) -> str:
    texts = next(iter(golden.values()))
    tokens = [encoder.golden_tokens(text) for text in texts]
    for text, found in zip(texts, tokens, strict=True):
        if found.ids != list(text.ids):
            return (
                f"the tokenizer gives {_shown(found.ids)} for {text.text[:40]!r}, PyTorch's gave"
                f" {_shown(text.ids)}"
            )
    kinds = list(encoder.manifest.heads)  # a tower of queries may be of another kind
    rows = encoder.encode_tokens_of_kinds(tokens, kinds)
    objections = (
        OUTPUTS[kind].golden_objection(encoder.manifest.of_kind(kind), own, of_kind)
        for kind, own, of_kind in zip(kinds, rows, golden.values(), strict=True)
    )
    return next(filter(None, objections), "")


def _shown(ids: Sequence[int]) -> str:
    head = ", ".join(str(i) for i in ids[:8])
    return f"[{head}, … {len(ids)} ids]" if len(ids) > 8 else f"[{head}]"


def image_objection(encoder: _Encoder, golden: Sequence[GoldenImage]) -> str:
    """Which golden image has not its own vector; empty when all have."""
    if not golden:
        return ""
    bound = PRECISION_BOUNDS[encoder.manifest.precision]
    expected = np.array([image.output for image in golden], dtype=np.float32)
    found = encoder.encode_images([image.image for image in golden])
    for place, cosine in enumerate(cosines(found, expected)):
        if not cosine >= bound:  # NaN must fail too
            return f"cosine {cosine:.6f} to PyTorch's vector of image {place} is under {bound}"
    return ""
