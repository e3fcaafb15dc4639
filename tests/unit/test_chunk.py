"""Texts are cut at the same places here and in the node: both are held to one file of cases.

JUnit reads it too (CutterTest). Run this file to write it again after a change of the algorithm.
"""

from __future__ import annotations

import base64
import bisect
import dataclasses
import hashlib
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

from densehook.chunk import Chunk, ChunkRule, Cut, LongText, Sizes, cut, put_together, windows
from densehook.chunk.breaks import graphemes, sentences, words
from densehook.errors import RequestError, UnusableDocument

CASES = (
    Path(__file__).parents[2]
    / "plugin/elasticsearch/src/test/resources/org/densehook/chunk/cases.json"
)
WINDOW = 64
"""Tokens that are read at once, for late chunking."""
LETTERS = 3
"""So many are a token here."""
PROSE = (
    'Dr. Smith measured 3.4 m. "So?" he asked. Yes! (No.) He wrote etc. and so on. The U.S. Army'
    " left.\r\nA new line begins\nwithout an end. 你好。世界！再见 مرحبا؟ نعم. नमस्ते। ठीक है। "
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 cafe\u0301 \u1112\u1161\u11ab 한국어. "
)
ATTACHMENT = base64.b64encode(random.Random(5).randbytes(400)).decode()
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
    f"See the attachment: {ATTACHMENT} Then read on. {ATTACHMENT[:90]}",
    "天地玄黄宇宙洪荒日月盈昃辰宿列张" * 12 + "。寒来暑往。",
]
RULES = [
    ChunkRule("sentence", 8, 0),
    ChunkRule("sentence", 20, 8),
    ChunkRule("sentence", 64, 32, 40),
    ChunkRule("tokens", 12, 4),
    ChunkRule("tokens", 30, 15),
    ChunkRule("late", 16),
]


def sizes(texts: Sequence[str]) -> list[int]:
    """Two tokens around each text; those in it are fewer by themselves than together."""
    return [2 + sum(character > " " for character in text) // LETTERS for text in texts]


MARKDOWN = (
    "\n  \n# Whales #\nThey breathe air. They come up for it.\n\n## Food\nKrill, four tonnes a day."
    " Sometimes fish.\r\n```\n# no heading\n```\n####### seven\n  ### \U0001f433 C# ##\t\nThe end."
    "\n#\nNameless.\n~~~\n# also none"
)
FENCES = (
    "# Open\n```` md\n```\n# in four\n`````  \t\r\n# Behind\n```x = 1```\n# After code\n~~~ ` ~\n"
    "# in tildes\n```\n~~~~ not yet\n# still\n~~~\n# Out\n    ```\n# Indented\n``` `\n# Last"
)
ITEMS = [
    [("body", MARKDOWN)],
    [("body", FENCES)],
    [("title", "Whales \U0001f433"), ("body", MARKDOWN), ("notes", PROSE)],
    [(0, "One."), (3, "word " * 40), (4, PROSE), (7, "x")],
]
PREFIXES = ["", "Whales and their kin\n", "word " * 30 + "\n"]
IN_PARTS = [
    ChunkRule("section", 24, 6),
    ChunkRule("given", 16),
    ChunkRule("section", 20, 0, 3, "cut"),
    ChunkRule("sentence", 32, 8, 2, "cut"),
]


def case_of(
    items: Sequence[tuple[str | int, str]], joiner: str, prefix: str, rule: ChunkRule
) -> dict[str, Any]:
    """What is cut, and what comes of it: chunks, none where it is refused.

    ``windows`` are by late. ``digest`` is of what the note's hash is of, and of what the encoder is
    given.
    """
    text, parts = put_together(items, joiner, headings=rule.by == "section")
    long = LongText(text, parts if rule.name_key else (), prefix)
    try:
        chunks, is_short = cut(long, rule, sizes)
    except UnusableDocument:
        chunks, is_short = None, False
    read = windows(text, chunks or [], WINDOW, sizes) if rule.is_late else []
    return {
        "items": [list(item) for item in items],
        "joiner": joiner,
        "prefix": prefix,
        "rule": rule.as_json(),
        "chunks": chunks and [[chunk.start, chunk.end, chunk.name] for chunk in chunks],
        "short": is_short,
        "windows": [each.spans for each in read],
        "digest": digest(
            [
                rule.hashed(long),
                *(chunk.content for chunk in chunks or ()),
                *(each.content for each in read),
            ]
        ),
    }


def digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def stored() -> list[dict[str, Any]]:
    return json.loads(CASES.read_text("utf-8"))


def test_each_stored_case_is_what_python_gives() -> None:
    for case in stored():
        items = [(name, text) for name, text in case["items"]]
        rule = ChunkRule.parse(case["rule"])
        again = json.loads(json.dumps(case_of(items, case["joiner"], case["prefix"], rule)))
        assert again == case


def test_sections_begin_at_inputs_and_headings() -> None:
    items = [("title", "Whales"), ("body", MARKDOWN)]
    text, parts = put_together(items, " ", headings=True)
    assert [part.name for part in parts] == ["title", "Whales", "Food", "\U0001f433 C#", "body"]
    assert [part.start for part in parts[:2]] == [0, 7]
    assert text[parts[2].start :].startswith("## Food")
    assert text[parts[4].start :].startswith("#\nNameless")


def test_a_fence_is_closed_by_its_own_mark_alone() -> None:
    _, parts = put_together([("body", FENCES)], "", headings=True)
    names = ["Open", "Behind", "After code", "Out", "Indented", "Last"]
    assert [part.name for part in parts] == names


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.text(min_size=1).filter(str.strip)), min_size=1),
    st.sampled_from(PREFIXES),
    st.sampled_from(IN_PARTS),
)
def test_no_chunk_crosses_a_part_and_each_is_behind_the_prefix(
    items: list[tuple[str, str]], prefix: str, rule: ChunkRule
) -> None:
    rule = dataclasses.replace(rule, by="section", max_chunks=10_000)
    text, parts = put_together(items, "\n", headings=True)
    chunks, _ = cut(LongText(text, parts, prefix), rule, sizes)
    assert chunks[0].start == 0 and chunks[-1].end == len(text)
    starts = [part.start for part in parts]
    for chunk in chunks:
        assert not any(chunk.start < start < chunk.end for start in starts)
        assert chunk.name == parts[bisect.bisect_right(starts, chunk.start) - 1].name
    assert {chunk.end for chunk in chunks} >= set(starts[1:])
    shown = sizes([prefix])[0]
    before = prefix if shown <= rule.max_tokens // 2 else ""
    assert all(chunk.content.startswith(before) for chunk in chunks)


