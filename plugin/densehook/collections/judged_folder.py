"""A BEIR folder of judgements that grows while people judge.

    queries.jsonl      {"_id": "q-5f1c…", "text": "how do vaccines work"}
    qrels/test.tsv     query-id, corpus-id, score: what is read again
    qrels.trec         the same in TREC's four columns, for trec_eval

Documents are not among it: they are the index's, or a corpus.jsonl that is put there. A question's
id is made of its text, so that folders of several people can be laid together.
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

from ..errors import CollectionError
from ..files import lines_of
from ..types import DocId, Qrels, QueryId
from .beir import read_queries
from .qrels import read_qrels
from .runs import qrels_lines, writing

_QUERIES = "queries.jsonl"
_QRELS = "qrels/test.tsv"
_TREC = "qrels.trec"
_LOCK = ".lock"
_DIGITS = 12
_HEAD = "query-id\tcorpus-id\tscore\n"


class JudgedFolder:
    """Judgements in a folder, which is made with the first; nothing else is known of it meanwhile.

    Each judgement is in the files before it is answered, and files are replaced whole: several may
    judge at once, and who reads sees all of the old or all of the new. Raises CollectionError for
    files that cannot be read or written, here and in every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read()

    def grades(self, text: str) -> Mapping[DocId, int]:
        """The judged documents of a question, with their grades."""
        queries, qrels = self._read()
        id_ = _id_of(text, queries)
        return qrels.get(id_, {}) if id_ in queries else {}

    def counts(self) -> Mapping[str, int]:
        """The judged questions, each with its number of judgements, in the order of the file."""
        queries, qrels = self._read()
        return {text: len(qrels[id_]) for id_, text in queries.items() if qrels.get(id_)}

    def judge(self, text: str, document: DocId, grade: int | None) -> Mapping[DocId, int]:
        """Keeps a judgement, or takes it back with None; gives all of the question."""
        with self._locked():
            queries, read = self._read()
            qrels = {query: dict(judged) for query, judged in read.items()}
            id_ = _id_of(text, queries)
            judged = qrels.setdefault(id_, {})
            if grade is None:
                judged.pop(document, None)
            else:
                judged[document] = grade
            kept = {query: grades for query, grades in qrels.items() if grades}
            rows = list(qrels_lines(kept))  # what TREC's columns cannot hold is refused here
            if id_ not in queries and judged:
                self._add_query(id_, _one_line(text))
            self._replace(_QRELS, lambda file: file.writelines(_tsv(kept)))
            self._replace(_TREC, lambda file: file.writelines(rows))
        return judged

    def _read(self) -> tuple[Mapping[QueryId, str], Qrels]:
        queries = self._there(_QUERIES)
        qrels = self._there(_QRELS)
        known = {each.id: each.text for each in read_queries(queries)} if queries else {}
        return known, read_qrels(qrels) if qrels else {}

    def _there(self, name: str) -> Path | None:
        """The file, as it is or gzipped; what is written is always plain, and comes first."""
        for file in (self.path / name, self.path / f"{name}.gz"):
            if file.is_file():
                return file
        return None

    def _add_query(self, id_: QueryId, text: str) -> None:
        """A line more; the others stay as they are, whatever else they say."""
        before = self._there(_QUERIES)
        lines = [line.content.decode() for line in lines_of(before)] if before else []
        lines.append(json.dumps({"_id": id_, "text": text}, ensure_ascii=False))
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
