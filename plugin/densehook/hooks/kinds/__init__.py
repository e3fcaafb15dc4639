"""The field that each kind writes to, and how it is searched: dict in, dict out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ...bundle import Manifest
from ...errors import RequestError
from . import dense, sparse
from .multi import UNCHUNKED, TokenField

Filters = Sequence[Mapping[str, Any]]
"""Queries that a document must match, without a score."""


class Field(Protocol):
    """A kind's module here."""

    TYPE: str
    """The type of its fields in a mapping."""
    LIST: str
    """What searches call the list of its hits: a mode of search, and a list of hybrid search."""
    USUAL_NAME: str
    """What its field is called beside those of other kinds, unless another name is chosen."""
    SHOWS_CHUNKS: bool
    """Whether hits can come with the chunks that are most like the query."""
    TEXT_QUERY: str
    """The plugin's query that reads in the mappings whose outputs a field has."""
    INDEX_TYPES: tuple[str, ...]
    """The ways to index one, the usual one first."""

    def mapping(self, manifest: Manifest, index_type: str) -> dict[str, Any]:
        """The mapping of a field for this encoder's outputs."""

    def objection(self, mapping: Mapping[str, Any], manifest: Manifest) -> str:
        """Why a field of that mapping cannot hold this encoder's outputs; empty when it can."""

    def written(self, output: Any, *, base64: bool) -> Any:
        """An encoder's output as a document holds it; as short as can be, where ``base64`` may be.

        Also of what ``parsed`` gave.
        """

    def parsed(self, value: Any) -> Any:
        """What a document holds, as ``written`` takes it; None for what is no such output."""

    def are_one(self, one: Any, other: Any) -> bool:
        """Whether two values of documents are one output, written out and read again."""

    def request(
        self,
        field: str,
        output: Any,
        size: int,
        num_candidates: int | None = None,
        filters: Filters = (),
    ) -> dict[str, Any]:
        """A search by what an encoder here made of a query, ``size`` hits."""

    def text_request(
        self,
        field: str,
        text: str,
        encoder: str,
        size: int,
        num_candidates: int | None = None,
        filters: Filters = (),
        instruction: str | None = None,
    ) -> dict[str, Any]:
        """A search whose query the cluster's plugin encodes, ``size`` hits.

        ``instruction`` is the query's own; RequestError where encoders of the kind take none.
        """

    def bridged_request(
        self,
        field: str,
        text: str,
        size: int,
        num_candidates: int | None = None,
        filters: Filters = (),
        passages: Mapping[str, Any] | None = None,
        instruction: str | None = None,
    ) -> dict[str, Any]:
        """The same over indices of several encoders, each of which is asked by its own.

        ``passages`` says how documents of chunks are scored.
        """

    def text_retriever(
        self,
        field: str,
        text: str,
        encoder: str,
        size: int,
        num_candidates: int | None = None,
        passages: Mapping[str, Any] | None = None,
        instruction: str | None = None,
    ) -> dict[str, Any]:
        """The same as a retriever, one of those that ``hybrid`` fuses."""


FIELDS: Mapping[str, Field] = {
    "dense": dense,
    "sparse": sparse,
    "multi": TokenField(),
    "image-text": dense,
    "numbers": dense,
}
"""The module of each kind whose outputs are written into a field."""

MAPPED: Mapping[str, Callable[[Mapping[str, Any]], Field]] = {TokenField.TYPE: TokenField.mapped}
"""Of the types whose fields say in their mapping how they hold a value: what reads that."""

WITHOUT_CHUNKS: Mapping[str, str] = {"multi": UNCHUNKED}
"""Why fields of some kinds have no chunks."""

VECTOR_LISTS = tuple(dict.fromkeys(field.LIST for field in FIELDS.values()))
"""The lists of hits that fields of any kind give."""
TEXT_QUERIES = frozenset(field.TEXT_QUERY for field in FIELDS.values())

INDEX_TYPES = tuple(dict.fromkeys(each for field in FIELDS.values() for each in field.INDEX_TYPES))
"""The ways to index a field of any kind."""


def field_for_kind(manifest: Manifest) -> Field:
    """The module that has an encoder's outputs. Raises RequestError for a kind that has none."""
    try:
        return FIELDS[manifest.kind]
    except KeyError:
        raise RequestError(
            f"encoder {manifest.name!r} is of kind {manifest.kind!r}, whose outputs are written"
            f" into no field; name one of kind {', '.join(FIELDS)}"
        ) from None


def kind_for(mapping: Mapping[str, Any], manifest: Manifest) -> str:
    """Which of an encoder's kinds a field mapped so holds; the encoder's own where it holds none.

    Mostly there is one.
    """
    mapped = mapping.get("type")
    fitting = (kind for kind in manifest.heads if kind in FIELDS and mapped == FIELDS[kind].TYPE)
    return next(fitting, manifest.kind)


def format_of(mapping: Mapping[str, Any]) -> Field:
    """The module that knows how documents hold the values of a field mapped so.

    One that is not mapped, or as something else, has vectors: Elasticsearch says what is wrong.
    """
    mapped = str(mapping.get("type"))
    if mapped in MAPPED:
        return MAPPED[mapped](mapping)
    return next((each for each in FIELDS.values() if mapped == each.TYPE), dense)


def field_of(mapping: Mapping[str, Any], name: str, index: str) -> Field:
    """The module whose fields are mapped so. Raises RequestError where there is none."""
    for field in FIELDS.values():
        if mapping.get("type") == field.TYPE:
            return field
    seen = f"mapped as {mapping['type']}" if "type" in mapping else "not mapped"
    known = ", ".join(sorted({field.TYPE for field in FIELDS.values()}))
    raise RequestError(
        f"field {name!r} of index {index!r} is {seen} and cannot be searched; map it as {known}"
    )
