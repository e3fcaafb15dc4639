"""The packaged collection is whole: no text twice, every judgement in its place."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from densehook.collections import help_topics
from densehook.collections.packaged import ANSWERS, HELPS, Passage, judge, passages
from densehook.demo.quickstart import example_questions
from densehook.errors import CollectionError

JUDGED_ON = (3, 11)


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
    assert len(questions) >= 80
    assert all(ANSWERS in question.relevant.values() for question in questions)
    assert {grade for q in questions for grade in q.relevant.values()} == {ANSWERS, HELPS}
    assert max(Counter(question.id for question in questions).values()) == 1
    assert max(Counter(question.text for question in questions).values()) == 1


def test_several_questions_have_several_relevant_passages() -> None:
    assert sum(len(question.relevant) > 1 for question in judge(passages()).questions) >= 40


def test_judgements_find_their_passages() -> None:
    judged = judge(passages())
    found = sum(len(question.relevant) for question in judged.questions)
    if sys.version_info[:2] == JUDGED_ON:
        assert judged.lost == 0
    assert judged.lost <= 0.1 * found


def test_questions_are_not_in_the_passages_own_words() -> None:
    texts = {passage.id: words(passage.text) for passage in passages()}
    for question in judge(passages()).questions:
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
    assert judged.lost > 200


def test_it_is_a_collection_like_any_other() -> None:
    collection = help_topics()
    ids = {document.id for document in collection.documents()}
    assert set(collection.queries) == set(collection.qrels)
    assert all(set(judged) <= ids for judged in collection.qrels.values())
    assert len(example_questions()) == 3
