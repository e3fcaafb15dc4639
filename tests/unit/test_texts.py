"""The texts an encoder is judged by reach every script, both ends of the ids and the limit."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

import tiny_models
from densehook.export.edges import edge_texts
from densehook.export.texts import GOLDEN, PASSAGES, beyond, long_text

# Unicode Standard Annex 31, table 5, by the first word of their letters' names
RECOMMENDED = [
    "ARABIC",
    "ARMENIAN",
    "BENGALI",
    "BOPOMOFO",
    "CYRILLIC",
    "DEVANAGARI",
    "ETHIOPIC",
    "GEORGIAN",
    "GREEK",
    "GUJARATI",
    "GURMUKHI",
    "CJK",
    "HANGUL",
    "HEBREW",
    "HIRAGANA",
    "KANNADA",
    "KATAKANA",
    "KHMER",
    "LAO",
    "LATIN",
    "MALAYALAM",
    "MYANMAR",
    "ORIYA",
    "SINHALA",
    "TAMIL",
    "TELUGU",
    "THAANA",
    "THAI",
    "TIBETAN",
]


@pytest.mark.parametrize("script", RECOMMENDED)
def test_golden_texts_have_every_script(script: str) -> None:
    assert any(unicodedata.name(c, "").startswith(script) for text in GOLDEN for c in text)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    tokenizer = tiny_models._word_piece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokenizer.add_tokens(["<own_token>", "another one"])
    return tokenizer


def ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_texts_are_made_of_the_lowest_and_highest_ids_that_any_text_gives(tokenizer: Any) -> None:
    added = set(tokenizer.get_added_vocab().values())
    # each token's own text, and each inside a word: the pieces that can be had at all
    words = {token.removeprefix("##") for token in tokenizer.get_vocab()}
    texts = [*words, *(f"a{word}" for word in words), *(f"{word}s" for word in words)]
    reached = sorted({each for text in texts for each in ids(tokenizer, text)} - added)
    found = {each for text in edge_texts(tokenizer) for each in ids(tokenizer, text)}
    assert {reached[0], reached[-1]} <= found
    assert added <= found


def test_texts_of_the_edges_stay_short(tokenizer: Any) -> None:
    tokenizer = tiny_models._word_piece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokenizer.add_tokens([f"<unused{i}>" for i in range(1000)])
    texts = edge_texts(tokenizer)
    assert sum(len(ids(tokenizer, text)) for text in texts) < 64
    assert max(ids(tokenizer, texts[-1])) == max(tokenizer.get_vocab().values())


def test_a_short_limit_is_gone_beyond_and_a_long_one_filled_as_far_as_it_may() -> None:
    def count(text: str) -> int:
        return len(text.split())

    assert count(long_text(64, 512, count)) > 64
    assert count(long_text(512, 512, count)) > 512
    everything = count(" ".join(PASSAGES))
    assert 8192 - everything < count(long_text(32768, 8192, count)) <= 8192
    assert 48 <= count(long_text(8192, 64, count)) <= 64
    assert long_text(64, 512, count) == beyond(64)
