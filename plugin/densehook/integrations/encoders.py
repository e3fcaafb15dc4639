"""The encoder that a tool is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, overload

from ..bundle import Dense

if TYPE_CHECKING:
    from ..elastic.remote import RemoteEncoder
    from ..encode import Encoder

    AnyEncoder: TypeAlias = Encoder | RemoteEncoder


@overload
def encoder_of(encoder: Encoder | Path | str) -> Encoder: ...
@overload
def encoder_of(encoder: AnyEncoder | Path | str) -> AnyEncoder: ...
def encoder_of(encoder: AnyEncoder | Path | str) -> AnyEncoder:
    """The encoder itself, or that of the bundle named; raises as ``densehook.load`` does.

    Tools take vectors: BundleError for an encoder that gives none.
    """
    if isinstance(encoder, str | Path):
        from ..encode import load

        encoder = load(encoder)
    encoder.manifest.of(Dense)
    return encoder
