"""Texts made for one tokenizer: they give its lowest and its highest ids, and its added tokens.

A wrong vocabulary, or an embedding matrix of another one, is found where the ids end first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_EACH = 4
"""Ids that a text is made to have; a text stays short enough to be run at every load."""
_TRIED = 2048
"""Ids looked at from either end: many are pieces that no text gives."""


def edge_texts(tokenizer: Any) -> list[str]:
    """Up to three texts: of the lowest ids, of the highest ids, and of added tokens.

    ``tokenizer`` is one of transformers'. Where no text gives an id, the next one is taken.
    """
    added = sorted(tokenizer.get_added_vocab().values())
    ordinary = sorted(set(tokenizer.get_vocab().values()) - set(added))
    few = added if len(added) <= 2 * _EACH else [*added[:_EACH], *added[-_EACH:]]
    texts = [
        _text_with(tokenizer, ordinary[:_TRIED], _EACH),
        _text_with(tokenizer, ordinary[: -_TRIED - 1 : -1], _EACH),
        _text_with(tokenizer, few, 2 * _EACH),
    ]
    return [text for text in dict.fromkeys(texts) if text]


def _text_with(tokenizer: Any, ids: Sequence[int], wanted: int) -> str:
    """A text whose ids include as many of the first ones that can be had."""
    chosen: list[str] = []
    had: set[int] = set()
    for number, text in _reachable(tokenizer, ids):
        longer = " ".join([*chosen, text])
        if {*had, number} <= set(_ids(tokenizer, longer)):
            chosen.append(text)
            had.add(number)
        if len(had) == wanted:
            break
    return " ".join(chosen)


def _reachable(tokenizer: Any, ids: Sequence[int]) -> Iterable[tuple[int, str]]:
    """Ids with a text that gives them, in their order."""
    before = _ids(tokenizer, "a")  # for pieces that only stand inside a word
    for number in ids:
        for tokens in ([number], [*before, number]):
            text = str(tokenizer.decode(tokens, clean_up_tokenization_spaces=False)).strip()
            if number in _ids(tokenizer, text):
                yield number, text
                break


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
