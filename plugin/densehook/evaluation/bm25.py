"""BM25 by Pyserini over a Lucene index of given texts, in child processes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from ..bundle import is_blank, replacing
from ..errors import CollectionError, EvaluationError
from ..java import find_java
from ..types import DocId, QueryId, Run, ScoredDoc
from .anserini import MINIMUM_JAVA, PROGRESS, anserini_jar, run_worker
from .progress import Progress, silent

_LINES_PER_FILE = 100_000  # Anserini's threads take a file each
_REPORT_EVERY = 1_000


def pyserini_bm25(
    texts: Iterable[tuple[DocId, str]],
    queries: Mapping[QueryId, str],
    *,
    work_dir: Path,
    depth: int = 1000,
    k1: float = 0.9,
    b: float = 0.4,
    progress: Progress = silent,
) -> Run:
    """Index the texts with Pyserini (English analyzer, stemmed) and search the queries.

    ``texts`` are read once, as a stream. The index stays in ``work_dir`` under the hash of the
    texts and is used again for the same. A document without text is not indexed, and so is never
    found. Scores are Anserini's, which lowers equal ones by a millionth each, so that they stay
    in the order of their ids.

    Raises CollectionError when no document has text, JavaNotFound, MissingExtra, or
    EvaluationError when Pyserini fails.
    """
    anserini_jar()
    java_home = find_java(MINIMUM_JAVA)
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="pyserini-", dir=work_dir) as temporary:
            scratch = Path(temporary)
            index = _index(texts, scratch / "documents", work_dir, java_home, progress)
            return _search(index, queries, (depth, k1, b), scratch, java_home, progress)
    except OSError as error:
        raise EvaluationError(f"{work_dir} cannot be used: {error.strerror or error}") from error


def _index(
    texts: Iterable[tuple[DocId, str]],
    documents: Path,
    work_dir: Path,
    java_home: Path,
    progress: Progress,
) -> Path:
    count, digest = _write_documents(texts, documents, progress)
    if not count:
        raise CollectionError(
            "no document has any text in the fields that the index is made of; give corpus.jsonl"
            " those fields, or leave pyserini-* out"
        )
    index = work_dir / f"lucene-{digest[:16]}"
    if not index.is_dir():
        label = "indexing with Pyserini"
        progress(label, 0, count)
        with replacing(index) as staging:  # an index half built is never taken for a whole one
            run_worker(["index", str(documents), str(staging), str(count)], java_home)
        progress(label, count, count)
    return index


def _write_documents(
    texts: Iterable[tuple[DocId, str]], folder: Path, progress: Progress
) -> tuple[int, str]:
    """Write Anserini's JSON collection -> how many documents it has, and their hash."""
    folder.mkdir()
    digest = hashlib.sha256(f"pyserini {importlib.metadata.version('pyserini')}\n".encode())
    lines = _lines(texts)
    count = 0
    while first := next(lines, b""):
        with (folder / f"{count:010}.jsonl").open("wb") as file:
            for line in chain([first], islice(lines, _LINES_PER_FILE - 1)):
                digest.update(line)
                file.write(line)
                count += 1
                if count % _REPORT_EVERY == 0:
                    progress("reading documents", count, None)
    return count, digest.hexdigest()


def _lines(texts: Iterable[tuple[DocId, str]]) -> Iterator[bytes]:
    for id_, text in texts:
        if not is_blank(text):  # Anserini takes no document of controls alone
            yield json.dumps({"id": id_, "contents": text}).encode() + b"\n"


def _search(
    index: Path,
    queries: Mapping[QueryId, str],
    settings: tuple[int, float, float],
    scratch: Path,
    java_home: Path,
    progress: Progress,
) -> Run:
    label = "searching with Pyserini"
    progress(label, 0, len(queries))
    asked, found = scratch / "queries.json", scratch / "hits.jsonl"
    asked.write_text(json.dumps(dict(queries)), encoding="utf-8")

    def report(line: str) -> None:
        word, _, done = line.partition(" ")
        if word == PROGRESS:
            progress(label, int(done), len(queries))

    words = [str(index), str(asked), str(found), *map(str, settings)]
    try:
        run_worker(["search", *words], java_home, report)
    except EvaluationError as error:
        raise EvaluationError(f"{error}; to index anew, delete {index}") from None
    with found.open(encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        return {query: [ScoredDoc(id_, score) for id_, score in ranking] for query, ranking in rows}
