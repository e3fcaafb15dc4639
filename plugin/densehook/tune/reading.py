"""What of a collection an encoder is judged by: its texts, or what a field of documents holds."""

from __future__ import annotations

from dataclasses import replace

from ..bundle import MANY, Manifest
from ..collections import Collection, Sample, sample, sample_of
from ..errors import BundleError, CollectionError, EncodeError, UnusableDocument
from ..hooks import Modality, TextRule, text_of
from ..images import content_of, read_header
from ..number_lists import list_in_json, text_of_numbers
from ..types import Document, QueryId


def sample_for(
    manifest: Manifest, collection: Collection, limit: int, field: str | None, modality: Modality
) -> Sample:
    """As ``sample``, of what such an encoder reads.

    Without a ``field`` those are texts. With one it is images, in base64 or as data URLs, which
    texts find; or lists of numbers, and then queries are lists, as JSON has them. Raises
    BundleError where the encoder is judged otherwise, CollectionError where no document has the
    field, or something else in it.
    """
    _require_judged_by(manifest, field, modality)
    if field is None:
        return sample(collection, manifest.joiner, limit)
    rule = replace(TextRule.joining([field]), modality=modality)

    def read(document: Document) -> str | None:
        try:
            held = text_of(document, rule)[0]
            if held and modality == "image":
                read_header(content_of(held))
            return held or None
        except (EncodeError, UnusableDocument) as error:
            raise CollectionError(
                f"collection {collection.name}, document {document.id!r}: {error}"
            ) from None

    found = sample_of(collection, read, limit)
    if not found.documents:
        raise CollectionError(
            f"no document of collection {collection.name} has a field {field!r} of"
            f" {MANY[modality]}; name another"
        )
    if modality == "image":
        return found
    queries = {id_: _list(id_, text) for id_, text in found.queries.items()}
    return replace(found, queries=queries)


def _require_judged_by(manifest: Manifest, field: str | None, modality: Modality) -> None:
    """Raises BundleError where something else is to be named."""
    judged_by = manifest.modalities[-1]  # what texts find, where that is something else
    if modality == judged_by and (field is not None or modality == "text"):
        return
    if field is not None:
        manifest.require_modality(modality)
    raise BundleError(
        f"encoder {manifest.name!r} of kind {manifest.kind!r} is judged by the {MANY[judged_by]}"
        f" that are found; name the field of the collection's documents that holds them:"
        f" --{judged_by}, or field= with modality={judged_by!r}"
    )


def _list(id_: QueryId, text: str) -> str:
    """A query's list of numbers, as encoders take it."""
    try:
        return text_of_numbers(list_in_json(text))
    except EncodeError as error:
        raise CollectionError(
            f"query {id_!r} must be a list of numbers, such as [0.5, 1]: {error}"
        ) from None
