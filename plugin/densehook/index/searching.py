"""From what is asked to requests, and from answers to hits; pure, for sync and async alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ..bundle import is_blank
from ..errors import RequestError
from ..fusion import FUSIONS, FusedHit, Part, Seen
from ..hooks import (
    NOTES,
    VECTOR_LISTS,
    Field,
    Join,
    Provenance,
    TextRule,
    VectorField,
    bm25_request,
    bridged_request,
    field_of,
    field_text,
    hybrid_request,
    hybrid_retriever,
    learned_request,
    ranking_of,
    rerank_request,
    reranked_of,
    retriever_of,
    vector_request,
)
from ..hooks.kinds.dense import LEAST_IN_SHORT_FORM, told_request
from ..hooks.kinds.dense import LIST as DENSE
from ..hooks.kinds.instructions import require_none
from ..hooks.kinds.multi import RESCORED, given_vectors, rescored_request
from ..hooks.searching import read_rule, require_read_rule, unread_paths
from ..types import DocId, Document, Ranking
from .asked import Asked, Query
from .explained import explained_parts, learned_features
from .finding import fields_that_find
from .hits import Hit, Hits, Passage
from .modes import BM25, HYBRID
from .reranking import with_rerank

Body = dict[str, Any]
Answer = Mapping[str, Any]
Vector = Sequence[float]


@dataclass(frozen=True)
class OfLists:
    """What a query comes to for each list that is searched by its own kind of output."""

    outputs: Mapping[str, Any]


_PASSAGES = "passages"

_MARKED_CHARACTERS = 100_000
"""Of a field; Elasticsearch refuses to mark words in longer ones unless it may stop there."""


@dataclass(frozen=True)
class Searching:
    """How one index is searched.

    A query becomes a vector in this process, where ``encodes_here``, else in the cluster, where
    ``cluster_encodes``. What the index says of its fields was read when it was opened. ``beside``
    are fields of other kinds that are searched as well, each in the mode of its kind, and in the
    hybrid one all but token vectors.
    """

    provenance: Provenance
    field: VectorField
    encodes_here: bool
    cluster_encodes: bool
    beside: Sequence[VectorField] = ()

    def of(self, mode: str) -> Searching:
        """The same for one mode, or one list: of the field alone that it searches."""
        own = next((each for each in self.beside if mode == each.format.LIST), None)
        if own is not None:
            return replace(self, field=own, beside=())
        return self if mode == HYBRID else replace(self, beside=())

    def finding(self, asked: Asked) -> Searching:
        """The search whose hits token vectors order, by ``asked.finding``.

        Raises RequestError where the index has no field for it.
        """
        if asked.found_by == BM25:
            return replace(self, beside=())
        field, *beside = fields_that_find(
            self.provenance, self.field, asked.found_by, encodes_here=self.encodes_here
        )
        return replace(self, field=field, beside=beside)

    def encoded(self, asked: Asked) -> list[VectorField]:
        """The fields for whose lists a query is encoded."""
        if asked.mode == HYBRID:
            return self.fused(asked)
        if asked.mode != RESCORED or asked.found_by == BM25:
            return [self.field]
        return [self.field, *self.finding(asked).fused(asked.finding)]

    @property
    def read_paths(self) -> Sequence[str]:
        """Where documents have what people read: texts that are searched, by vectors or BM25."""
        rule = read_rule(self.field, self.provenance)
        return () if rule is None else rule.paths

    @property
    def reranked_by(self) -> TextRule:
        """How the texts are made that documents are reranked by.

        Raises RequestError where they have none that could be read.
        """
        return require_read_rule(self.field, self.provenance)

    def fused(self, asked: Asked) -> list[VectorField]:
        """The fields whose lists hybrid search fuses with BM25's: by learned weights one."""
        beside = [each for each in self.beside if each.format.LIST != RESCORED]
        return [self.field, *(() if asked.is_learned else beside)]

    def needs_vector(self, asked: Asked) -> bool:
        """Whether the query's vector must come with the request."""
        if asked.mode == RESCORED:
            self.field.require_tokens(self.provenance.index)
        elif asked.mode == BM25 and not asked.passages:
            return False
        self._require_mode(asked)
        if asked.scores_passages:
            self._require_scored_passages()
            return False
        if not self.encodes_here and not self.cluster_encodes:
            self.field.require_one_encoder(self.provenance.index)
            raise RequestError(
                f"{asked.mode} search of index {self.provenance.index!r} needs the encoder"
                f" {self.field.encoder!r}; open the index with it, or search by bm25"
            )
        return self.encodes_here

    def _lists(self, asked: Asked) -> Sequence[str]:
        """The lists that hybrid search fuses, in their order."""
        return (BM25, self._kind.LIST, *(each.format.LIST for each in self.fused(asked)[1:]))

    def _require_mode(self, asked: Asked) -> None:
        """Raises RequestError where the field is of another kind than the mode searches."""
        if asked.mode in VECTOR_LISTS and asked.mode != self._kind.LIST:
            raise RequestError(
                f"field {self.field.name!r} of index {self.provenance.index!r} is a"
                f" {self._kind.TYPE}; search it by {self._kind.LIST}, not by {asked.mode}"
            )
        if asked.mode == HYBRID and self._kind.LIST == RESCORED:
            raise RequestError(
                f"field {self.field.name!r} of index {self.provenance.index!r} has token vectors,"
                f" which order what others find: search it by {RESCORED}"
            )

    def _asked_lists(self, asked: Asked) -> Sequence[str]:
        """The lists that are searched, in their order."""
        return self._lists(asked) if asked.mode == HYBRID else (asked.mode,)

    def bodies(self, text: str, asked: Asked, vector: Vector | OfLists | None) -> list[Body]:
        """The searches of one query, which are sent together; one where the cluster fuses.

        By maxsim, where its vector is given, they find what is to be put in order here.
        Raises RequestError for a query that is no string, or of blanks, or where BM25 has no field
        to search.
        """
        if not isinstance(cast(object, text), str):
            raise RequestError(f"the query is of type {type(text).__name__}, not a string")
        if is_blank(text):
            raise RequestError(f"the query {text!r} has no text to search for")
        self._require_mode(asked)
        if asked.passages:
            self._require_passages()
        if asked.mode == HYBRID and vector is None:
            return [self._shown(self.fused_by_cluster(text, asked), asked, text)]
        if asked.mode == RESCORED:
            return self._ordered(text, asked, vector)
        depth = asked.depth if asked.mode == HYBRID else asked.last
        bodies = [self._list(name, text, asked, vector, depth) for name in self._asked_lists(asked)]
        if asked.mode != HYBRID and asked.from_:
            bodies = [{**body, "from": asked.from_, "size": asked.size} for body in bodies]
        return [self._shown(body, asked, text) for body in bodies]

    def _ordered(self, text: str, asked: Asked, vector: Vector | OfLists | None) -> list[Body]:
        require_none(self.field.name, self._kind.TYPE, asked.instruction)
        first = self.finding(asked).bodies(text, asked.finding, vector)
        if vector is not None:
            return first
        return [self._shown(self._by_maxsim({"text": text}, first, asked), asked, text)]

    def _by_maxsim(self, told: Mapping[str, Any], first: Sequence[Body], asked: Asked) -> Body:
        """A search for what the first ones find, in an order that the cluster gives it.

        ``told`` is the query, as the plugin's maxsim takes one.
        """
        found = self.finding(asked).retriever(first, asked.finding)
        return rescored_request(self.field.name, told, found, asked.size, asked.depth, asked.from_)

    def image_body(self, image: str, asked: Asked, vector: Vector | OfLists | None) -> Body:
        """The search for an image, in base64, or for its vector; by maxsim as ``bodies``."""
        self._require_mode(asked)
        told = {"image": image}
        nearest = _of_list(vector, DENSE)
        if asked.mode != RESCORED:
            return self._nearest(told, asked, nearest)
        first = self.finding(asked)._nearest(told, asked.finding, nearest)
        if vector is not None:
            return first
        return self._shown(self._by_maxsim(told, [first], asked), asked, "")

    def numbers_body(self, numbers: Sequence[Any], asked: Asked, vector: Vector | None) -> Body:
        """The search for a list of numbers, or for its vector."""
        self._require_mode(asked)
        return self._nearest({"numbers": numbers}, asked, vector)

    def _nearest(
        self, told: Mapping[str, Any], asked: Asked, vector: Vector | OfLists | None
    ) -> Body:
        """The search for what is no text, or for its vector."""
        depth, candidates = asked.last, asked.num_candidates
        if vector is not None:
            body = vector_request(self.field, vector, depth, candidates, asked.filters)
        else:
            body = told_request(self.field.name, told, depth, candidates, asked.filters)
        if asked.from_:
            body = {**body, "from": asked.from_, "size": asked.size}
        return self._shown(body, asked, "")

    def reranked_by_cluster(
        self, text: str, asked: Asked, vector: Vector | OfLists | None, encoder: str
    ) -> Body:
        """The search as one request, whose best hits the cluster's cross-encoder orders.

        Raises RequestError where the first stage cannot be the cluster's.
        """
        first = asked.first_stage
        bodies = self.bodies(text, first, vector)
        if first.mode == RESCORED and vector is not None:
            told = given_vectors(tokens_of(vector))
            bodies = [self._shown(self._by_maxsim(told, bodies, first), first, text)]
        asks = rerank_request(
            bodies[0],
            self.retriever(bodies, first),
            text,
            encoder=encoder,
            rule=self.reranked_by,
            window=asked.reranked,
            chunks=asked.rerank_chunks,
        )
        return {
            **asks,
            "size": asked.size,
            **({"from": asked.from_} if asked.from_ else {}),
            **({"explain": True} if asked.explain else {}),
        }

    def retriever(self, bodies: Sequence[Body], asked: Asked) -> Body:
        """The searches of one query as a retriever, by which the cluster fuses several.

        Raises RequestError for what it cannot.
        """
        if len(bodies) == 1:
            return retriever_of(bodies[0])
        if asked.is_learned:
            raise RequestError(
                "what 'learned' weights fuse here the cluster cannot rerank; open the index without"
                " an encoder, or give rerank an encoder that is here"
            )
        return hybrid_retriever(
            [retriever_of(body) for body in bodies],
            fusion=asked.fusion,
            window=asked.depth,
            rank_constant=asked.constant,
            normalizer=asked.normalizer,
            weights=asked.weights_of(self._lists(asked)),
        )

    def found(self, text: str, asked: Asked, responses: Sequence[Answer]) -> list[Answer]:
        """The hits that token vectors are to put in order, as the first search has them."""
        finding, first = self.finding(asked), asked.finding
        if first.mode != HYBRID or len(responses) != len(finding._lists(first)):
            return list(responses[0]["hits"]["hits"])
        raws = {raw["_id"]: raw for response in responses for raw in response["hits"]["hits"]}
        fused = finding._fuse(text, first, [ranking_of(response) for response in responses])
        return [raws[each.id] for each in fused[: first.depth]]

    def hits(self, text: str, asked: Asked, responses: Sequence[Answer]) -> Hits:
        """The hits that these answers hold."""
        took = max(int(response.get("took", 0)) for response in responses)
        if asked.mode == HYBRID and len(responses) == len(self._lists(asked)):
            hits = self._fused_here(text, asked, responses)
            return Hits(text, hits, took, self._features_here(text, asked, responses))
        found = responses[0]["hits"]["hits"]
        hits = [
            self._hit(raw, self._parts(raw, rank, asked), raw["_score"])
            for rank, raw in enumerate(found, start=asked.from_ + 1)
        ]
        return Hits(text, hits, took, learned_features(found[0]) if found else {})

    def _parts(self, raw: Mapping[str, Any], rank: int, asked: Asked) -> Mapping[str, Part]:
        """What each list gave a hit that the cluster explains, and the cross-encoder after them."""
        parts = explained_parts(raw, self._asked_lists(asked))
        told = reranked_of(raw)
        if told is None:
            return parts
        before = told.found_rank, told.found_score
        return with_rerank(parts, asked.mode, rank, told.score, raw["_score"], before)

    def passages(
        self, text: str, asked: Asked, vector: Vector | OfLists | None, hits: Hits
    ) -> Body:
        """A search for the chunks of these hits that are most like the query."""
        field = self.field
        found = [{"ids": {"values": [hit.id for hit in hits]}}]
        body = self._dense(text, asked, vector, len(hits), None, found)
        shown = {"size": asked.passages, "_source": [f"{field.path}.start", f"{field.path}.end"]}
        return {
            **body,
            "knn": {**body["knn"], "inner_hits": {"name": _PASSAGES, **shown}},
            "_source": list(field.text.paths),
        }

    def with_passages(self, hits: Hits, answer: Mapping[str, Any], join: Join) -> Hits:
        """The hits with the chunks that this answer has of them."""
        found = {raw["_id"]: self._passages(raw, join) for raw in answer["hits"]["hits"]}
        told = [replace(hit, passages=found.get(hit.id, ())) for hit in hits]
        return replace(hits, hits=told)

    def _passages(self, raw: Mapping[str, Any], join: Join) -> Sequence[Passage]:
        text, _ = field_text(Document(raw["_id"], raw.get("_source", {})), self.field, join)
        inner = raw["inner_hits"][_PASSAGES]["hits"]["hits"]
        spans = [(each["_source"]["start"], each["_source"]["end"]) for each in inner]
        return [
            Passage(start, end, float(each["_score"]), text[start:end].strip())
            for (start, end), each in zip(spans, inner, strict=True)
        ]

    def explaining(
        self, text: str, id_: DocId, asked: Asked, vector: Vector | OfLists | None
    ) -> list[list[Body]]:
        """For each list the searches that it takes, and then one for what a document scores there.

        By maxsim they are as those of ``bodies``.
        """
        one = {"ids": {"values": [id_]}}
        if asked.mode == RESCORED:
            alone = self._alone(text, asked, vector, one)
            return [self.bodies(text, asked.whole, vector), [{**alone, "_source": False}]]
        told = []
        for name in self._asked_lists(asked):
            body = self._list(name, text, asked, vector, asked.depth)
            alone_asked = Asked(
                mode=name,
                size=1,
                filter=[*asked.filters, one],
                passage_score=asked.passage_score,
                instruction=None if name == BM25 else asked.instruction,
            )
            told += [body, self._list(name, text, alone_asked, vector, 1)]
        return [[{**body, "_source": False}] for body in told]

    def _alone(self, text: str, asked: Asked, vector: Vector | OfLists | None, one: Query) -> Body:
        """A search for one document, if it has token vectors, by these or to be ordered by them."""
        filters = [*asked.filters, one]
        if vector is None:
            name, encoder = self.field.name, self.field.encoder
            return self._kind.text_request(name, text, encoder, 1, filters=filters)
        has_tokens = {"exists": {"field": self.field.name}}
        return {"query": {"bool": {"filter": [*filters, has_tokens]}}, "size": 1}

    def marking(self, text: str, id_: DocId) -> Body:
        """A search for one document, with words of the text marked in the whole of its fields."""
        body = self._shown(
            {"query": {"ids": {"values": [id_]}}, "size": 1}, Asked(size=1, highlight=True), text
        )
        whole = {"number_of_fragments": 0, "max_analyzed_offset": _MARKED_CHARACTERS}
        if "highlight" in body:
            return {**body, "highlight": {**body["highlight"], **whole}}
        return body

    def parts_of(
        self, text: str, asked: Asked, responses: Sequence[Mapping[str, Any]], id_: DocId
    ) -> FusedHit | None:
        """What the lists of ``explaining`` say of a document, fused; None where no list has it.

        One outside a list's window has a score there and no rank, and no part in the sum.
        """
        rankings = [ranking_of(response) for response in responses[::2]]
        alone = [ranking_of(response) for response in responses[1::2]]
        found = self._fuse(text, asked, rankings) if asked.mode == HYBRID else ()
        fused = {hit.id: hit for hit in found}
        if (hit := fused.get(id_)) is not None:
            parts = [
                part._replace(score=own[0].score) if part.rank is None and own else part
                for part, own in zip(hit.parts, alone, strict=True)
            ]
            return FusedHit(id_, hit.score, tuple(parts))
        parts = []
        for ranking, own in zip(rankings, alone, strict=True):
            rank = next((n for n, each in enumerate(ranking, start=1) if each.id == id_), None)
            score = own[0].score if own else None
            given = (score or 0.0) if rank is not None else 0.0
            parts.append(Part(rank, score, None, 1.0, given))
        if all(part.score is None for part in parts):
            return None
        return FusedHit(id_, sum(part.contribution for part in parts), tuple(parts))

    def _list(
        self, name: str, text: str, asked: Asked, vector: Vector | OfLists | None, depth: int
    ) -> Body:
        lists = self._lists(asked)
        least = asked.of_lists(asked.min_scores, lists)[lists.index(name) if name in lists else 1]
        own = _of_list(vector, name)
        body = self.of(name)._whole_list(name, text, asked, own, depth)
        return body if least is None else {**body, "min_score": least}

    def _whole_list(
        self, name: str, text: str, asked: Asked, vector: Vector | OfLists | None, depth: int
    ) -> Body:
        if name == BM25:
            return bm25_request(self.provenance.require_bm25(), text, depth, asked.filters)
        field, candidates = self.field, asked.num_candidates
        if asked.scores_passages:
            scoring = asked.passage_scoring.request
            return self._kind.bridged_request(
                field.name, text, depth, candidates, asked.filters, scoring, asked.instruction
            )
        if asked.is_learned:  # its weights hang on what is found, which must be what a node finds
            candidates = max(2 * depth, LEAST_IN_SHORT_FORM)
        if field.others:
            return self._kind.bridged_request(
                field.name,
                text,
                depth,
                candidates,
                asked.filters,
                instruction=asked.instruction,
            )
        return self._dense(text, asked, vector, depth, candidates, asked.filters)

    def _dense(
        self,
        text: str,
        asked: Asked,
        vector: Vector | OfLists | None,
        depth: int,
        candidates: int | None,
        filters: Sequence[Query],
    ) -> Body:
        """KNN by the query's vector, or by one that the cluster makes of its text."""
        field = self.field
        if vector is not None:
            return vector_request(field, vector, depth, candidates, filters)
        return self._kind.text_request(
            field.name, text, field.encoder, depth, candidates, filters, asked.instruction
        )

    def _require_scored_passages(self) -> None:
        """Raises RequestError where there are no passages, or no plugin that scores them."""
        self._require_chunks()
        if not self.cluster_encodes:
            raise RequestError(
                f"documents of index {self.provenance.index!r} can be scored by all of their"
                " passages by the cluster alone: it needs the plugin, with the encoder"
                f" {self.field.encoder!r} in service, and the index opened without one"
            )

    def _require_passages(self) -> None:
        """Raises RequestError where hits have no passages, or are of indices whose ids may meet."""
        self.provenance.require_one_index()
        self._require_chunks()
        if not self._kind.SHOWS_CHUNKS:
            raise RequestError(
                f"field {self.field.name!r} of index {self.provenance.index!r} is a"
                f" {self._kind.TYPE}, whose hits are shown without their chunks; leave passages out"
            )

    def _require_chunks(self) -> None:
        if self.field.chunk is None:
            raise RequestError(
                f"field {self.field.name!r} of index {self.provenance.index!r} has one vector of a"
                " document and no passages; make an index that has: densehook create --chunk"
            )

    @property
    def _kind(self) -> Field:
        return field_of(self.field.mapping, self.field.name, self.provenance.index)

    def fused_by_cluster(self, text: str, asked: Asked) -> Body:
        """The hybrid search as one request, to a cluster with the plugin and the encoder."""
        return {
            **self._hybrid(text, asked),
            **({"from": asked.from_} if asked.from_ else {}),
            **({"explain": True} if asked.explain else {}),
        }

    def _hybrid(self, text: str, asked: Asked) -> Body:
        field, bm25 = self.field, self.provenance.require_bm25()
        scoring = asked.passage_scoring.request if asked.scores_passages else None
        if field.others:
            asked.require_plain_lists(f"{self.provenance.index!r} has indices of several encoders")
            return bridged_request(
                [*bm25, {"field": field.name, "passages": scoring} if scoring else field.name],
                text,
                fusion=asked.fusion,
                size=asked.size,
                window=asked.depth,
                rank_constant=asked.constant,
                normalizer=asked.normalizer,
                filters=asked.filters,
                instruction=asked.instruction,
            )
        if asked.is_learned:
            field.require_weights(self.provenance.index)
            return learned_request(
                [*bm25, field.name],
                text,
                size=asked.size,
                window=asked.depth,
                filters=asked.filters,
                instruction=asked.instruction,
            )
        retrievers = [
            each.format.text_retriever(
                each.name,
                text,
                each.encoder,
                asked.depth,
                asked.num_candidates,
                scoring,
                asked.instruction,
            )
            for each in self.fused(asked)
        ]
        return hybrid_request(
            bm25,
            retrievers,
            text,
            fusion=asked.fusion,
            size=asked.size,
            window=asked.depth,
            rank_constant=asked.constant,
            normalizer=asked.normalizer,
            weights=asked.weights_of(self._lists(asked)),
            min_scores=asked.of_lists(asked.min_scores, self._lists(asked)),
            filters=asked.filters,
        )

    def _fuse(self, text: str, asked: Asked, rankings: Sequence[Ranking]) -> list[FusedHit]:
        if not asked.is_learned:
            fused: list[FusedHit] = asked.fuse(self._lists(asked))(rankings)
            return fused
        learned = self.field.require_weights(self.provenance.index)
        weights = learned.weights(Seen(text, *rankings))
        return FUSIONS[learned.fusion](rankings, weights=weights, **learned.options)

    def _features_here(
        self, text: str, asked: Asked, responses: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, float]:
        if not asked.is_learned:
            return {}
        learned = self.field.require_weights(self.provenance.index)
        return learned.features(Seen(text, *map(ranking_of, responses)))

    def _fused_here(
        self, text: str, asked: Asked, responses: Sequence[Mapping[str, Any]]
    ) -> list[Hit]:
        raws = {raw["_id"]: raw for response in responses for raw in response["hits"]["hits"]}
        fused = self._fuse(text, asked, [ranking_of(response) for response in responses])
        lists = self._lists(asked)
        return [
            self._hit(raws[each.id], dict(zip(lists, each.parts, strict=True)), each.score)
            for each in fused[asked.from_ : asked.last]
        ]

    def _hit(self, raw: Mapping[str, Any], parts: Mapping[str, Part], score: float) -> Hit:
        source, unread = raw.get("_source", {}), unread_paths(self.provenance)
        # a pipeline keeps no order: what is searched comes first
        first = {name: source[name] for name in self.read_paths if name in source}
        marked = raw.get("highlight", {})
        return Hit(raw["_id"], float(score), {**first, **source}, parts, marked, unread=unread)

    def _shown(self, body: Body, asked: Asked, text: str) -> Body:
        """The same search, which brings what is to be shown of its hits."""
        return {**body, **self.shown(asked, text)}

    def shown(self, asked: Asked, text: str) -> Body:
        """What of hits is to be shown, as a search states it."""
        hidden = [NOTES, *(each.path for each in self.provenance.vector_fields.values())]
        source: dict[str, Any] = {"excludes": hidden}
        if asked.fields is None:
            hidden += unread_paths(self.provenance)
        else:
            source["includes"] = list(asked.fields)
        is_shown = asked.fields != [] and not self.provenance.sourceless
        shown: Body = {"_source": source if is_shown else False}
        return {**shown, **(self._marked(text) if asked.highlight else {})}

    def _marked(self, text: str) -> Body:
        """That words of a text are marked where it is searched; nothing where no text is."""
        inputs = self.field.inputs if self.field.text.modality == "text" else ()
        fields: dict[str, Any] = {name: {} for name in (*inputs, *self.provenance.bm25_fields)}
        if not fields:
            return {}
        # several inputs are searched in one field, which no source has; and of a hit that
        # kNN alone found the words are shown all the same
        query = {"multi_match": {"query": text, "fields": list(fields)}}
        return {
            "highlight": {
                "fields": fields,
                "require_field_match": False,
                "highlight_query": query,
            }
        }


def _of_list(vector: Vector | OfLists | None, name: str) -> Any:
    """What a query comes to for one list."""
    return vector.outputs.get(name) if isinstance(vector, OfLists) else vector


def tokens_of(vector: Vector | OfLists) -> Sequence[Vector]:
    """A query's token vectors."""
    return cast(Sequence[Vector], _of_list(vector, RESCORED))


def require_one_query(text: str | None, image: object, numbers: object = None) -> None:
    """Raises RequestError unless a search is for a text, for an image, or for numbers."""
    if sum(each is not None for each in (text, image, numbers)) != 1:
        raise RequestError("a search is for a text or for an image; give one of them, or numbers")
