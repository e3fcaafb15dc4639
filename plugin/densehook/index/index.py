"""The index in a synchronous program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from ..elastic.adding import add_field
from ..elastic.checkpoints import CheckpointDocument, forget_checkpoints
from ..elastic.cluster import has_encoder
from ..elastic.connect import elastic_errors, require_sync
from ..elastic.coverage import join_of
from ..elastic.indices import create_index, delete_index, refresh, searched_provenance_of, uuid_of
from ..elastic.patience import Patience
from ..elastic.rescoring import rescored
from ..elastic.search import Searcher, msearch
from ..errors import ElasticError, RequestError, UnusableDocument
from ..hooks import (
    NOTES,
    IndexTypes,
    Join,
    Kinds,
    Modality,
    Provenance,
    VectorField,
    field_for,
    text_of,
)
from ..hooks.kinds.multi import RESCORED
from ..types import IN_INDEX, PATIENCE, DocId, Document
from .asked import Asked, Options
from .asking import Asking, by_searches
from .hits import Hit, Hits
from .reranking import Here, InCluster, Stage, stage_of
from .searching import Answer, Body, OfLists, Searching, Vector, require_one_query, tokens_of
from .stats import IndexStats, stats_of

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..chunk import ChunkRule
    from ..collections import BadLine, Documents
    from ..elastic.remote import RemoteEncoder
    from ..encode import Encoder
    from ..fusion import FusedHit
    from ..ingest import Checkpoint, EmbedReport, Failure, FeedReport
    from .vectors import VectorsReport

_TEXTS_PER_REQUEST = 500
"""Documents whose texts are read in one answer, to be reranked."""


class Index:
    """One index, the encoder of one of its vector fields, and the client of its cluster.

    Made by ``Index.create`` or ``Index.open``. What the index says of itself is read once: after
    that, a search is one request.

        index = densehook.Index.open(es, "passages", encoder)
        for hit in index.search("how do vaccines work", filter={"term": {"lang": "en"}}):
            print(hit)
    """

    def __init__(
        self,
        client: Elasticsearch,
        provenance: Provenance,
        field: VectorField,
        encoder: Encoder | None,
        *,
        cluster_encodes: bool = False,
        beside: Sequence[VectorField] = (),
    ) -> None:
        """``cluster_encodes`` says that the cluster can encode queries of vectors not its own.

        ``beside`` are fields that one run of the encoder fills with ``field``.
        """
        self.client = client
        self.provenance = provenance
        self.field = field
        self.encoder = encoder
        self.cluster_encodes = cluster_encodes or provenance.in_cluster
        self._stages: dict[str, Stage] = {}
        self.searching = Searching(
            provenance,
            field,
            encodes_here=encoder is not None,
            cluster_encodes=self.cluster_encodes,
            beside=beside,
        )
        self.asking = Asking(self.searching, encoder)

    @property
    def name(self) -> str:
        """The index's name; where it was opened by an alias of it alone, that of the index."""
        return self.provenance.index

    def __repr__(self) -> str:
        where = "here" if self.encoder else "in the cluster" if self.cluster_encodes else "nowhere"
        return f"<Index {self.name!r}: {self.field.name} by {self.field.encoder}, encoded {where}>"

    @classmethod
    def create(
        cls,
        client: Elasticsearch,
        name: str,
        encoder: Encoder | RemoteEncoder,
        *,
        inputs: Sequence[str],
        field: str | None = None,
        kinds: Kinds | None = None,
        index_type: IndexTypes = None,
        shards: int = 1,
        replicas: int = 0,
        in_cluster: bool | None = None,
        chunk: ChunkRule | None = None,
        template: str | None = None,
        prompt: Mapping[str, Any] | None = None,
        modality: Modality = "text",
    ) -> Self:
        """Makes the index for an encoder: mapping, BM25 as in Anserini, provenance.

        The vectors of ``field``, by default embedding, are made from the text fields ``inputs``,
        joined, or put together by a ``template`` such as "{title}: {text}"; with ``prompt`` a field
        chooses what goes before: {"field": "lang", "prompts": {"de": "Dokument: "}};
        ``index_type`` is hnsw, int8_hnsw, int4_hnsw, bbq_hnsw or flat; of token vectors int8,
        float32 or 1bit, and int8-pool2 for half as many. With ``chunk`` a document has a vector for
        each chunk of its text, in passages.vector by default. With ``kinds``, those of a bundle of
        several, each has a field: ``embedding`` of dense, ``weights`` of sparse, ``tokens`` of
        multi, or as a dict says; ``index_type`` may then be a list. With ``modality`` image the one
        input holds images, as base64 or data URLs, with numbers lists of them. With ``in_cluster``
        the cluster's plugin makes them, without it this process does; None leaves it to the plugin
        where it has this very encoder in service, as it has one of the cluster's.
        Raises IndexExists, ElasticError where the cluster refuses, RequestError for fields that
        cannot be.

            index = densehook.Index.create(es, "passages", encoder, inputs=["title", "text"])
            index = densehook.Index.create(
                es, "three", bge_m3, inputs=["text"], kinds=["dense", "sparse", "multi"]
            )
        """
        require_sync(client)
        in_cluster = create_index(
            client,
            name,
            encoder.manifest,
            inputs=inputs,
            index_type=index_type,
            shards=shards,
            replicas=replicas,
            field=field,
            kinds=kinds,
            in_cluster=in_cluster,
            chunk=chunk,
            template=template,
            prompt=prompt,
            modality=modality,
        )
        made = cls.open(client, name)
        return made if in_cluster else made.encoded_by(encoder)

    @classmethod
    def add_field(
        cls,
        client: Elasticsearch,
        name: str,
        encoder: Encoder | RemoteEncoder,
        *,
        inputs: Sequence[str] = (),
        field: str | None = None,
        index_type: str | None = None,
        in_cluster: bool | None = None,
        chunk: ChunkRule | None = None,
        template: str | None = None,
        prompt: Mapping[str, Any] | None = None,
        modality: Modality = "text",
    ) -> Self:
        """Gives an index that is there a vector field; ``embed`` fills it.

        Its mapping is added to, and nothing else of it changes. A field that is there already for
        this encoder stays as it is, and needs no ``inputs``; else as ``create``. Where the cluster
        makes the vectors, whatever is written from now on gets one. Raises RequestError where the
        index cannot take the field, EncoderMismatch where it is another encoder's, IndexNotFound.

            index = densehook.Index.add_field(es, "articles", encoder, inputs=["title", "body"])
        """
        require_sync(client)
        in_cluster = add_field(
            client,
            name,
            encoder.manifest,
            inputs=inputs,
            field=field,
            index_type=index_type,
            in_cluster=in_cluster,
            chunk=chunk,
            template=template,
            prompt=prompt,
            modality=modality,
        )
        opened = cls.open(client, name, field=field or field_for(chunk))
        return opened if in_cluster else opened.encoded_by(encoder)

    @classmethod
    def open(
        cls,
        client: Elasticsearch,
        name: str,
        encoder: Encoder | RemoteEncoder | None = None,
        *,
        field: str | None = None,
    ) -> Self:
        """An index that is there, by its name or an alias.

        Where the name stands for several indices they are searched together, and nothing else can
        be done with them; by several encoders, where the cluster has all of these in service.

        Without an encoder it is searched by BM25, and by dense and hybrid too where the cluster has
        the field's encoder in service. ``field`` names the vector field where there are several;
        those that one run of an encoder fills are otherwise opened together: each is searched in
        the mode of its kind, and hybrid search fuses all but token vectors.
        Raises IndexNotFound, EncoderMismatch where the encoder is not the field's, NoProvenance for
        an index that does not say whose vectors it has.

            index = densehook.Index.open(es, "passages")
        """
        require_sync(client)
        provenance = searched_provenance_of(client, name)
        vectors, *beside = provenance.searched_fields(field)
        if encoder is not None:
            return cls(client, provenance, vectors, None, beside=beside).encoded_by(encoder)
        serves = provenance.in_cluster or all(
            has_encoder(client, each.encoder, each.fingerprint) for each in vectors.encoders
        )
        return cls(client, provenance, vectors, None, cluster_encodes=serves, beside=beside)

    def encoded_by(self, encoder: Encoder | RemoteEncoder) -> Self:
        """The same index with an encoder. Raises EncoderMismatch for another than the field's.

        One of the cluster's encodes queries; documents only where the index is made for that.

        index = densehook.Index.open(es, "passages").encoded_by(encoder)
        """
        from ..elastic.remote import RemoteEncoder

        for each in (self.field, *self.beside):
            each.require(encoder.manifest, self.name)
        remote = isinstance(encoder, RemoteEncoder)
        return type(self)(
            self.client,
            self.provenance,
            self.field,
            None if isinstance(encoder, RemoteEncoder) else encoder,
            cluster_encodes=remote,
            beside=self.beside,
        )

    @property
    def beside(self) -> Sequence[VectorField]:
        """The fields that are searched and fed with ``field``: of other kinds, by the same run."""
        return self.searching.beside

    def require_one_field(self) -> None:
        """Raises RequestError where several were opened, and one is to be chosen.

        densehook.Index.open(es, "three", field="embedding").require_one_field()
        """
        if self.beside:
            known = ", ".join(each.name for each in (self.field, *self.beside))
            raise RequestError(
                f"index {self.name!r} has several vector fields ({known}); name one: --field, or"
                " field= where it is opened"
            )

    def ingest(
        self,
        documents: str | Path | Iterable[Document | Mapping[str, Any] | BadLine],
        *,
        id: str | None = None,
        rename: Mapping[str, str] | None = None,
        make_ids: bool = False,
        replace: bool = False,
        checkpoint: Checkpoint | Path | str | None = None,
        patience: float | str = PATIENCE,
        on_failure: Callable[[Failure], None] = lambda failure: None,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> FeedReport:
        """Encodes documents and indexes them; what cannot be indexed is counted, and never the end.

        They come from a file or folder (what ``collections.documents_from`` reads), as dicts, as
        rows of a DataFrame, or as ``Document``. ``id`` names the field that holds their ids,
        ``_id``, ``id`` or ``docid`` by default; ``rename`` gives fields other names, old to new.
        With ``make_ids`` a document without an id gets one made of its content.
        With ``replace`` documents may be there already, and those of unchanged text are not encoded
        again. ``on_failure`` hears of each failure; the report keeps the first. ``checkpoint`` is a
        file that says how far the feed came, or "index" for a document in the cluster: a feed that
        was ended goes on there, if the documents come in the same order; of files it is seen
        whether they are the same. A cluster that is busy or gone is waited for with ``patience``,
        seconds or a text like "5m"; then ClusterUnavailable is raised.

            report = index.ingest("corpus.jsonl")
            report.indexed, report.failed, report.failures
        """
        from ..collections import documents_from
        from ..ingest import feed_field

        self.provenance.require_one_index()
        source = documents_from(documents, id=id, rename=rename, make_ids=make_ids)
        if isinstance(checkpoint, str | Path):
            checkpoint = self.checkpoint(checkpoint, source, replace=replace, patience=patience)
        return feed_field(
            self.client,
            self.provenance,
            self.field,
            source,
            self.encoder,
            replace=replace,
            checkpoint=checkpoint,
            patience=Patience(patience),
            on_failure=on_failure,
            on_progress=on_progress,
        )

    def embed(
        self,
        *,
        texts: bool = False,
        requests_per_second: float | None = None,
        on_failure: Callable[[Failure], None] = lambda failure: None,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> EmbedReport:
        """Gives documents that are in the index the vectors that they lack, while it serves.

        Vectors of another encoder are made anew; a client's own, and documents without text, stay
        as they are. With ``texts`` every document is read, and one whose text is another than its
        vector was made of gets another. At most ``requests_per_second`` documents are written a
        second. Nobody's newer write is written over. A run that was ended goes on by being run
        again. ``on_progress`` hears how many documents of how many are done.

            index.embed(requests_per_second=50).coverage.lacking
        """
        from ..ingest import embed_field

        self.require_one_field()
        return embed_field(
            self.client,
            self.provenance,
            self.field,
            self.encoder,
            texts=texts,
            requests_per_second=requests_per_second,
            on_failure=on_failure,
            on_progress=on_progress,
        )

    def import_vectors(
        self,
        source: str | Path,
        documents: str | Path | Iterable[Document | Mapping[str, Any] | BadLine] | None = None,
        *,
        id: str | None = None,
        rename: Mapping[str, str] | None = None,
        replace: bool = False,
        on_failure: Callable[[Failure], None] = lambda failure: None,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> FeedReport:
        """Takes vectors that Pyserini, Anserini or Faiss made with this index's encoder.

        ``source`` is JSONL or Parquet, a folder of either, or Faiss' folder. ``documents``, as for
        ``ingest``, are indexed with them; without, they are in the index already. Every vector is
        read before the first is written, and some texts are encoded here to prove whose they are.
        Raises CollectionError, EncoderMismatch, RequestError, ElasticError.

            index.import_vectors("embeddings.jsonl", "corpus.jsonl").brought
        """
        from .vectors import import_vectors

        self.provenance.require_one_index()
        self.require_one_field()
        return import_vectors(
            self,
            Path(source),
            documents,
            id=id,
            rename=rename,
            replace=replace,
            on_failure=on_failure,
            on_progress=on_progress,
        )

    def export_vectors(
        self, target: str | Path, *, on_progress: Callable[[int], None] = lambda done: None
    ) -> VectorsReport:
        """Writes the vectors as Pyserini and Anserini read them, float32 to the bit.

        The format is that of the name: .jsonl, .jsonl.gz, .parquet, or a folder of Faiss for a name
        without an ending. It keeps whose vectors they are, where they are of the field's encoder.
        Raises CollectionError, ElasticError, MissingExtra.

            index.export_vectors("vectors.parquet").vectors
        """
        from .vectors import export_vectors

        self.provenance.require_one_index()
        self.require_one_field()
        return export_vectors(self, Path(target), on_progress)

    def checkpoint(
        self,
        where: Path | str,
        documents: Documents,
        *,
        replace: bool = False,
        letters: str = "none",
        patience: float | str = PATIENCE,
    ) -> Checkpoint:
        """How far a feed of these documents into this index came; none yet is new.

        It is kept in a file, or in the cluster where the text "index" is given. ``letters`` names
        the file beside it that failures are written to, if they are. Raises RequestError for one of
        another feed, CheckpointError for one that cannot be read or written, ElasticError.

        index.checkpoint("feed.json", documents_from("corpus.jsonl")).done
        """
        from ..ingest import Checkpoint, CheckpointFile

        self.provenance.require_one_index()
        uuid = uuid_of(self.client, self.name)
        of = {
            "index": uuid,
            "field": self.field.name,
            "encoder": self.field.fingerprint,
            "source": documents.state,
            "replace": str(replace).lower(),
            "letters": letters,
        }
        if where != IN_INDEX:
            return Checkpoint.open(CheckpointFile(Path(where)), of)
        waits = Patience(patience)
        store = CheckpointDocument(self.client, self.name, uuid, documents.part, waits)
        return Checkpoint.open(store, of)

    def search(
        self,
        text: str | None = None,
        *,
        image: str | bytes | Path | None = None,
        numbers: Sequence[Any] | None = None,
        **options: Unpack[Options],
    ) -> Hits:
        """The best hits for a text, by hybrid search unless ``mode`` says another.

        Or for an image, a file's bytes, its ``Path``, base64 or a data URL, by dense search; with
        ``mode`` maxsim the ``window`` nearest in the order of their patches' MaxSim, where the
        index is opened with a field of those. Or for ``numbers``, a list of them or of lists of
        channels, by dense search.

        What may be asked, as ``size``, ``filter`` and ``fusion``, is in ``densehook.Asked``. Raises
        RequestError for what makes no sense, ElasticError where the cluster fails or refuses.

            index.search("how do vaccines work", size=10, filter={"term": {"lang": "en"}})
        """
        require_one_query(text, image, numbers)
        if image is not None:
            asked, body, vector = self.asking.image_search(image, options)
            answers = self.rescored([""], asked, [self.send([body])], [vector])
            return self.asking.read([""], asked, answers)[0]
        if numbers is not None:
            asked, body, _ = self.asking.numbers_search(numbers, options)
            return self.asking.read([""], asked, [self.send([body])])[0]
        return self.msearch([cast(str, text)], **options)[0]

    def msearch(self, texts: Sequence[str], **options: Unpack[Options]) -> list[Hits]:
        """The hits for each text, in one request; else as ``search``.

        for hits in index.msearch(["how do vaccines work", "what is a virus"], mode="dense"):
            print(hits.query, hits[0].id)
        """
        asked = Asked.of(options)
        stage = self.stage_of(asked)
        vectors = self.asking.vectors_of(texts, asked)
        bodies = self.asking.searches(texts, asked, vectors, stage)
        sent = by_searches(bodies, self.send([body for each in bodies for body in each]))
        answers = self.rescored(texts, asked, sent, vectors, stage)
        found = self.reranked(self.asking.read(texts, asked, answers, stage), asked, stage)
        return self.with_passages(found, asked, vectors)

    def explain(self, text: str, id: DocId, **options: Unpack[Options]) -> FusedHit | None:
        """Where one document stands for a query, and why; None where no list knows it.

        ``parts`` are what BM25 and dense search say of it: the rank, where it is among the first
        ``window``, and the score, which it has also when it is not. By maxsim it is what token
        vectors say of it.

            densehook.Index.open(es, "passages").explain("how do vaccines work", "doc-7").parts
        """
        self.provenance.require_one_index()
        asked = Asked.of(options)
        (vector,) = self.asking.vectors_of([text], asked)
        searching = self.searching.of(asked.mode)
        bodies = searching.explaining(text, id, asked, vector)
        sent = by_searches(bodies, self.send([body for each in bodies for body in each]))
        several = len(bodies)
        answers = self.rescored([text] * several, asked.whole, sent, [vector] * several)
        return searching.parts_of(text, asked, [each[0] for each in answers], id)

    def get(self, id: DocId) -> Document | None:
        """A document without its vectors; None where there is none with that id.

        index.get("doc-7").fields["title"]
        """
        return self.mget([id]).get(id)

    def mget(self, ids: Sequence[DocId]) -> dict[DocId, Document]:
        """The documents that are there, by id, in one request; else as ``get``.

        list(index.mget(["doc-7", "doc-8"]))
        """
        if not ids:
            return {}
        hidden = [NOTES, *(each.path for each in self.provenance.vector_fields.values())]
        return self._documents(ids, source_excludes=hidden)

    def _documents(self, ids: Sequence[DocId], **shown: Any) -> dict[DocId, Document]:
        """Those of the documents that are there, as far as ``shown`` says.

        Raises RequestError where the index keeps nothing of them.
        """
        self.provenance.require_one_index()
        if self.provenance.sourceless:
            raise RequestError(
                f"index {self.name!r} keeps no _source of its documents, so that none can be shown;"
                " search gives their ids"
            )
        with elastic_errors(self.client):
            found = self.client.mget(index=self.name, ids=list(ids), **shown)
        return {
            doc["_id"]: Document(doc["_id"], doc.get("_source", {}))
            for doc in found["docs"]
            if doc.get("found")
        }

    def marked(self, id: DocId, text: str) -> Hit | None:
        """A document as a hit that has words of a text marked in the whole of its fields.

        None where there is none with that id; its score says nothing.

            index.marked("doc-7", "how do vaccines work").highlights["title"]
        """
        answer = self.send([self.searching.marking(text, id)])
        return next(iter(self.searching.hits(text, Asked(mode="bm25"), answer)), None)

    def delete(self, ids: DocId | Sequence[DocId]) -> int:
        """Takes documents out of the index; gives how many of them were there.

        Raises ElasticError, when all that can be are deleted, for one that cannot.

        index.delete(["doc-7", "doc-8"])
        """
        wanted = [ids] if isinstance(ids, str) else list(ids)
        if not wanted:
            return 0
        self.provenance.require_one_index()
        operations = [{"delete": {"_id": each}} for each in wanted]
        with elastic_errors(self.client):
            done = self.client.bulk(index=self.name, operations=operations)
        refresh(self.client, self.name)
        results = [item["delete"] for item in done["items"]]
        for result in results:
            if "error" in result:
                reason = result["error"].get("reason") or result["error"].get("type")
                raise ElasticError(f"document {result['_id']!r} was not deleted: {reason}")
        return sum(result["result"] == "deleted" for result in results)

    def drop(self) -> None:
        """Deletes the index itself, with all it holds, and what the cluster keeps of its feeds.

        index.drop()
        """
        delete_index(self.client, self.name)
        forget_checkpoints(self.client, self.name)

    def stats(self) -> IndexStats:
        """What the index holds: documents, those with a vector, bytes, and whose vectors.

        index.stats().without_vector
        """
        self.provenance.require_one_index()
        return stats_of(self.client, self.provenance, self.field)

    def searcher(self, instruction: str | None = None) -> Searcher:
        """What an evaluation runs its queries with: whole rankings of ids, by bm25 or dense.

        ``instruction`` is what the encoder is told to do with every query, as in ``search``.

        index.searcher().search({"q1": "how do vaccines work"}, "dense", depth=100)["q1"]
        """
        return Searcher(
            self.client,
            self.name,
            self.encoder,
            self.field.name,
            cluster_encodes=self.cluster_encodes,
            instruction=instruction,
        )

    def stage_of(self, asked: Asked) -> Stage | None:
        """Who reranks; None where nobody is to. A bundle that is named is opened once.

        index.stage_of(Asked(rerank="ms-marco-minilm-l12"))
        """
        if asked.rerank is None:
            return None
        if not isinstance(asked.rerank, str):
            return stage_of(self.client, asked.rerank)
        if asked.rerank not in self._stages:
            self._stages[asked.rerank] = stage_of(self.client, asked.rerank)
        return self._stages[asked.rerank]

    def reranked(self, found: list[Hits], asked: Asked, stage: Stage | None) -> list[Hits]:
        """The hits of each text in the order of a cross-encoder here, where one is to rerank.

        index.reranked(found, asked, index.stage_of(asked))
        """
        if not isinstance(stage, Here):
            return found
        ids = list(dict.fromkeys(hit.id for hits in found for hit in hits))
        scores: list[dict[DocId, float]] = [{} for _ in found]
        for start in range(0, len(ids), _TEXTS_PER_REQUEST):
            texts = self._texts(ids[start : start + _TEXTS_PER_REQUEST], stage.encoder)
            for hits, own in zip(found, scores, strict=True):
                own |= stage.scores(hits, texts, asked)
        return [stage.reranked(hits, own, asked) for hits, own in zip(found, scores, strict=True)]

    def _texts(self, ids: Sequence[DocId], encoder: Encoder) -> dict[DocId, str]:
        """The texts that documents are reranked by; empty where one has none."""
        rule = self.searching.reranked_by
        texts: dict[DocId, str] = {}
        for id_, document in self._documents(ids, source_includes=list(rule.paths)).items():
            try:
                texts[id_] = text_of(document, rule, encoder.manifest.join)[0]
            except UnusableDocument:
                texts[id_] = ""
        return texts

    def rescored(
        self,
        texts: Sequence[str],
        asked: Asked,
        answers: Sequence[Sequence[Answer]],
        vectors: Sequence[Vector | OfLists | None],
        stage: Stage | None = None,
    ) -> Sequence[Sequence[Answer]]:
        """The answers for each text, whose hits are in the order of MaxSim where it is made here.

        index.rescored(texts, asked, answers, index.asking.vectors_of(texts, asked))
        """
        first = asked.first_stage if isinstance(stage, Here) else asked
        if first.mode != RESCORED or isinstance(stage, InCluster):
            return answers
        return [
            own if vector is None else [self._rescored(text, first, own, vector)]
            for text, own, vector in zip(texts, answers, vectors, strict=True)
        ]

    def _rescored(
        self, text: str, asked: Asked, answers: Sequence[Answer], vector: Vector | OfLists
    ) -> Answer:
        searching = self.searching.of(RESCORED)
        best = rescored(
            self.client,
            self.name,
            searching.field,
            tokens_of(vector),
            searching.found(text, asked, answers),
            asked.last,
            searching.shown(asked, text),
        )
        took = max(int(each.get("took", 0)) for each in answers)
        return {"took": took, "hits": {"hits": best[asked.from_ :]}}

    def with_passages(
        self, found: list[Hits], asked: Asked, vectors: Sequence[Vector | OfLists | None]
    ) -> list[Hits]:
        """The hits of each text with their passages, where some are asked for.

        index.with_passages(found, Asked(passages=2), vectors)
        """
        if not asked.passages:
            return found
        bodies = [
            self.searching.of(asked.mode).passages(hits.query, asked, vector, hits)
            for hits, vector in zip(found, vectors, strict=True)
            if hits
        ]
        answers = iter(self.send(bodies) if bodies else ())
        return [
            self.searching.with_passages(hits, next(answers), self._join) if hits else hits
            for hits in found
        ]

    @cached_property
    def _join(self) -> Join:
        """How the field's encoder puts texts together."""
        here = self.encoder
        return join_of(self.client, self.field) if here is None else here.manifest.join

    def send(self, bodies: Sequence[Body]) -> Sequence[Mapping[str, Any]]:
        """The answers to these searches, sent in one request. Raises ElasticError."""
        return msearch(self.client, self.name, bodies)
