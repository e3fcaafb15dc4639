"""The packaged collection: Python's own help topics as passages, with hand-judged questions.

Nothing to download, and a number; README.md here says how it was made.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...types import Document
from ..collection import Collection
from .questions import ANSWERS, HELPS, KINDS, Judged, Question, judge
from .topics import Passage, passages

__all__ = [
    "ANSWERS",
    "HELPS",
    "KINDS",
    "NAME",
    "Judged",
    "Passage",
    "Question",
    "help_topics",
    "judge",
    "passages",
]

NAME = "python-help-topics"
"""What commands call it."""


def help_topics() -> Collection:
    """The packaged collection, as evaluation wants it."""
    documents = [Document(p.id, {"title": p.title, "text": p.text}) for p in passages()]

    def stream() -> Iterator[Document]:
        return iter(documents)

    judged = sorted(judge(passages()).questions, key=lambda each: KINDS.index(each.kind))
    return Collection(
        name=NAME,
        documents=stream,
        queries={question.id: question.text for question in judged},
        qrels={question.id: dict(question.relevant) for question in judged},
        kinds={question.id: question.kind for question in judged},
    )
