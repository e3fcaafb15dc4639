"""From what is asked to requests, and from answers to hits; pure, for sync and async alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ..bundle import is_blank
from ..elastic.rescoring import rescored
from ..errors import RequestError
from ..fusion import FUSIONS, FusedHit, Part, Seen
from ..hooks import (
    NOTES,
    VECTOR_LISTS,
    Field,
    Join,
    Provenance,
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
from ..hooks.kinds.dense import TYPE as DENSE_TYPE
from ..hooks.kinds.instructions import require_none
from ..hooks.kinds.multi import RESCORED, rescored_request
from ..types import DocId, Document, Ranking
from .asked import BM25, Asked, Query
from .explained import explained_parts, learned_features
from .hits import Hit, Hits, Passage
from .reranking import with_rerank

Body = dict[str, Any]
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
        return self if mode == "hybrid" else replace(self, beside=())

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
        if asked.mode == "hybrid" and self._kind.LIST == RESCORED:
            raise RequestError(
                f"field {self.field.name!r} of index {self.provenance.index!r} has token vectors,"
                f" which order what others find: search it by {RESCORED}"
            )

    def _asked_lists(self, asked: Asked) -> Sequence[str]:
        """The lists that are searched, in their order."""
        return self._lists(asked) if asked.mode == "hybrid" else (asked.mode,)

    def bodies(self, text: str, asked: Asked, vector: Vector | OfLists | None) -> list[Body]:
        """The searches of one query, which are sent together; one where the cluster fuses.

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
        if asked.mode == "hybrid" and vector is None:
            return [self._shown(self.fused_by_cluster(text, asked), asked, text)]
        if asked.mode == RESCORED:
            return [self._shown(self._rescored(text, asked, vector), asked, text)]
        depth = asked.depth if asked.mode == "hybrid" else asked.last
        bodies = [self._list(name, text, asked, vector, depth) for name in self._asked_lists(asked)]
        if asked.mode != "hybrid" and asked.from_:
            bodies = [{**body, "from": asked.from_, "size": asked.size} for body in bodies]
        return [self._shown(body, asked, text) for body in bodies]

    def image_body(
        self,
        image: str,
        asked: Asked,
        vector: Vector | OfLists | None,
        found_by: Vector | None = None,
    ) -> Body:
        """The search for an image, in base64, or for its vector.

        By maxsim ``vector`` is those of its patches, and ``found_by`` the image's own. Raises
        RequestError for what is of searches for a text.
        """
        self._require_mode(asked)
        is_known = asked.mode in (DENSE, RESCORED)
        if not is_known or asked.passages or asked.highlight or asked.rerank is not None:
            raise RequestError(
                f"an image is searched for by {DENSE} or {RESCORED} alone, without passages,"
                " highlight and rerank; leave them out"
            )
        if asked.mode == RESCORED:
            return self._shown(self._rescored_images(image, asked, found_by), asked, "")
        return self._nearest({"image": image}, asked, vector)

    def numbers_body(self, numbers: Sequence[Any], asked: Asked, vector: Vector | None) -> Body:
        """The search for a list of numbers, or for its vector; else as ``image_body``."""
        self._require_mode(asked)
        if asked.mode != DENSE or asked.passages or asked.highlight or asked.rerank is not None:
            raise RequestError(
                "numbers are searched for by dense alone, without passages, highlight and rerank;"
                " leave them out"
            )
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
        if len(bodies) == 1:
            retriever = retriever_of(bodies[0])
        else:
            if first.is_learned:
                raise RequestError(
                    f"what 'learned' weights fuse here the cluster's {encoder!r} cannot rerank;"
                    " open the index without an encoder, or give rerank an encoder that is here"
                )
            retriever = hybrid_retriever(
                [retriever_of(body) for body in bodies],
                fusion=first.fusion,
                window=first.depth,
                rank_constant=first.constant,
                normalizer=first.normalizer,
                weights=first.weights_of(self._lists(first)),
            )
        asks = rerank_request(
            bodies[0],
            retriever,
            text,
            encoder=encoder,
            rule=self.field.text,
            window=asked.reranked,
            chunks=asked.rerank_chunks,
        )
        return {
            **asks,
            "size": asked.size,
            **({"from": asked.from_} if asked.from_ else {}),
            **({"explain": True} if asked.explain else {}),
        }

    def _rescored(self, text: str, asked: Asked, vector: Vector | OfLists | None) -> Body:
        """The hits of BM25 in the order of their MaxSim; where that is made here, their vectors."""
        require_none(self.field.name, self._kind.TYPE, asked.instruction)
        fields = self.provenance.require_bm25()
        first = bm25_request(fields, text, asked.depth, asked.filters)
        if vector is not None:
            return {**first, "docvalue_fields": [self.field.name]}
        start = {"from": asked.from_} if asked.from_ else {}
        told = {"text": text}
        request = rescored_request(self.field.name, told, first["query"], asked.size, asked.depth)
        return {**request, **start}

    def _rescored_images(self, image: str, asked: Asked, found_by: Vector | None) -> Body:
        """The images nearest by their vectors, in the order of their MaxSim; else as for a text."""
        finding, window, candidates = self._finding, asked.depth, asked.num_candidates
        if found_by is not None:
            first = vector_request(finding, found_by, window, candidates, asked.filters)
            return {**first, "docvalue_fields": [self.field.name]}
        told = {"image": image}
        first = told_request(finding.name, told, window, candidates, asked.filters)
        start = {"from": asked.from_} if asked.from_ else {}
        request = rescored_request(self.field.name, told, first["query"], asked.size, window)
        return {**request, **start}

    @property
    def _finding(self) -> VectorField:
        """The field of the same images and encoder whose vectors find what this one's order."""
        own = self.field.fingerprint, self.field.text
        for each in self.provenance.vector_fields.values():
            if each.mapping.get("type") == DENSE_TYPE and (each.fingerprint, each.text) == own:
                return each
        raise RequestError(
            f"field {self.field.name!r} of index {self.provenance.index!r} has vectors of images'"
            f" patches, which order what others find, and no {DENSE_TYPE} field has vectors of the"
            " same images by the same encoder; add one"
        )

    def hits(
        self,
        text: str,
        asked: Asked,
        responses: Sequence[Mapping[str, Any]],
        vector: Vector | OfLists | None,
    ) -> Hits:
        """The hits that these answers hold; ``vector`` is the query's, where it was made here."""
        took = max(int(response.get("took", 0)) for response in responses)
        if asked.mode == RESCORED and vector is not None:
            query = cast(Sequence[Vector], vector)
            best = rescored(query, responses[0]["hits"]["hits"], self.field)
            wanted = best[asked.from_ : asked.last]
            return Hits(text, [self._hit(raw, {}, score) for raw, score in wanted], took, {})
        if asked.mode == "hybrid" and len(responses) == len(self._lists(asked)):
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
    ) -> list[Body]:
        """Searches that tell where one document stands in each list, and what it scores there."""
        one = {"ids": {"values": [id_]}}
        bodies = []
        for name in self._asked_lists(asked):
            body = self._list(name, text, asked, vector, asked.depth)
            alone = Asked(
                mode=name,
                size=1,
                filter=[*asked.filters, one],
                passage_score=asked.passage_score,
                instruction=None if name == BM25 else asked.instruction,
            )
            bodies += [body, self._list(name, text, alone, vector, 1)]
        return [{**body, "_source": False} for body in bodies]

    def marking(self, text: str, id_: DocId) -> Body:
        """A search for one document, with words of the text marked in the whole of its fields."""
        body = self._shown(
            {"query": {"ids": {"values": [id_]}}, "size": 1}, Asked(size=1, highlight=True), text
        )
        whole = {"number_of_fragments": 0, "max_analyzed_offset": _MARKED_CHARACTERS}
        return {**body, "highlight": {**body["highlight"], **whole}}

    def parts_of(
        self, text: str, asked: Asked, responses: Sequence[Mapping[str, Any]], id_: DocId
    ) -> FusedHit | None:
        """What the lists of ``explaining`` say of a document, fused; None where no list has it.

        One outside a list's window has a score there and no rank, and no part in the sum.
        """
        rankings = [ranking_of(response) for response in responses[::2]]
        alone = [ranking_of(response) for response in responses[1::2]]
        found = self._fuse(text, asked, rankings) if asked.mode == "hybrid" else ()
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
        own = vector.outputs.get(name) if isinstance(vector, OfLists) else vector
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
        source = raw.get("_source", {})
        # a pipeline keeps no order: what is searched comes first
        first = {name: source[name] for name in self.field.text.paths if name in source}
        return Hit(raw["_id"], float(score), {**first, **source}, parts, raw.get("highlight", {}))

    def _shown(self, body: Body, asked: Asked, text: str) -> Body:
        """The same search, which brings what is to be shown of its hits."""
        hidden = [NOTES, *(each.path for each in self.provenance.vector_fields.values())]
        source: dict[str, Any] = {"excludes": hidden}
        if asked.fields is not None:
            source["includes"] = list(asked.fields)
        is_shown = asked.fields != [] and not self.provenance.sourceless
        shown: Body = {"_source": source if is_shown else False}
        if asked.highlight:
            names = [*self.field.inputs, *self.provenance.bm25_fields]
            fields: dict[str, Any] = {name: {} for name in names}
            # several inputs are searched in one field, which no source has; and of a hit that
            # kNN alone found the words are shown all the same
            query = {"multi_match": {"query": text, "fields": list(fields)}}
            shown["highlight"] = {
                "fields": fields,
                "require_field_match": False,
                "highlight_query": query,
            }
        return {**body, **shown}


def require_one_query(text: str | None, image: object, numbers: object = None) -> None:
    """Raises RequestError unless a search is for a text, for an image, or for numbers."""
    if sum(each is not None for each in (text, image, numbers)) != 1:
        raise RequestError("a search is for a text or for an image; give one of them, or numbers")
