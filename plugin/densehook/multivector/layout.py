"""Token vectors in bytes, little-endian, described in docs/encoders.md.

    0     1      version of the layout: 1
    1     1      precision: 0 float32, 1 int8, 2 1bit
    2     2      dims
    4     4      tokens
    8            float32: the numbers, float32 [dims, tokens]
                 int8: a scale for each token, float32 [tokens]; then int8 [dims, tokens]
                 1bit: the mean of the tokens' vectors, float32 [dims]; a scale for each token,
                 float32 [tokens]; then bits [dims, tokens], each dim's in whole bytes, the first
                 token's lowest

A number is what is stored of it, times its token's scale, with the mean added: a bit says whether a
number is over the mean. All of a dim's numbers stand together, so that a query meets those of many
tokens at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..errors import VectorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    TokenVectors = NDArray[np.float32]

VERSION = 1
_HEADER = struct.Struct("<BBHI")
_FLOAT = 4


class Header(NamedTuple):
    """What a value says of itself."""

    precision: str
    dims: int
    tokens: int


class Precision(NamedTuple):
    """One way to store the numbers.

    ``size`` is how many bytes there are behind the header, of dims and tokens; ``pack`` takes
    float32 [tokens, dims], ``unpack`` gives that again, as near as it is stored.
    """

    code: int
    size: Callable[[int, int], int]
    pack: Callable[[TokenVectors], bytes]
    unpack: Callable[[bytes, int, int], TokenVectors]


def pack(vectors: TokenVectors, precision: str) -> bytes:
    """Float32 [tokens, dims] -> a value as fields hold it."""
    tokens, dims = vectors.shape
    chosen = PRECISIONS[precision]
    return _HEADER.pack(VERSION, chosen.code, dims, tokens) + chosen.pack(vectors)


def header_of(value: bytes) -> Header:
    """What a value says of itself. Raises VectorError for bytes that are none, or not whole."""
    if len(value) < _HEADER.size:
        raise VectorError(f"{len(value)} bytes are no token vectors: their header alone has 8")
    version, code, dims, tokens = _HEADER.unpack_from(value)
    if version != VERSION:
        raise VectorError(f"token vectors are of layout {version}; this densehook reads {VERSION}")
    name = next((name for name, each in PRECISIONS.items() if each.code == code), None)
    if name is None:
        raise VectorError(
            f"token vectors are of precision {code}; known: 0 to {len(PRECISIONS) - 1}"
        )
    wanted = _HEADER.size + PRECISIONS[name].size(dims, tokens)
    if dims == 0 or len(value) != wanted:
        raise VectorError(
            f"token vectors have {len(value)} bytes; {tokens} of {dims} dims in {name} have"
            f" {wanted}"
        )
    return Header(name, dims, tokens)


def unpack(value: bytes) -> TokenVectors:
    """A value -> float32 [tokens, dims]. Raises VectorError as ``header_of`` does."""
    header = header_of(value)
    return PRECISIONS[header.precision].unpack(value[_HEADER.size :], header.dims, header.tokens)


def _pack_float32(vectors: TokenVectors) -> bytes:
    return bytes(vectors.T.astype("<f4").tobytes())


def _unpack_float32(body: bytes, dims: int, tokens: int) -> TokenVectors:
    import numpy as np

    numbers = np.frombuffer(body, "<f4").reshape(dims, tokens)
    return np.asarray(numbers.T, dtype=np.float32, order="C")


def _pack_int8(vectors: TokenVectors) -> bytes:
    import numpy as np

    scales = (np.abs(vectors).max(axis=1, initial=0) / np.float32(127)).astype("<f4")
    steps = vectors / np.where(scales > 0, scales, 1)[:, None]
    return bytes(scales.tobytes() + np.rint(steps).T.astype(np.int8).tobytes())


def _unpack_int8(body: bytes, dims: int, tokens: int) -> TokenVectors:
    import numpy as np

    scales = np.frombuffer(body, "<f4", tokens)
    steps = np.frombuffer(body, np.int8, dims * tokens, _FLOAT * tokens).reshape(dims, tokens)
    return np.asarray((steps.astype(np.float32) * scales).T, dtype=np.float32, order="C")


def _pack_1bit(vectors: TokenVectors) -> bytes:
    import numpy as np

    mean = vectors.mean(axis=0, dtype=np.float64).astype("<f4") if len(vectors) else vectors.sum(0)
    apart = vectors - mean
    scales = np.abs(apart).mean(axis=1, dtype=np.float64).astype("<f4")
    bits = np.packbits((apart > 0).T, axis=1, bitorder="little")
    return bytes(mean.astype("<f4").tobytes() + scales.tobytes() + bits.tobytes())


def _unpack_1bit(body: bytes, dims: int, tokens: int) -> TokenVectors:
    import numpy as np

    mean = np.frombuffer(body, "<f4", dims)
    scales = np.frombuffer(body, "<f4", tokens, _FLOAT * dims)
    rows = np.frombuffer(body, np.uint8, offset=_FLOAT * (dims + tokens)).reshape(dims, -1)
    bits = np.unpackbits(rows, axis=1, count=tokens, bitorder="little")
    signs = bits.astype(np.float32) * 2 - 1
    return np.asarray((signs * scales + mean[:, None]).T, dtype=np.float32, order="C")


PRECISIONS: Mapping[str, Precision] = {
    "float32": Precision(
        0, lambda dims, tokens: _FLOAT * dims * tokens, _pack_float32, _unpack_float32
    ),
    "int8": Precision(1, lambda dims, tokens: (_FLOAT + dims) * tokens, _pack_int8, _unpack_int8),
    "1bit": Precision(
        2,
        lambda dims, tokens: _FLOAT * (dims + tokens) + dims * ((tokens + 7) // 8),
        _pack_1bit,
        _unpack_1bit,
    ),
}
"""Every way to store the numbers, by name."""
