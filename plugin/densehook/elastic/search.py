"""Searching an index for whole rankings: BM25 or vectors, many queries at a time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from elasticsearch import AsyncElasticsearch, Elasticsearch

from ..bundle import is_blank
from ..errors import ElasticError, EncodeError, NotInService, RequestError, UnusableDocument
from ..hooks import (
    NOTES,
    VECTOR_LISTS,
    PassageScore,
    VectorField,
    bm25_request,
    field_of,
    field_text,
    join_by_spaces,
    msearch_request,
    needs_plugin,
    passage_score,
    ranking_of,
    require_answers,
    text_of,
    vector_request,
)
from ..hooks.kinds.dense import told_request
from ..hooks.kinds.instructions import require_none
from ..hooks.kinds.multi import RESCORED
from ..hooks.passages import CUT
from ..hooks.searching import read_rule, require_read_rule, unread_paths
from ..number_lists import list_in_json
from ..types import DocId, Document, QueryId, Ranking, Run, ScoredDoc
from .cluster import NO_PLUGIN, lacks_plugin
from .connect import elastic_errors, synchronous
from .indices import searched_provenance_of, shards_of
from .numbering import NUMBERED, Numbering
from .rescoring import rescored
from .whole_texts import cut_rankings

if TYPE_CHECKING:
    from ..encode import Encoder

Item = TypeVar("Item")

MODES = ("bm25", *VECTOR_LISTS)
RESCORED_HITS = 100
"""How many of the first hits of a ranking token vectors order, at most."""

_QUERIES_PER_REQUEST = 16
_IDS_PER_REQUEST = 1000
_DEEP = 100
"""Hits from which on it is their ids that take the time."""
_WITHOUT_PLUGIN = f"{NO_PLUGIN}give the bundle of the index's encoder"


class Searcher:
    """An index, or those of one name, and, for dense search, its encoder.

    Without an encoder here the cluster encodes queries, where it makes the index's vectors too, or
    ``cluster_encodes`` says that it can. ``instruction`` is what it is told to do with every query.
    Raises IndexNotFound; EncoderMismatch when the encoder is not the vector field's.
    """

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        encoder: Encoder | None = None,
        vector_field: str | None = None,
        *,
        cluster_encodes: bool = False,
        instruction: str | None = None,
    ) -> None:
        provenance = searched_provenance_of(client, index)
        self._field = provenance.vector_field(vector_field)
        if encoder is not None:
            self._field.require(encoder.manifest, index)
        self._client = client
        self._index = index
        self._provenance = provenance
        self._encoder = encoder
        self._instruction = instruction
        self._cluster_encodes = cluster_encodes or provenance.in_cluster

    def search(
        self,
        queries: Mapping[QueryId, str],
        mode: str,
        depth: int,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> dict[QueryId, list[ScoredDoc]]:
        """Rankings of ``depth`` hits for each query, by ``bm25``, ``dense`` or ``sparse``.

        Where the field is of another kind, the index's only one of that kind is searched.
        ``maxsim`` orders the first hundred of bm25, of an index with token vectors. Queries of a
        field of numbers are lists of them as JSON.

        ``dense-mean-3`` scores documents of chunks by the mean of their best three, as other
        passage scores do. ``dense-cut`` is what one vector of each text, cut where it is too long,
        would find: all documents are read and encoded here, and scored exactly. A query of blanks
        is no text, and finds nothing.
        """
        if mode.partition("-")[0] not in MODES:
            hint = "; for both fused there is Index.search" if mode == "hybrid" else ""
            raise RequestError(f"mode {mode!r} is unknown; known: {', '.join(MODES)}{hint}")
        if mode == CUT:
            return self._cut(queries, depth, on_progress)
        run: dict[QueryId, list[ScoredDoc]] = {}
        numbering = self._numbering if depth >= _DEEP else None
        for ids in _batches(queries, _QUERIES_PER_REQUEST):
            asked = [i for i in ids if not is_blank(queries[i])]
            texts = [queries[i] for i in asked]
            if mode == RESCORED:
                first = self._bodies(texts, "bm25", min(depth, RESCORED_HITS))
                rankings = self._by_maxsim(texts, self._rankings(first, None))
            else:
                rankings = self._rankings(self._bodies(texts, mode, depth), numbering)
            found = dict(zip(asked, map(self._told_apart, rankings), strict=True))
            run |= {i: found.get(i, []) for i in ids}
            on_progress(len(run))
        return run

    def _cut(
        self,
        queries: Mapping[QueryId, str],
        depth: int,
        on_progress: Callable[[int], None],
    ) -> dict[QueryId, list[ScoredDoc]]:
        """As ``search`` by dense-cut. Raises RequestError where texts cannot be encoded here."""
        field = self._field_for(CUT.partition("-")[0])
        here = self._encoder_of(field)
        if here is None:
            raise RequestError(
                f"{CUT} encodes all documents here, by the encoder {field.encoder!r}; give its"
                " bundle"
            )
        if self._provenance.sourceless or field.text.modality != "text":
            raise RequestError(
                f"{CUT} reads the texts of field {field.name!r}, and index {self._index!r} keeps"
                " none; leave it out"
            )
        asked = [id_ for id_, text in queries.items() if not is_blank(text)]
        rows = here.encode_queries([queries[id_] for id_ in asked], self._instruction)
        found = cut_rankings(
            self._client,
            self._index,
            field,
            here,
            rows,
            depth,
            lambda share: on_progress(int(share * len(queries))),
        )
        rankings = dict(zip(asked, map(self._told_apart, found), strict=True))
        return {id_: rankings.get(id_, []) for id_ in queries}

    def _told_apart(self, ranking: list[ScoredDoc]) -> list[ScoredDoc]:
        """The ranking, whose documents are known by their ids.

        Raises RequestError where two of several indices have one id.
        """
        ids = [hit.id for hit in ranking]
        if len(set(ids)) < len(ids):
            twice = next(id_ for id_ in ids if ids.count(id_) > 1)
            raise RequestError(
                f"several indices of {self._index!r} have a document {twice!r}, so that rankings"
                " cannot say which is meant; name one index"
            )
        return ranking

    def rescored(
        self,
        queries: Mapping[QueryId, str],
        run: Run,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> dict[QueryId, list[ScoredDoc]]:
        """Each ranking's first hundred hits in the order of their MaxSim, the rest behind.

        Hits without token vectors have 0, and scores of the rest go down from there. A query of
        blanks orders nothing. Raises RequestError as ``search``.
        """
        made: dict[QueryId, list[ScoredDoc]] = {}
        for ids in _batches(run, _QUERIES_PER_REQUEST):
            asked = [i for i in ids if not is_blank(queries.get(i, ""))]
            heads = [run[i][:RESCORED_HITS] for i in asked]
            found = dict(
                zip(asked, self._by_maxsim([queries[i] for i in asked], heads), strict=True)
            )
            for i in ids:
                rest = run[i][RESCORED_HITS:]
                behind = [ScoredDoc(hit.id, -float(n)) for n, hit in enumerate(rest, start=1)]
                made[i] = [*found[i], *behind] if i in found else list(run[i])
            on_progress(len(made))
        return made

    def _by_maxsim(
        self, texts: Sequence[str], rankings: Sequence[Ranking]
    ) -> list[list[ScoredDoc]]:
        """Rankings in the order of their MaxSim, by the plugin or, encoded here, here."""
        field = self._field_for(RESCORED)
        require_none(field.name, field.format.TYPE, self._instruction)
        here = self._encoder_of(field)
        if here is None:
            self._require_encoding(field, RESCORED)
            bodies = [
                field.format.text_request(
                    field.name, text, field.encoder, max(1, len(ranking)), filters=[_ids(ranking)]
                )
                for text, ranking in zip(texts, rankings, strict=True)
            ]
            scored = self._rankings(bodies, None)
        else:
            encoded = here.encode_queries(texts)
            scored = [
                self._scored(field, query.tolist(), ranking)
                for query, ranking in zip(encoded, rankings, strict=True)
            ]
        return [_with_all(own, ranking) for own, ranking in zip(scored, rankings, strict=True)]

    def _scored(
        self, field: VectorField, query: Sequence[Sequence[float]], ranking: Ranking
    ) -> list[ScoredDoc]:
        raws = self._hits([hit.id for hit in ranking], source=False) if ranking else []
        best = rescored(self._client, self._index, field, query, raws, len(raws))
        return ranking_of({"hits": {"hits": best}})

    def require_askable(self, queries: Mapping[QueryId, str], modes: Iterable[str]) -> None:
        """Raises RequestError for queries that cannot be asked so, or where nobody encodes them.

        So it is known before the work, and not in the middle of it.
        """
        for mode in modes:
            if mode == "bm25":
                self._provenance.require_bm25()
                continue
            field = self._field_for(mode.partition("-")[0])
            if self._encoder_of(field) is None:
                self._require_encoding(field, mode)
            if mode == RESCORED and field.text.modality == "image":
                raise RequestError(
                    f"field {field.name!r} of index {self._index!r} has vectors of images' patches,"
                    " and a judged query is a text, which has none; name the field of the images'"
                    " own vectors (--field)"
                )
            if field.text.modality == "numbers":
                _ = _number_lists(queries)

    def _require_encoding(self, field: VectorField, mode: str) -> None:
        """Raises RequestError where nobody encodes queries."""
        if not self._cluster_encodes:
            raise RequestError(
                f"{mode} search needs the encoder {field.encoder!r}; give its bundle"
            )

    @cached_property
    def _numbering(self) -> Numbering | None:
        """What tells documents by their numbers, where all lie in one shard; for every search."""
        one = shards_of(self._client, self._index) == 1
        return Numbering(self._client, self._index) if one else None

    def _rankings(
        self, bodies: Sequence[Mapping[str, Any]], numbering: Numbering | None
    ) -> list[list[ScoredDoc]]:
        """What the searches find; by numbers, where that is quicker, and else by ids."""
        rankings: list[list[ScoredDoc] | None] = [None] * len(bodies)
        if numbering is not None:
            numbered = [{**body, **NUMBERED} for body in bodies]
            rankings = numbering.rankings(msearch(self._client, self._index, numbered))
        left = [place for place, ranking in enumerate(rankings) if ranking is None]
        plain = [{**bodies[place], "_source": False} for place in left]
        for place, answer in zip(left, msearch(self._client, self._index, plain), strict=True):
            rankings[place] = ranking_of(answer)
        return [ranking for ranking in rankings if ranking is not None]

    def lacking(self, ids: Sequence[DocId]) -> list[DocId]:
        """Those of the documents that the index has not, asked a thousand at a time."""
        missing: list[DocId] = []
        for batch in _batches(ids, _IDS_PER_REQUEST):
            there = {hit["_id"] for hit in self._hits(batch, source=False)}
            missing += [id_ for id_ in batch if id_ not in there]
        return missing

    def _hits(self, ids: Sequence[DocId], **shown: Any) -> list[dict[str, Any]]:
        """Documents by their ids, found by a search, as one name may stand for several indices."""
        query = {"ids": {"values": list(ids)}}
        with elastic_errors(self._client):
            found = self._client.search(index=self._index, query=query, size=len(ids), **shown)
        hits: list[dict[str, Any]] = found["hits"]["hits"]
        return hits

    def text_of(self, document: Document) -> str:
        """The text of a document that this index searches, by vectors or else by BM25."""
        rule = read_rule(self._field, self._provenance)
        join = join_by_spaces if self._encoder is None else self._encoder.manifest.join
        try:
            if rule is self._field.text:
                return field_text(document, self._field, join)[0]
            return "" if rule is None else text_of(document, rule, join)[0]
        except UnusableDocument:
            return ""

    def require_texts(self) -> None:
        """Raises RequestError where documents have no text that they could be reranked by."""
        require_read_rule(self._field, self._provenance)

    def texts_of(self, ids: Sequence[DocId]) -> dict[DocId, str]:
        """The texts of those of the documents that are there, by id."""
        hidden = [
            NOTES,
            *(each.path for each in self._provenance.vector_fields.values()),
            *unread_paths(self._provenance),
        ]
        texts: dict[DocId, str] = {}
        for batch in _batches(ids, _IDS_PER_REQUEST):
            texts |= {
                hit["_id"]: self.text_of(Document(hit["_id"], hit.get("_source", {})))
                for hit in self._hits(batch, source_excludes=hidden)
            }
        return texts

    def _bodies(self, texts: Sequence[str], mode: str, depth: int) -> list[dict[str, Any]]:
        if mode == "bm25":
            fields = self._provenance.require_bm25()
            return [bm25_request(fields, text, depth) for text in texts]
        field = self._field_for(mode.partition("-")[0])
        name, encoder = field.name, field.encoder
        kind = field_of(field.mapping, name, self._index)
        if scored := mode.partition("-")[2]:
            scoring = self._require_scored(passage_score(scored))
            return [
                kind.bridged_request(
                    name, text, depth, passages=scoring, instruction=self._instruction
                )
                for text in texts
            ]
        here = self._encoder_of(field)
        if here is None:
            self._require_encoding(field, mode)
        if field.text.modality == "numbers":
            return _number_bodies(field, here, texts, depth)
        if here is None and field.others:
            return [
                kind.bridged_request(name, text, depth, instruction=self._instruction)
                for text in texts
            ]
        if here is None:
            return [
                kind.text_request(name, text, encoder, depth, instruction=self._instruction)
                for text in texts
            ]
        outputs = here.encode_queries(texts, self._instruction).tolist()
        return [vector_request(field, output, depth) for output in outputs]

    def _encoder_of(self, field: VectorField) -> Encoder | None:
        """The encoder here, where it is that of a field."""
        if self._encoder is None or field.fingerprint != self._field.fingerprint:
            return None
        return field.own(self._encoder)

    def _field_for(self, mode: str) -> VectorField:
        """The field that a mode searches. Raises RequestError where it is not known which."""

        def is_searched(field: VectorField) -> bool:
            return mode == field_of(field.mapping, field.name, self._index).LIST

        if is_searched(self._field):
            return self._field
        fields = [each for each in self._provenance.vector_fields.values() if is_searched(each)]
        if len(fields) != 1:
            had = f"has several fields for {mode} search" if fields else f"has no field for {mode}"
            raise RequestError(
                f"index {self._index!r} {had}; its field {self._field.name!r} is a"
                f" {self._field.mapping.get('type')}, name another (--field)"
            )
        return fields[0]

    def _require_scored(self, scoring: PassageScore) -> dict[str, Any]:
        """How the cluster is asked. Raises RequestError where it cannot score passages."""
        if self._field.chunk is None:
            raise RequestError(
                f"field {self._field.name!r} of index {self._index!r} has one vector of a document"
                " and no passages to score; measure dense"
            )
        if not self._cluster_encodes:
            raise RequestError(
                "passages are scored by the cluster's plugin, which needs the encoder"
                f" {self._field.encoder!r} in service; open the index without one"
            )
        return scoring.request


def _number_bodies(
    field: VectorField, here: Encoder | None, texts: Sequence[str], depth: int
) -> list[dict[str, Any]]:
    """Searches by lists of numbers, as JSON."""
    lists = [list_in_json(text) for text in texts]
    if here is None:
        return [told_request(field.name, {"numbers": each}, depth) for each in lists]
    outputs = here.encode_numbers(lists).tolist()
    return [vector_request(field, output, depth) for output in outputs]


def _number_lists(queries: Mapping[QueryId, str]) -> list[Any]:
    """What queries say as JSON. Raises RequestError for one that is no list of numbers."""
    lists = []
    for id_, text in queries.items():
        try:
            lists += [] if is_blank(text) else [list_in_json(text)]
        except EncodeError as error:
            raise RequestError(
                f"query {id_!r} is asked of numbers, and no list of them in JSON: {error}; judge"
                " queries such as [0.5, 1, 2.25]"
            ) from None
    return lists


def _ids(ranking: Ranking) -> dict[str, Any]:
    return {"ids": {"values": [hit.id for hit in ranking]}}


def _with_all(scored: list[ScoredDoc], ranking: Ranking) -> list[ScoredDoc]:
    """What was scored, and behind it, with 0, those of a ranking that were not."""
    there = {hit.id for hit in scored}
    return [*scored, *(ScoredDoc(hit.id, 0.0) for hit in ranking if hit.id not in there)]


def msearch(
    client: Elasticsearch, index: str, bodies: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The answers to searches of an index, sent in one request; none for none.

    Raises IndexNotFound, ElasticError where one of them failed, NotInService where that is for want
    of the plugin.
    """
    if not bodies:  # an empty request is refused
        return []
    try:
        with elastic_errors(client):
            found = client.msearch(index=index, searches=msearch_request(bodies))
        return _answers(index, found["responses"])
    except ElasticError as error:
        if any(map(needs_plugin, bodies)) and lacks_plugin(client):
            raise NotInService(_WITHOUT_PLUGIN) from error
        raise


def rankings(
    client: Elasticsearch, index: str, bodies: Sequence[Mapping[str, Any]]
) -> list[list[ScoredDoc]]:
    """The ranking of each of these searches, some of them in one request; else as ``msearch``."""
    found: list[list[ScoredDoc]] = []
    for batch in _batches(bodies, _QUERIES_PER_REQUEST):
        found += map(ranking_of, msearch(client, index, batch))
    return found


async def msearch_awaited(
    client: AsyncElasticsearch, index: str, bodies: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """As ``msearch``, by a client that is awaited."""
    if not bodies:
        return []
    try:
        with elastic_errors(client):
            found = await client.msearch(index=index, searches=msearch_request(bodies))
        return _answers(index, found["responses"])
    except ElasticError as error:
        if any(map(needs_plugin, bodies)):
            with synchronous(client) as blocking:
                if await asyncio.to_thread(lacks_plugin, blocking):
                    raise NotInService(_WITHOUT_PLUGIN) from error
        raise


def _answers(index: str, responses: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    require_answers(index, responses)
    return list(responses)


def _batches(items: Iterable[Item], size: int) -> Iterable[list[Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
