"""A retrieval task that mteb reads from disk: SciFact's test queries and the documents judged."""

from __future__ import annotations

from typing import Any

from datasets import Dataset
from mteb import TaskMetadata
from mteb.abstasks.retrieval import AbsTaskRetrieval

from densehook.collections import open_collection
from densehook.types import Document

from ..report import require_scifact


class JudgedSciFact(AbsTaskRetrieval):
    """The smallest task that tells an encoder from chance."""

    metadata = TaskMetadata(
        name="JudgedSciFact",
        dataset={"path": "scifact", "revision": "1"},
        description="SciFact's test queries over the documents that are judged for them.",
        type="Retrieval",
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
    )

    def load_data(self, *positional: Any, **named: Any) -> None:
        """Reads it from SciFact's folder."""
        judged = open_collection(require_scifact())
        wanted = {id_ for grades in judged.qrels.values() for id_ in grades}
        documents = [each for each in judged.documents() if each.id in wanted]
        corpus = [{"id": each.id, **_text(each)} for each in documents]
        queries = [{"id": id_, "text": text} for id_, text in judged.queries.items()]
        self.dataset = {
            "default": {
                "test": {
                    "corpus": Dataset.from_list(corpus),
                    "queries": Dataset.from_list(queries),
                    "relevant_docs": {id_: dict(grades) for id_, grades in judged.qrels.items()},
                    "top_ranked": None,
                }
            }
        }
        self.data_loaded = True


def _text(document: Document) -> dict[str, str]:
    return {name: str(document.fields[name]) for name in ("title", "text")}


def task() -> JudgedSciFact:
    """The task."""
    return JudgedSciFact()
