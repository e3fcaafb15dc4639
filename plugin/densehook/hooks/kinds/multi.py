"""Multi: a binary field with doc values, whose documents MaxSim scores.

Plain Elasticsearch opens such an index and keeps it; to score by it takes the plugin, or this
package and BM25's hits.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from ...bundle import Manifest, Multi
from ...errors import VectorError
from ...multivector.layout import header_of
from .instructions import require_none

if TYPE_CHECKING:
    from ...multivector.layout import TokenVectors

QUERY = "maxsim"
"""The plugin's query, and its retriever."""
RESCORED = QUERY
"""The mode of searching in which token vectors order what another finds."""

UNCHUNKED = (
    "has a vector for each token of a text as a whole, of which no chunks are made; leave chunk out"
)
"""Why there are no chunks of it."""

_PRECISIONS = ("int8", "float32", "1bit")
_POOLS = (1, 2, 3, 4)

_Filters = Sequence[Mapping[str, Any]]


def _named(precision: str, pool: int) -> str:
    return precision if pool == 1 else f"{precision}-pool{pool}"


_STORED = {_named(*each): each for each in product(_PRECISIONS, _POOLS)}


@dataclass(frozen=True)
class TokenField:
    """A field that stores token vectors in a precision, so many times fewer by pooling.

    Both stand in the ``meta`` of its mapping, so that whoever writes documents makes the same.
    """

    precision: str = _PRECISIONS[0]
    pool: int = 1

    # not annotated: of the class, not of the value
    TYPE = "binary"
    LIST = QUERY
    USUAL_NAME = "tokens"
    SHOWS_CHUNKS = False
    TEXT_QUERY = QUERY
    INDEX_TYPES = tuple(_STORED)

    @classmethod
    def mapped(cls, mapping: Mapping[str, Any]) -> TokenField:
        """The one that a field mapped so is; as by default where its mapping says nothing."""
        meta = mapping.get("meta")
        stated = meta if isinstance(meta, Mapping) else {}
        precision = stated.get("precision", cls.precision)
        pool = str(stated.get("pool", cls.pool))
        known = precision in _PRECISIONS and pool in map(str, _POOLS)
        return cls(precision, int(pool)) if known else cls()

    def mapping(self, manifest: Manifest, index_type: str) -> dict[str, Any]:
        """Bytes that are kept as doc values, with how they are made."""
        precision, pool = _STORED[index_type]
        meta = {"precision": precision, "pool": str(pool)}
        return {"type": self.TYPE, "doc_values": True, "meta": meta}

    def objection(self, mapping: Mapping[str, Any], manifest: Manifest) -> str:
        """That the field keeps no doc values, of which scores are made; any dims fit."""
        manifest.of(Multi)
        return "" if mapping.get("doc_values") is True else "has no doc_values, which MaxSim reads"

    def written(self, output: TokenVectors | bytes, *, base64: bool) -> str:
        """Token vectors, pooled and stored as the field does; bytes as they are."""
        if isinstance(output, bytes):
            return b64encode(output).decode()
        from ...multivector import pack, pooled

        fewer = output if self.pool == 1 else pooled(output, self.pool)
        return b64encode(pack(fewer, self.precision)).decode()

    def parsed(self, value: Any) -> bytes | None:
        """The bytes of a value; None for what are no token vectors."""
        try:
            content = b64decode(value, validate=True)
            header_of(content)
            return content
        except (TypeError, ValueError, VectorError):
            return None

    def are_one(self, one: Any, other: Any) -> bool:
        """Whether the bytes are equal: nothing rounds them."""
        a, b = self.parsed(one), self.parsed(other)
        return a is not None and a == b

    def request(
        self,
        field: str,
        output: Sequence[Sequence[float]],
        size: int,
        num_candidates: int | None = None,
        filters: _Filters = (),
    ) -> dict[str, Any]:
        """MaxSim of every document that matches the filters, by the plugin; ``size`` hits."""
        return _search({"field": field, **given_vectors(output)}, size, filters)

    def text_request(
        self,
        field: str,
        text: str,
        encoder: str,
        size: int,
        num_candidates: int | None = None,
        filters: _Filters = (),
        instruction: str | None = None,
    ) -> dict[str, Any]:
        """As ``request``, with the text encoded in the cluster."""
        require_none(field, self.TYPE, instruction)
        return _search({"field": field, "text": text}, size, filters)

    def bridged_request(
        self,
        field: str,
        text: str,
        size: int,
        num_candidates: int | None = None,
        filters: _Filters = (),
        passages: Mapping[str, Any] | None = None,
        instruction: str | None = None,
    ) -> dict[str, Any]:
        """As ``text_request``; the cluster refuses indices of several encoders."""
        require_none(field, self.TYPE, instruction)
        return _search({"field": field, "text": text}, size, filters)

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
        """As ``text_request``, without filters."""
        require_none(field, self.TYPE, instruction)
        return {"standard": {"query": {QUERY: {"field": field, "text": text}}}}


def given_vectors(output: Sequence[Sequence[float]]) -> dict[str, Any]:
    """A query's token vectors that were made here, as the plugin's query takes them."""
    return {"query_vectors": [[float(number) for number in vector] for vector in output]}


def rescored_request(
    field: str,
    asked: Mapping[str, Any],
    first: Mapping[str, Any],
    size: int,
    window: int,
    start: int = 0,
) -> dict[str, Any]:
    """The best ``window`` hits of a retriever in the order of their MaxSim, from ``start`` on.

    ``asked`` is a ``text``, an ``image``, or ``query_vectors``, as the plugin's query takes them.
    """
    retriever = {"retriever": first, "field": field, **asked, "rank_window_size": window}
    begun = {"from": start} if start else {}
    return {"size": size, **begun, "track_total_hits": False, "retriever": {QUERY: retriever}}


def _search(query: Mapping[str, Any], size: int, filters: _Filters) -> dict[str, Any]:
    every: dict[str, Any] = {QUERY: query}
    filtered = {"bool": {"must": [every], "filter": list(filters)}} if filters else every
    return {"size": size, "track_total_hits": False, "query": filtered}
