"""A judged collection of a few dozen texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from densehook.collections import Collection
from densehook.export.texts import PASSAGES
from densehook.types import Document


def small_collection(documents: int = len(PASSAGES)) -> Collection:
    """Each query is a passage's first words, and that passage is what it asks for."""

    def read() -> Iterator[Document]:
        for number, text in enumerate(PASSAGES[:documents]):
            yield Document(f"d{number}", {"title": text.split()[0], "text": text})

    queries = {f"q{number}": " ".join(PASSAGES[number].split()[:6]) for number in range(20)}
    return Collection(
        "small", read, queries, {f"q{number}": {f"d{number}": 1} for number in range(20)}
    )


def write_beir(folder: Path) -> Path:
    """The same collection as a BEIR folder."""
    made = small_collection()
    rows = [{"_id": each.id, **each.fields} for each in made.documents()]
    (write_judged(folder, made.queries, made.qrels) / "corpus.jsonl").write_text(
        "\n".join(map(json.dumps, rows))
    )
    return folder


def write_judged(
    folder: Path, queries: Mapping[str, str], relevant: Mapping[str, Iterable[str]]
) -> Path:
    """A BEIR folder of questions, and of the documents that answer each, which are elsewhere."""
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": id_, "text": text} for id_, text in queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    judged = [f"{query}\t{doc}\t1\n" for query, docs in relevant.items() for doc in docs]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))
    return folder
