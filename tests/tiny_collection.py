"""A judged collection of a few dozen texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": each.id, **each.fields} for each in made.documents()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    queries = [{"_id": id_, "text": text} for id_, text in made.queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    judged = [f"{query}\t{doc}\t1\n" for query, docs in made.qrels.items() for doc in docs]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))
    return folder
