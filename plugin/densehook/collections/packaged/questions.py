"""The questions put to the packaged collection, and which passages answer them.

A judgement names its passage by a phrase of it, so that it survives a Python whose topics are cut
into other numbers. A phrase that a Python's topics do not hold is dropped, and counted.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import CollectionError
from .topics import Passage

ANSWERS = 2
"""Grade of a passage that answers the question."""
HELPS = 1
"""Grade of a passage that helps to answer it."""

KINDS = ("identifier", "error", "keywords", "half-known", "paraphrase")
"""What a question may be typed as, in the order shown; README.md here describes each."""

_FILE = Path(__file__).with_name("questions.toml")


@dataclass(frozen=True)
class Question:
    """A question of one of KINDS and its relevant passages: a grade for each id."""

    id: str
    kind: str
    text: str
    relevant: Mapping[str, int]


@dataclass(frozen=True)
class Judged:
    """The questions that these passages answer, and how many judgements found no passage."""

    questions: tuple[Question, ...]
    lost: int


def judge(passages: Iterable[Passage]) -> Judged:
    """Resolve every judgement among the passages.

    Raises CollectionError when a phrase stands in several passages and so names none.
    """
    texts = {passage.id: " ".join(passage.text.split()) for passage in passages}
    questions, lost = [], 0
    for row in tomllib.loads(_FILE.read_text(encoding="utf-8"))["question"]:
        found: dict[str, int] = {}
        for phrase, grade in _phrases(row):
            passage = _holder(texts, row["id"], phrase)
            if passage is None:
                lost += 1
            else:
                found[passage] = max(grade, found.get(passage, 0))
        if ANSWERS in found.values():
            questions.append(Question(row["id"], row["kind"], row["text"], found))
    return Judged(tuple(questions), lost)


def _phrases(row: Mapping[str, list[str]]) -> Iterator[tuple[str, int]]:
    for key, grade in (("answers", ANSWERS), ("helps", HELPS)):
        yield from ((phrase, grade) for phrase in row.get(key, []))


def _holder(texts: Mapping[str, str], question: str, phrase: str) -> str | None:
    holders = [name for name, text in texts.items() if phrase in text]
    if len(holders) > 1:
        raise CollectionError(
            f"{_FILE.name}, {question}: {phrase!r} stands in {', '.join(holders)};"
            " quote more of the passage"
        )
    return holders[0] if holders else None
