"""Texts are cut at the same places here and in the node: both are held to one file of cases.

JUnit reads it too (CutterTest). Run this file to write it again after a change of the algorithm.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from densehook.chunk import Chunk, ChunkRule, cut
from densehook.chunk.breaks import graphemes, sentences, words
from densehook.errors import RequestError, UnusableDocument

CASES = (
    Path(__file__).parents[2]
    / "plugin/elasticsearch/src/test/resources/org/densehook/chunk/cases.json"
)
LETTERS = 3
"""So many are a token here."""
PROSE = (
    'Dr. Smith measured 3.4 m. "So?" he asked. Yes! (No.) He wrote etc. and so on. The U.S. Army'
    " left.\r\nA new line begins\nwithout an end. 你好。世界！再见 مرحبا؟ نعم. नमस्ते। ठीक है। "
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 cafe\u0301 \u1112\u1161\u11ab 한국어. "
)
TEXTS = [
    PROSE,
    PROSE * 12,
    "x" * 200 + " short. " + "한" * 90,
    "e\u0301\u0302\u0303" * 80,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 40,
    "one two three four five six seven eight nine ten. " * 20,
    " \n\t leading and trailing \u2029 ",
    "a. b. c. d. e. f. g. h. i. j. k. l. m. n. o. p.",
    "word",
    "。。。！！？",
]
RULES = [
    ChunkRule("sentence", 8, 0),
    ChunkRule("sentence", 20, 8),
    ChunkRule("sentence", 64, 32, 40),
    ChunkRule("tokens", 12, 4),
    ChunkRule("tokens", 30, 15),
]


def sizes(texts: Sequence[str]) -> list[int]:
    """Two tokens around each text; those in it are fewer by themselves than together."""
    return [2 + sum(character > " " for character in text) // LETTERS for text in texts]


def spans(text: str, rule: ChunkRule) -> list[list[int]] | None:
    try:
        return [list(chunk) for chunk in cut(text, rule, sizes)]
    except UnusableDocument:
        return None


def stored() -> list[dict[str, Any]]:
    return json.loads(CASES.read_text("utf-8"))


def test_each_stored_case_is_what_python_gives() -> None:
    for case in stored():
        assert spans(case["text"], ChunkRule.parse(case["rule"])) == case["chunks"], case


def test_sentences_end_where_unicode_says() -> None:
    begins = [0, *sentences(PROSE)]
    assert [PROSE[a:b] for a, b in pairwise(begins)][:9] == [
        "Dr. ",
        "Smith measured 3.4 m. ",
        '"So?" ',
        "he asked. ",
        "Yes! ",
        "(No.) ",
        "He wrote etc. and so on. ",
        "The U.S. ",
        "Army left.\r\n",
    ]
    assert [PROSE[a:b] for a, b in pairwise(begins)][11:14] == ["你好。", "世界！", "再见 مرحبا؟ "]


def test_graphemes_are_those_of_regex() -> None:
    chance = random.Random(7)
    joining = regex.compile(
        r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=Prepend}\p{GCB=SpacingMark}\p{Extended_Pictographic}"
        r"\p{InCB=Consonant}\p{InCB=Linker}\p{GCB=Regional_Indicator}\p{GCB=L}\p{GCB=V}\p{GCB=T}"
        r"\p{GCB=LV}]"
    )
    letters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    pool = [each for each in letters if joining.match(each)]
    for _ in range(3000):
        text = "".join(chance.choices([*pool, *"ab \r\n" * 100], k=12))
        assert graphemes(text) == [found.end() for found in regex.finditer(r"\X", text)]


@given(st.text(), st.sampled_from(RULES))
def test_every_character_is_in_a_chunk_and_no_chunk_is_too_long(text: str, rule: ChunkRule) -> None:
    rule = dataclasses.replace(rule, max_chunks=10_000)
    chunks = cut(text, rule, sizes)
    assert [chunk.start for chunk in chunks] == sorted({chunk.start for chunk in chunks})
    assert [chunk.end for chunk in chunks] == sorted({chunk.end for chunk in chunks})
    assert not text or (chunks[0].start == 0 and chunks[-1].end == len(text))
    for before, after in pairwise(chunks):
        assert before.start < after.start <= before.end < after.end
    borders = {0, *graphemes(text)}
    for chunk in chunks:
        assert {chunk.start, chunk.end} <= borders
        whole = chunk.of(text)
        assert sizes([whole])[0] <= rule.max_tokens or len(graphemes(whole)) == 1


@given(st.text())
def test_pieces_make_the_text_again(text: str) -> None:
    for way in (sentences, words, graphemes):
        ends = way(text)
        assert ends == sorted(set(ends))
        assert (ends[-1:] == [len(text)]) is bool(text)


def test_overlaps_repeat_whole_sentences() -> None:
    text = "".join(f"This is sentence {n}. " for n in range(10))
    chunks = cut(text, ChunkRule("sentence", 18, 8), sizes)
    assert len(chunks) > 3
    starts = {0, *sentences(text)}
    for before, after in pairwise(chunks):
        assert after.start in starts
        repeated = text[after.start : before.end]
        assert repeated and sizes([repeated])[0] <= 2 + 8


def test_more_chunks_than_allowed_are_refused() -> None:
    with pytest.raises(UnusableDocument, match="has more than 3 chunks; cut it into several doc"):
        cut(PROSE * 3, ChunkRule("sentence", 20, 0, 3), sizes)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (5, "chunk is 5; it is an object such as"),
        ({"by": "page"}, r"chunk.by is 'page'; it is one of sentence, tokens"),
        ({"size": 5}, "chunk has an unknown key 'size'; known are by, max_tokens, overlap"),
        ({"max_tokens": 4}, "chunk.max_tokens is 4; it is at least 8"),
        ({"max_tokens": "many"}, "chunk.max_tokens is 'many'; it is a whole number"),
        ({"max_tokens": 20, "overlap": 11}, "chunk.overlap is 11; it is from 0 to half of"),
        ({"max_chunks": 0}, "chunk.max_chunks is 0; it is at least 1"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(stated: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        ChunkRule.parse(stated)


def test_a_rule_is_read_as_it_is_written() -> None:
    rule = ChunkRule("tokens", 100, 20, 7)
    assert ChunkRule.parse(rule.as_json()) == rule
    assert ChunkRule.parse({}) == ChunkRule()
    assert rule.within(512) is rule
    assert rule.within(30) == ChunkRule("tokens", 30, 15, 7)


def made() -> list[Mapping[str, Any]]:
    return [
        {"text": text, "rule": rule.as_json(), "chunks": spans(text, rule)}
        for text in TEXTS
        for rule in RULES
    ]


def test_chunks_are_by_code_points() -> None:
    text = "\U0001f44d " * 30 + "Next."
    assert cut(text, ChunkRule("sentence", 64), sizes) == [Chunk(0, 65)]


if __name__ == "__main__":
    CASES.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case) for case in made())
    CASES.write_text(f"[\n{lines}\n]\n", "utf-8")
