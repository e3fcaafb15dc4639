"""Texts to token ids; the only module that imports tokenizers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import tokenizers

from ..bundle import well_formed
from ..errors import BundleError


class Tokens(NamedTuple):
    """A text as the model reads it."""

    ids: list[int]
    """Token ids, special tokens included, or the bits of numbers; at most ``max_tokens``."""
    lost: int
    """Tokens beyond ``max_tokens``, which the model does not see."""
    unpooled: int = 0
    """Of the first ones, how many the vector is not pooled of."""
    spans: Sequence[tuple[int, int]] = ()
    """The first and behind the last token of each part that has a vector; none for one of all."""
    types: Sequence[int] = ()
    """The type of each token; none where all are of type 0."""
    is_query: bool = False
    """Whether it is that of a query, which some encoders weigh without their graph."""
    unattended: int = 0
    """Of the last ones, how many the others do not attend to."""
    dropped: Sequence[int] = ()
    """Places of tokens that have no vector, where each token has one."""


class Tokenizer:
    """A bundle's tokenizer with the bundle's truncation."""

    def __init__(self, path: Path, max_tokens: int) -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise BundleError(f"{path} is not a tokenizer: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenises texts, in parallel; a lone surrogate is read as U+FFFD."""
        encodings = self._tokenizer.encode_batch([well_formed(text) for text in texts])
        return [Tokens(encoding.ids, _lost(encoding)) for encoding in encodings]

    def parts_of_pairs(self, texts: Sequence[str]) -> list[Tokens]:
        """The same without special tokens, as a query or a text stands in a pair."""
        encodings = self._tokenizer.encode_batch(
            [well_formed(text) for text in texts], add_special_tokens=False
        )
        return [Tokens(encoding.ids, _lost(encoding)) for encoding in encodings]

    def leading(self, text: str) -> int:
        """How many tokens it gives, however many are read, but for a special one at its end."""
        encoding = self._tokenizer.encode(well_formed(text))
        closing: int = sum(encoding.special_tokens_mask[-1:])
        return len(encoding.ids) + _lost(encoding) - closing

    def token(self, number: int) -> str | None:
        """The token of an id, as tokenizer.json has it; None where there is none."""
        token: str | None = self._tokenizer.id_to_token(number)
        return token

    def with_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Tokens]:
        """Texts, and by characters where the parts of each begin and end: with their tokens.

        A token is of the part that has its last character. A part without tokens has all of them.
        """
        encodings = self._tokenizer.encode_batch([well_formed(text) for text in texts])
        return [
            Tokens(encoding.ids, _lost(encoding), 0, _parts(encoding, own))
            for encoding, own in zip(encodings, spans, strict=True)
        ]


def _parts(
    encoding: tokenizers.Encoding, spans: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    places = [
        (end - 1, at)
        for at, (_, end) in enumerate(encoding.offsets)
        if not encoding.special_tokens_mask[at]
    ]
    found = []
    for start, end in spans:
        own = [at for place, at in places if start <= place < end]
        found.append((own[0], own[-1] + 1) if own else (0, len(encoding.ids)))
    return found


def _lost(encoding: tokenizers.Encoding) -> int:
    # each overflowing part carries special tokens of its own, which no text lost
    return sum(part.special_tokens_mask.count(0) for part in encoding.overflowing)
