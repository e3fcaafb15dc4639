"""What documents get for a vector field: the vector of a text, or one for each of its chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..chunk import Chunk
from ..errors import EncodeError, UnusableDocument
from ..hooks import VectorField
from ..types import EncodeStats

if TYPE_CHECKING:
    from ..encode import EncodedEach, Encoder, Vectors


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
    """Texts of documents, with their prompts, or images -> what they get for a field."""
    if target.text.modality == "image":
        return _of_images(encoder, [target], [text for text, _ in texts], base64=base64)[0]
    encoder = target.own(encoder)
    failures: dict[int, EncodeError | UnusableDocument] = {}
    cuts: dict[int, list[Chunk]] = {}
    short = 0
    for place, (text, prompt) in enumerate(texts):
        cuts[place] = [Chunk(0, len(text), text)]
        if target.chunk is not None:
            try:
                cuts[place], is_short = encoder.cut(text, target.chunk, prompt)
            except UnusableDocument as error:
                failures[place] = error
                del cuts[place]
                continue
            short += is_short
    is_late = target.chunk is not None and target.chunk.is_late
    encoded = (_in_windows if is_late else _each_alone)(encoder, texts, cuts)
    failures |= encoded.failures
    written = target.format.written
    values = {
        place: target.value_of(cuts[place], [written(vector, base64=base64) for vector in vectors])
        for place, vectors in encoded.vectors.items()
    }
    return Values(values, failures, replace(encoded.stats, short_texts=short))


def values_of_fields(
    encoder: Encoder,
    targets: Sequence[VectorField],
    texts: Sequence[tuple[str, str | None]],
    *,
    base64: bool,
) -> list[Values]:
    """As ``values_of``, for fields of as many kinds that one run fills: those of each."""
    if targets[0].text.modality == "image":
        return _of_images(encoder, targets, [text for text, _ in texts], base64=base64)
    if len(targets) == 1:
        return [values_of(encoder, targets[0], texts, base64=base64)]
    encoded = encoder.encode_each_of_kinds(
        [text for text, _ in texts],
        "document",
        _kinds_of(targets, encoder),
        [prompt for _, prompt in texts],
    )
    return _written(targets, encoded, base64=base64)


def _of_images(
    encoder: Encoder, targets: Sequence[VectorField], images: Sequence[str], *, base64: bool
) -> list[Values]:
    encoded = encoder.encode_each_image_of_kinds(images, _kinds_of(targets, encoder))
    return _written(targets, encoded, base64=base64)


def _kinds_of(targets: Sequence[VectorField], encoder: Encoder) -> list[str]:
    return [target.own(encoder).manifest.kind for target in targets]


def _written(
    targets: Sequence[VectorField], encoded: Sequence[EncodedEach], *, base64: bool
) -> list[Values]:
    """What one run gave for each of the fields, as they hold it."""
    return [
        Values(
            {
                place: target.format.written(row, base64=base64)
                for place, row in enumerate(rows.vectors)
                if place not in rows.failures
            },
            rows.failures,
            rows.stats,
        )
        for target, rows in zip(targets, encoded, strict=True)
    ]


@dataclass(frozen=True)
class _Encoded:
    """By the places of texts: the vectors of their chunks, or why there are none."""

    vectors: Mapping[int, Sequence[Any]]
    failures: Mapping[int, EncodeError]
    stats: EncodeStats


def _each_alone(
    encoder: Encoder,
    texts: Sequence[tuple[str, str | None]],
    cuts: Mapping[int, Sequence[Chunk]],
) -> _Encoded:
    contents = [chunk.content for chunks in cuts.values() for chunk in chunks]
    prompts = [texts[place][1] for place, chunks in cuts.items() for _ in chunks]
    encoded = encoder.encode_each(contents, "document", prompts)
    counts = {place: len(chunks) for place, chunks in cuts.items()}
    return _put_together(counts, encoded.vectors, encoded.failures, encoded.stats)


def _in_windows(
    encoder: Encoder,
    texts: Sequence[tuple[str, str | None]],
    cuts: Mapping[int, Sequence[Chunk]],
) -> _Encoded:
    found = {}
    for place, chunks in cuts.items():
        text, prompt = texts[place]
        found[place] = encoder.windows(text, chunks, prompt)
    prompts = [texts[place][1] for place, own in found.items() for _ in own]
    encoded = encoder.encode_windows([each for own in found.values() for each in own], prompts)
    counts = {place: len(own) for place, own in found.items()}
    by_window = _put_together(counts, encoded.vectors, encoded.failures, encoded.stats)
    vectors = {
        place: [vector for window in own for vector in window]
        for place, own in by_window.vectors.items()
    }
    return replace(by_window, vectors=vectors)


def _put_together(
    counts: Mapping[int, int],
    pieces: Sequence[Any] | Mapping[int, Any] | Vectors,
    failed: Mapping[int, EncodeError],
    stats: EncodeStats,
) -> _Encoded:
    """What was encoded as one list, so much of it for each text; one failure fails its text."""
    vectors: dict[int, Sequence[Any]] = {}
    failures: dict[int, EncodeError] = {}
    first = 0
    for place, count in counts.items():
        own = range(first, first + count)
        first += count
        if reasons := [failed[each] for each in own if each in failed]:
            failures[place] = reasons[0]
        else:
            vectors[place] = [pieces[each] for each in own]
    return _Encoded(vectors, failures, stats)


def rewritten(target: VectorField, value: Any, *, base64: bool) -> Any:
    """What an index has for a document, as it is written again."""
    written = target.format.written
    vectors = [written(vector, base64=base64) for vector in target.vectors_of(value)]
    return target.with_vectors(value, vectors)
