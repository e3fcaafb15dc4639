"""The self-test: a bundle goes into service only when it gives its own golden outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..bundle import Bundle, GoldenText, Manifest
from ..bundle.manifest import ROLES
from ..errors import EncodeError, SelfTestError
from .encoded import EncodedEach
from .kinds import OUTPUTS
from .session import Vectors
from .tokenizer import Tokens


class _Encoder(Protocol):
    manifest: Manifest

    def tower(self, role: str | None) -> _Encoder: ...

    def golden_tokens(self, golden: GoldenText) -> Tokens: ...

    def encode_each_image_of_kinds(
        self, images: Sequence[str], kinds: Sequence[str]
    ) -> Sequence[EncodedEach]: ...

    def encode_tokens_of_kinds(
        self, window: Sequence[Tokens], kinds: Sequence[str]
    ) -> Sequence[Vectors]: ...


def self_test(encoder: _Encoder, bundle: Bundle) -> None:
    """Encodes golden.json; raises SelfTestError at a token id or an output not its own."""
    reason = golden_objection(encoder, bundle) or image_objection(encoder, bundle)
    if reason:
        raise SelfTestError(f"{bundle.path}: {reason}; export the bundle again")


def golden_objection(encoder: _Encoder, bundle: Bundle) -> str:
    """What is not as in golden.json, token ids or an output; empty when all is."""
    golden = {kind: bundle.of_kind(kind).golden() for kind in bundle.manifest.token_heads}
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
    kinds = list(encoder.manifest.token_heads)  # a tower of queries may be of another kind
    try:
        rows = encoder.encode_tokens_of_kinds(tokens, kinds)
    except EncodeError as error:  # an output that is no number
        return str(error)
    objections = (
        OUTPUTS[kind].golden_objection(encoder.manifest.of_kind(kind), own, of_kind)
        for kind, own, of_kind in zip(kinds, rows, golden.values(), strict=True)
    )
    return next(filter(None, objections), "")


def _shown(ids: Sequence[int]) -> str:
    head = ", ".join(str(i) for i in ids[:8])
    return f"[{head}, … {len(ids)} ids]" if len(ids) > 8 else f"[{head}]"


def image_objection(encoder: _Encoder, bundle: Bundle) -> str:
    """Which golden image has not its own outputs; empty when all have."""
    golden = {kind: bundle.of_kind(kind).golden_images() for kind in bundle.manifest.image_heads}
    if not golden:
        return ""
    images = [each.image for each in next(iter(golden.values()))]
    encoded = encoder.encode_each_image_of_kinds(images, list(golden))
    for (kind, own), rows in zip(golden.items(), encoded, strict=True):
        if rows.failures:
            return str(rows.failures[min(rows.failures)])
        named = [
            GoldenText("document", f"image {n}", [], each.output) for n, each in enumerate(own)
        ]
        manifest = encoder.manifest.of_kind(kind)
        if reason := OUTPUTS[kind].golden_objection(manifest, rows.vectors, named):
            return reason
    return ""
