"""The packaged collection is whole: no text twice, every judgement in its place."""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from importlib.resources import files

import pytest

from densehook.collections import help_topics, open_collection, packaged
from densehook.collections.packaged import ANSWERS, HELPS, KINDS, Passage, judge, passages
from densehook.errors import CollectionError

JUDGED_ON = (3, 11, 7)
OF_KIND = {"identifier": 35, "error": 37, "keywords": 35, "half-known": 38, "paraphrase": 129}
JUDGEMENTS = {
    "identifier": 106,
    "error": 103,
    "keywords": 113,
    "half-known": 131,
    "paraphrase": 370,
}
on_the_python_it_was_judged_on = pytest.mark.skipif(
    sys.version_info[:3] != JUDGED_ON, reason="judged on another Python's topics"
)


def words(text: str) -> list[str]:
    return "".join(c.lower() if c.isalnum() else " " for c in text).split()


def test_ids_and_texts_are_unique() -> None:
    assert max(Counter(p.id for p in passages()).values()) == 1
    assert max(Counter(p.text for p in passages()).values()) == 1


def test_no_paragraph_is_in_two_passages() -> None:
    paragraphs = Counter(
        " ".join(paragraph.split()) for p in passages() for paragraph in p.text.split("\n\n")
    )
    assert max(paragraphs.values()) == 1


def test_every_passage_has_a_title_and_a_text_of_a_passages_size() -> None:
    sizes = [len(passage.text.split()) for passage in passages()]
    assert all(passage.title for passage in passages())
    assert min(sizes) >= 15
    assert sum(size <= 160 for size in sizes) / len(sizes) > 0.95


def test_passages_are_the_same_at_every_call() -> None:
    passages.cache_clear()
    first = passages()
    passages.cache_clear()
    assert passages() == first


def test_every_question_has_an_answer_and_its_own_text() -> None:
    questions = judge(passages()).questions
    assert all(ANSWERS in question.relevant.values() for question in questions)
    assert {grade for q in questions for grade in q.relevant.values()} == {ANSWERS, HELPS}
    assert max(Counter(question.id for question in questions).values()) == 1
    assert max(Counter(question.text for question in questions).values()) == 1


def test_each_question_is_of_a_kind_and_the_kinds_are_all_questions() -> None:
    counted = Counter(question.kind for question in judge(passages()).questions)
    assert counted.keys() == set(KINDS) == OF_KIND.keys()
    assert all(counted[kind] <= OF_KIND[kind] for kind in KINDS)
    assert sum(counted.values()) >= 0.95 * sum(OF_KIND.values())  # on a Python yet unknown


@on_the_python_it_was_judged_on
def test_every_question_and_judgement_is_there() -> None:
    questions = judge(passages()).questions
    assert Counter(question.kind for question in questions) == OF_KIND
    judgements = Counter(q.kind for q in questions for _ in q.relevant)
    assert judgements == JUDGEMENTS
    assert [question.id for question in questions] == [f"q{n:03}" for n in range(1, 275)]
    rows = tomllib.loads((files(packaged) / "questions.toml").read_text("utf-8"))["question"]
    phrases = [phrase for row in rows for phrase in [*row["answers"], *row.get("helps", [])]]
    assert len(phrases) == sum(JUDGEMENTS.values())  # each names a passage of its own


def test_typed_questions_look_as_they_are_typed() -> None:
    """Not one more paraphrase: names and messages as they stand, few bare words."""
    of_kind: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for question in judge(passages()).questions:
        of_kind[question.kind].append(question.text)
    assert all(len(text.split()) <= 2 for text in of_kind["identifier"])
    message = re.compile(r"[A-Z]\w+Error: |During handling of")
    assert all(message.match(text) for text in of_kind["error"])
    assert all(len(text.split()) <= 5 and "?" not in text for text in of_kind["keywords"])


def test_several_questions_have_several_relevant_passages() -> None:
    assert sum(len(question.relevant) > 1 for question in judge(passages()).questions) >= 40


def test_judgements_find_their_passages() -> None:
    judged = judge(passages())
    found = sum(len(question.relevant) for question in judged.questions)
    if sys.version_info[:3] == JUDGED_ON:
        assert judged.lost == 0
    assert judged.lost <= 0.1 * found


def test_paraphrases_are_not_in_the_passages_own_words() -> None:
    texts = {passage.id: words(passage.text) for passage in passages()}
    for question in judge(passages()).questions:
        if question.kind != "paraphrase":
            continue
        asked = words(question.text)
        runs = {tuple(asked[i : i + 5]) for i in range(len(asked) - 4)}
        for name in question.relevant:
            text = texts[name]
            shared = runs & {tuple(text[i : i + 5]) for i in range(len(text) - 4)}
            assert not shared, (question.text, name, shared)


def test_a_phrase_that_names_two_passages_is_refused() -> None:
    twice = [Passage("a", "t", "swaps two variables"), Passage("b", "t", "swaps two variables")]
    with pytest.raises(CollectionError, match="'swaps two variables' stands in a, b"):
        judge(twice)


def test_a_judgement_without_its_passage_is_counted() -> None:
    judged = judge([Passage("a", "t", "swaps two variables")])
    assert [question.text for question in judged.questions] == ["swap a and b without a temp"]
    assert judged.lost > 700


def test_it_is_a_collection_like_any_other() -> None:
    collection = help_topics()
    ids = {document.id for document in collection.documents()}
    assert set(collection.queries) == set(collection.qrels)
    assert all(set(judged) <= ids for judged in collection.qrels.values())
    assert set(collection.kinds) == set(collection.queries)
    assert list(dict.fromkeys(collection.kinds[query] for query in collection.queries)) == list(
        KINDS
    )
    assert open_collection(collection.name).queries == collection.queries