def test_a_prefix_has_half_of_a_chunk_at_most() -> None:
    prefix = "word " * 30
    chunks, _ = cut(LongText(PROSE, (), prefix), ChunkRule("sentence", 20), sizes)
    before = "word " * 6
    assert all(chunk.content.startswith(before) for chunk in chunks)
    assert not any(chunk.content.startswith(before + "word") for chunk in chunks)
    assert sizes([before])[0] == 10


def test_a_prompt_that_leaves_a_chunk_no_room_is_named() -> None:
    def behind(prompt: str) -> Sizes:
        return lambda texts: sizes([prompt + each for each in texts])

    rule = ChunkRule("tokens", 32)
    assert cut("One.", rule, behind("x" * 3 * 22)) == Cut([Chunk(0, 4, "One.")], False)
    said = (
        "chunk.max_tokens is 32; prompt and special tokens take 25 of them, and at least 8 must be"
        " the text's: raise it, as far as the encoder reads, or give a shorter prompt"
    )
    with pytest.raises(UnusableDocument, match=f"^{said}$"):
        cut("One.", rule, behind("x" * 3 * 23))
    with pytest.raises(RequestError, match="take 5 of them, and at least 4 must be the text's"):
        ChunkRule(max_tokens=8).room_within(5)
    assert ChunkRule(max_tokens=8).room_within(4) == 4
    # the prefix goes where the prompt leaves it nothing of its half
    long = LongText("One.", (), "word " * 30)
    assert cut(long, rule, behind("x" * 3 * 22)).chunks[0].content == "One."


def test_a_text_without_spaces_has_full_chunks_and_is_read_no_further_than_they_go() -> None:
    calls: list[str] = []

    def counted(texts: Sequence[str]) -> list[int]:
        calls.extend(texts)
        return sizes(texts)

    text = base64.b64encode(random.Random(1).randbytes(675_000)).decode()
    rule = ChunkRule("sentence", 64, 0, 20, "cut")
    chunks, is_short = cut(text, rule, counted)
    assert is_short
    assert {sizes([chunk.content])[0] for chunk in chunks} == {64}
    assert not any(sizes([text[chunk.start : chunk.end + 1]])[0] == 64 for chunk in chunks)
    assert len(calls) < 15 * len(chunks)
    assert max(map(len, calls)) < 4 * len(chunks[0].content)
    with pytest.raises(UnusableDocument, match="of 900,000 characters has more than 20 chunks"):
        cut(text, dataclasses.replace(rule, beyond="refuse"), sizes)


def test_sentences_behind_the_last_chunk_are_hardly_read() -> None:
    read = 0

    def counted(texts: Sequence[str]) -> list[int]:
        nonlocal read
        read += sum(map(len, texts))
        return sizes(texts)

    cut(PROSE * 2000, ChunkRule("sentence", 64, 0, 3, "cut"), counted)
    assert read < 100_000 < len(PROSE * 2000)


def test_overlaps_repeat_the_end_of_a_word_that_is_cut() -> None:
    chunks, _ = cut("x" * 200 + " end.", ChunkRule("tokens", 22, 5), sizes)
    assert [chunk[:2] for chunk in chunks] == [
        (0, 62),
        (45, 107),
        (90, 152),
        (135, 197),
        (180, 205),
    ]
    repeated = [before.end - after.start for before, after in pairwise(chunks)]
    assert repeated == [17] * 4  # 5 tokens are no more than 17 letters


