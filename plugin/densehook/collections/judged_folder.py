"""A BEIR folder of judgements that grows while people judge.

    queries.jsonl      {"_id": "q-5f1c…", "text": "how do vaccines work"}
    qrels/test.tsv     query-id, corpus-id, score: what is read again
    qrels.trec         the same in TREC's four columns, for trec_eval

Documents are not among it: they are the index's, or a corpus.jsonl that is put there. A question's
id is made of its text, so that folders of several people can be laid together. Another split has
files of its own, as qrels/dev.tsv and qrels.dev.trec.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..bundle import is_blank
from ..errors import CollectionError
from ..files import lines_of
from ..types import DocId, Qrels, QueryId
from .beir import is_beir, read_queries
from .hub_files import find_hub
from .qrels import read_qrels
from .runs import qrels_lines, writing

_QUERIES = "queries.jsonl"
_LOCK = ".lock"
_DIGITS = 12
_HEAD = "query-id\tcorpus-id\tscore\n"


class JudgedFolder:
    """Judgements in a folder, which is made with the first; nothing else is known of it meanwhile.

    Each judgement is in the files before it is answered, and files are replaced whole: several may
    judge at once, and who reads sees all of the old or all of the new. Raises CollectionError for
    files that cannot be read or written, here and in every method.
    """

    def __init__(
        self,
        path: Path,
        split: str = "test",
        *,
        texts: Mapping[QueryId, str] | None = None,
        qrels: Qrels | None = None,
    ) -> None:
        """``qrels`` of elsewhere count beside the folder's, and ``texts`` are of their queries.

        With the first judgement they are taken over into the folder, but where it has a grade of
        its own. Raises CollectionError where a query is another one in the folder, or its text is
        not known.
        """
        self.path = path
        self._qrels = f"qrels/{split}.tsv"
        self._trec = "qrels.trec" if split == "test" else f"qrels.{split}.trec"
        self._require_readable()
        self._joined: tuple[Mapping[QueryId, str], Qrels] = ({}, {})
        known, _ = self._read()
        self._joined = (_joined(path, known, texts or {}, qrels or {}), qrels or {})

    def grades(self, text: str) -> Mapping[DocId, int]:
        """The judged documents of a question, with their grades."""
        queries, qrels = self._read()
        id_ = _id_of(text, queries)
        return qrels.get(id_, {}) if id_ in queries else {}

    def counts(self) -> Mapping[str, int]:
        """The judged questions, each with its number of judgements, in the order of the file."""
        queries, qrels = self._read()
        return {text: len(qrels[id_]) for id_, text in queries.items() if qrels.get(id_)}

    def all(self) -> tuple[Mapping[QueryId, str], Qrels]:
        """The queries' texts, and all that is judged."""
        return self._read()

    def judge(self, text: str, document: DocId, grade: int | None) -> Mapping[DocId, int]:
        """Keeps a judgement, or takes it back with None; gives all of the question."""
        with self._locked():
            queries, qrels = self._read()
            return self._keep(_id_of(text, queries), text, document, grade, queries, qrels)

    def judge_query(
        self, query: QueryId, document: DocId, grade: int | None
    ) -> Mapping[DocId, int]:
        """As ``judge``, of a query that is known by its id. Raises CollectionError for another."""
        with self._locked():
            queries, qrels = self._read()
            if query not in queries:
                raise CollectionError(f"{self.path} has no query {query!r}; judge one that it has")
            return self._keep(query, queries[query], document, grade, queries, qrels)

    def _keep(
        self,
        query: QueryId,
        text: str,
        document: DocId,
        grade: int | None,
        queries: Mapping[QueryId, str],
        read: Qrels,
    ) -> Mapping[DocId, int]:
        qrels = {each: dict(judged) for each, judged in read.items()}
        judged = qrels.setdefault(query, {})
        if grade is None:
            judged.pop(document, None)
        else:
            judged[document] = grade
        kept = {each: grades for each, grades in qrels.items() if grades}
        rows = list(qrels_lines(kept))  # what TREC's columns cannot hold is refused here
        there, _ = self._own()
        more = {id_: known for id_, known in queries.items() if id_ not in there}
        if query not in queries and judged:
            more[query] = text
        if more:
            self._add_queries(more)
        self._replace(self._qrels, lambda file: file.writelines(_tsv(kept)))
        self._replace(self._trec, lambda file: file.writelines(rows))
        self._joined = ({}, {})  # it is the folder's now
        return judged

    def _read(self) -> tuple[Mapping[QueryId, str], Qrels]:
        """What the folder holds, and what is to be taken over into it."""
        queries, qrels = self._own()
        texts, others = self._joined
        if not others:
            return queries, qrels
        merged = {query: {**judged, **qrels.get(query, {})} for query, judged in others.items()}
        return {**queries, **texts}, {**qrels, **merged}

    def _own(self) -> tuple[Mapping[QueryId, str], Qrels]:
        queries = self._there(_QUERIES)
        qrels = self._there(self._qrels)
        known = {each.id: each.text for each in read_queries(queries)} if queries else {}
        return known, read_qrels(qrels) if qrels else {}

    def _require_readable(self) -> None:
        """A dataset of the hub has its judgements in other files, which new ones would hide."""
        if self.path.is_dir() and not is_beir(self.path) and find_hub(self.path) is not None:
            raise CollectionError(
                f"{self.path} is a dataset whose judgements are not in {self._qrels}; judge into"
                " another folder (--judgements)"
            )

    def _there(self, name: str) -> Path | None:
        """The file, as it is or gzipped; what is written is always plain, and comes first."""
        for file in (self.path / name, self.path / f"{name}.gz"):
            if file.is_file():
                return file
        return None

    def _add_queries(self, texts: Mapping[QueryId, str]) -> None:
        """Lines more; the others stay as they are, whatever else they say."""
        before = self._there(_QUERIES)
        lines = [line.content.decode() for line in lines_of(before)] if before else []
        lines += [
            json.dumps({"_id": id_, "text": _one_line(text)}, ensure_ascii=False)
            for id_, text in texts.items()
        ]
        self._replace(_QUERIES, lambda file: file.writelines(f"{line}\n" for line in lines))

    def _replace(self, name: str, write: Callable[[IO[str]], None]) -> None:
        path = self.path / name
        unfinished = path.with_name(f"{path.name}.new")
        with writing(unfinished) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, in this process or another."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with (self.path / _LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            reason = error.strerror or error
            raise CollectionError(f"{self.path} cannot be written: {reason}") from None


