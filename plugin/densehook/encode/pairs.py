"""Pairs of a query and a text, put together of the tokens that each has by itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..bundle import Pairing
from .tokenizer import Tokens


class Kept(NamedTuple):
    """How many tokens of a query, and of the text beside it, a model reads."""

    query: int
    text: int


def longest_first(query: int, text: int, room: int) -> Kept:
    """Cuts the longer one until both fit, or each has half, as Hugging Face's tokenizers do."""
    if query + text <= room:
        return Kept(query, text)
    short = min(query, text)
    if 2 * short <= room:
        return Kept(query, room - query) if query == short else Kept(room - text, text)
    half = room // 2
    return Kept(half, room - half) if query <= text else Kept(room - half, half)


def document(query: int, text: int, room: int) -> Kept:
    """Cuts the text, and the query where it fills the room alone."""
    kept = min(query, room)
    return Kept(kept, min(text, room - kept))


_TRUNCATED: Mapping[str, Callable[[int, int, int], Kept]] = {
    "longest_first": longest_first,
    "document": document,
}


def kept(pairing: Pairing, max_tokens: int, query: int, text: int) -> Kept:
    """What is left of a query and a text of so many tokens in a pair of ``max_tokens``."""
    room = max(0, max_tokens - pairing.around)
    return _TRUNCATED[pairing.truncation](query, text, room)


def empty_half(query: Tokens, text: Tokens) -> str | None:
    """Which half of a pair has no token, ``query`` or ``text``: there is nothing to score then."""
    return next((half for half, of in (("query", query), ("text", text)) if not of.ids), None)


def paired(pairing: Pairing, max_tokens: int, query: Tokens, text: Tokens) -> Tokens:
    """A pair as the model reads it; its ``lost`` are those of both."""
    sizes = len(query.ids) + query.lost, len(text.ids) + text.lost
    left = kept(pairing, max_tokens, *sizes)
    first = [*pairing.before, *query.ids[: left.query], *pairing.between]
    second = [*text.ids[: left.text], *pairing.after]
    types = [0] * len(first) + [pairing.second_type] * len(second) if pairing.second_type else ()
    return Tokens([*first, *second], sum(sizes) - sum(left), types=types)