def test_what_is_around_a_long_word_is_in_its_first_and_last_chunk() -> None:
    text = "Before. " + "x" * 90 + " and after."
    chunks, _ = cut(text, ChunkRule("sentence", 20), sizes)
    assert text[chunks[0].start : chunks[0].end].startswith("Before. xxx")
    assert chunks[-1].content.endswith("x and after.")


def test_a_character_of_many_code_points_is_not_cut() -> None:
    one = "e" + "\u0301" * 40
    chunks, _ = cut(one * 3 + " x", ChunkRule("tokens", 8), sizes)
    assert [chunk.content for chunk in chunks] == [one, one, one, "x"]


def test_what_is_beyond_the_limit_is_left_out_where_that_is_asked_for() -> None:
    rule = ChunkRule("sentence", 20, 0, 3)
    with pytest.raises(UnusableDocument, match='left out \\(beyond: "cut"\\)'):
        cut(PROSE * 3, rule, sizes)
    whole = cut(PROSE * 3, dataclasses.replace(rule, max_chunks=500), sizes).chunks
    cut_short = cut(PROSE * 3, dataclasses.replace(rule, beyond="cut"), sizes)
    assert cut_short == Cut(whole[:3], True)
    assert cut("One.", dataclasses.replace(rule, beyond="cut"), sizes).is_short is False


@given(st.text(), st.integers(8, 80))
def test_each_chunk_is_in_one_window_that_can_be_read(text: str, most: int) -> None:
    chunks, _ = cut(text, ChunkRule("late", 8, 0, 10_000), sizes)
    read = windows(text, chunks, most, sizes)
    assert sum(len(each.spans) for each in read) == len(chunks)
    left = iter(chunks)
    for each in read:
        assert len(each.spans) == 1 or sizes([each.content])[0] <= most
        for first, end in each.spans:
            content = next(left).content
            assert each.content[first:end].strip() == content.strip()


def test_the_same_text_in_other_parts_is_another_text() -> None:
    rule = ChunkRule("given")
    one, other = (
        LongText(*put_together(list(enumerate(texts)), " ", headings=False))
        for texts in (["a b", "c"], ["a", "b c"])
    )
    assert one == other and rule.hashed(one) != rule.hashed(other)
    assert rule.hashed(one) != rule.hashed(LongText(one, one.parts, "Title "))
    assert rule.hashed(LongText("", (), "Title ")) == rule.hashed("")


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
    chunks, _ = cut(text, rule, sizes)
    assert [chunk.start for chunk in chunks] == sorted({chunk.start for chunk in chunks})
    assert [chunk.end for chunk in chunks] == sorted({chunk.end for chunk in chunks})
    assert not text or (chunks[0].start == 0 and chunks[-1].end == len(text))
    for before, after in pairwise(chunks):
        assert before.start < after.start <= before.end < after.end
    borders = {0, *graphemes(text)}
    for chunk in chunks:
        assert {chunk.start, chunk.end} <= borders
        whole = chunk.content
        assert sizes([whole])[0] <= rule.max_tokens or len(graphemes(whole)) == 1


@given(st.text())
def test_pieces_make_the_text_again(text: str) -> None:
    for way in (sentences, words, graphemes):
        ends = way(text)
        assert ends == sorted(set(ends))
        assert (ends[-1:] == [len(text)]) is bool(text)


def test_overlaps_repeat_whole_sentences() -> None:
    text = "".join(f"This is sentence {n}. " for n in range(10))
    chunks, _ = cut(text, ChunkRule("sentence", 18, 8), sizes)
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
        ({"by": "late", "overlap": 8}, "chunk.by is 'late'; such chunks see each other: overlap"),
        ({"by": "late", "prefix": "title"}, "overlap and prefix go without"),
        ({"max_chunks": 0}, "chunk.max_chunks is 0; it is at least 1"),
        ({"beyond": "drop"}, "chunk.beyond is 'drop'; it is one of refuse, cut"),
        ({"prefix": ["title", 5]}, "chunk.prefix is .*; it is a text field or a list of them"),
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
    more = ChunkRule("section", 100, 0, 7, "cut", ("title", "kind"))
    assert ChunkRule.parse(more.as_json()) == more
    assert ChunkRule.parse({"prefix": "title"}).prefix == ("title",)
    nulls = dict.fromkeys(("by", "max_tokens", "overlap", "max_chunks", "beyond", "prefix"))
    assert ChunkRule.parse(nulls) == ChunkRule()
    assert more.within(30) == dataclasses.replace(more, max_tokens=30)


def made() -> list[Mapping[str, Any]]:
    plain = [case_of([("body", text)], " ", "", rule) for text in TEXTS for rule in RULES]
    in_parts = [
        case_of(items, joiner, prefix, rule)
        for items in ITEMS
        for rule in IN_PARTS
        for joiner, prefix in zip((" ", "\n\n", ". "), PREFIXES, strict=True)
    ]
    return plain + in_parts


def test_chunks_are_by_code_points() -> None:
    text = "\U0001f44d " * 30 + "Next."
    assert cut(text, ChunkRule("sentence", 64), sizes) == Cut([Chunk(0, 65, text)], False)


if __name__ == "__main__":
    CASES.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case) for case in made())
    CASES.write_text(f"[\n{lines}\n]\n", "utf-8")
