"""What documents get for a vector field: the vector of a text, or one for each of its chunks."""

from __future__ import annotations

import sys
from array import array
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..chunk import Chunk
from ..errors import EncodeError, UnusableDocument
from ..hooks import VectorField
from ..types import EncodeStats

if TYPE_CHECKING:
    from ..encode import Encoder


CUT_CHARACTERS = 400_000
"""Of texts that are cut and encoded together: some 350 chunks of 256 tokens, 4 MB of vectors."""


@dataclass(frozen=True)
class Values:
    """For each text what is written for it, or why there is nothing, by its place."""

    values: Mapping[int, Any]
    failures: Mapping[int, EncodeError | UnusableDocument]
    encoded: EncodeStats


def values_of(
    encoder: Encoder,
    target: VectorField,
    texts: Sequence[tuple[str, str | None]],
    *,
    base64: bool,
) -> Values:
    """Texts of documents, with their prompts -> what they get for a field, all encoded together."""
    failures: dict[int, EncodeError | UnusableDocument] = {}
    spans: list[tuple[int, list[Chunk], range]] = []
    pieces: list[str] = []
    prompts: list[str | None] = []
    for place, (text, prompt) in enumerate(texts):
        chunks: list[Chunk] = []
        own = [text]
        if target.chunk is not None:
            try:
                chunks = encoder.cut(text, target.chunk, prompt)
            except UnusableDocument as error:
                failures[place] = error
                continue
            own = [chunk.of(text) for chunk in chunks]
        spans.append((place, chunks, range(len(pieces), len(pieces) + len(own))))
        pieces += own
        prompts += [prompt] * len(own)
    encoded = encoder.encode_each(pieces, "document", prompts)
    values: dict[int, Any] = {}
    for place, chunks, places in spans:
        if failed := [encoded.failures[each] for each in places if each in encoded.failures]:
            failures[place] = failed[0]
        else:
            vectors = [written(encoded.vectors[each], base64=base64) for each in places]
            values[place] = target.value_of(chunks, vectors)
    return Values(values, failures, encoded.stats)


def rewritten(target: VectorField, value: Any, *, base64: bool) -> Any:
    """What an index has for a document, as it is written again."""
    vectors = [written(vector, base64=base64) for vector in target.vectors_of(value)]
    return target.with_vectors(value, vectors)


def written(vector: Iterable[float], *, base64: bool) -> list[float] | str:
    """A vector as a request holds it: numbers, or base64 of big-endian float32."""
    numbers = array("f", vector)
    if not base64:
        return numbers.tolist()
    if sys.byteorder == "little":
        numbers.byteswap()
    return b64encode(numbers).decode()
