"""One index, its searches one by one with what each took, and what people say of their hits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._version import __version__
from ..collections import JudgedFolder, Pool
from ..elastic.cluster import tokens_in_cluster
from ..errors import DensehookError, RequestError
from ..hooks.searching import unread_paths
from ..index import Index
from .asking import Grading, Judgement, Search
from .judging import Judging
from .showing import shown_hit

Json = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """What the page shows.

    ``lacking`` says why there is neither dense nor hybrid search, where there is none; ``pool`` is
    what is there to be judged beside what is asked.
    """

    index: Index
    judged: JudgedFolder
    lacking: str = ""
    pool: Pool | None = None

    def about(self) -> Json:
        """The index, whose vectors it has and where they are made, and the questions judged.

        Where the cluster or the folder of judgements fails, ``error`` says so.
        """
        field = self.index.field
        told: Json = {
            "version": __version__,
            "index": self.index.name,
            "field": field.name,
            "inputs": list(field.inputs),
            "encoder": field.encoder,
            "fingerprint": field.fingerprint,
            "where": self._where,
            "lacking": self.lacking,
            "folder": str(self.judged.path),
            "questions": [],
            "pool": self.pool is not None,
        }
        try:
            told |= self._counted()
            stats = self.index.stats()
            told |= {"documents": stats.documents, "without_vector": stats.without_vector}
        except DensehookError as error:
            told["error"] = str(error)
        return told

    def question(self, text: str) -> Json:
        """What is judged for a question, and how much of it the encoder reads."""
        told: Json = {"grades": dict(self.judged.grades(text))}
        try:
            told |= self._tokens(text)
        except DensehookError as error:
            told["unread"] = str(error)
        return told

    def search(self, search: Search) -> Json:
        """Hits, with milliseconds: the whole, the encoding here, and what the cluster took."""
        begun = time.perf_counter()
        texts, asked = [search.text], search.asked
        vectors = self.index.asking.vectors_of(texts, asked)
        encoded = time.perf_counter()
        (bodies,) = self.index.asking.searches(texts, asked, vectors)
        answers = self.index.rescored(texts, asked, [self.index.send(bodies)], vectors)
        (hits,) = self.index.asking.read(texts, asked, answers)
        shown = [shown_hit(hit, self.index.searching.read_paths) for hit in hits]
        ended = time.perf_counter()
        here = vectors[0] is not None
        return {
            "hits": shown,
            "took": hits.took,
            "encode": 1000 * (encoded - begun) if here else None,
            "whole": 1000 * (ended - begun),
        }

    def judge(self, judgement: Judgement) -> Json:
        """Keeps a judgement; gives all of its question."""
        grades = self.judged.judge(judgement.text, judgement.document, judgement.grade)
        return {"grades": dict(grades), **self._counted()}

    def grade(self, grading: Grading) -> Json:
        """Keeps a judgement of the pool; gives how far it is judged, and how much is judged."""
        told = self.judging.judge(grading)
        counts = self.judged.counts()
        return {**told, "judgements": sum(counts.values()), "asked": len(counts)}

    def document(self, id_: str) -> Json:
        """All fields of a document but its vectors and what is no text; none where it is gone."""
        found, unread = self.index.get(id_), unread_paths(self.index.provenance)
        fields = {} if found is None else found.fields
        shown = {name: value for name, value in fields.items() if name not in unread}
        return {"fields": None if found is None else shown}

    @property
    def judging(self) -> Judging:
        """The pool being judged. Raises RequestError where none was given."""
        if self.pool is None:
            raise RequestError("there is no pool to judge; start densehook compare with --pool")
        return Judging(self.index, self.judged, self.pool)

    @property
    def _where(self) -> str:
        if self.index.encoder is not None:
            return "here"
        return "cluster" if self.index.provenance.in_cluster else "nowhere"

    def _counted(self) -> Json:
        questions: Mapping[str, int] = self.judged.counts()
        return {"questions": list(questions), "judgements": sum(questions.values())}

    def _tokens(self, text: str) -> Json:
        encoder = self.index.encoder
        if encoder is not None:
            (tokens,) = encoder.tokenize([text], "query")
            return {"read": len(tokens.ids), "lost": tokens.lost}
        if self._where == "cluster":
            read, lost = tokens_in_cluster(self.index.client, self.index.field.encoder, text)
            return {"read": read, "lost": lost}
        return {}