def _joined(
    path: Path, known: Mapping[QueryId, str], texts: Mapping[QueryId, str], qrels: Qrels
) -> Mapping[QueryId, str]:
    """The texts of judged queries that a folder does not know."""
    for query in qrels:
        text = texts.get(query)
        if text is None and is_blank(known.get(query, "")):
            raise CollectionError(
                f"the text of query {query!r} is not known, for it was measured from judgements"
                f" alone; {path} must be a BEIR folder whose queries.jsonl has it (--judgements)"
            )
        if None not in (text, known.get(query)) and _one_line(text or "") != _one_line(
            known[query]
        ):
            raise CollectionError(
                f"query {query!r} is {_one_line(known[query])!r} in {path} and"
                f" {_one_line(text or '')!r} where it was measured; judge into another folder"
                " (--judgements)"
            )
    return {query: texts[query] for query in qrels if query in texts and query not in known}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _id_of(text: str, queries: Mapping[QueryId, str]) -> QueryId:
    """The id of the query with this text, or one made of it."""
    wanted = _one_line(text)
    for id_, known in queries.items():
        if _one_line(known) == wanted:
            return id_
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    lengths = range(_DIGITS, len(digest) + 1)
    return next(id_ for n in lengths if (id_ := f"q-{digest[:n]}") not in queries)


def _tsv(qrels: Qrels) -> Iterator[str]:
    yield _HEAD
    for query, judged in qrels.items():
        yield from (f"{query}\t{document}\t{grade}\n" for document, grade in judged.items())
