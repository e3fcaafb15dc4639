"""What the model reads of a text, where a kind changes what the tokenizer gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..bundle import Bundle, Manifest, Multi, Numbers
from ..errors import EncodeError
from ..number_lists import numbers_of_text
from .tokenizer import Tokenizer, Tokens


class Reading(NamedTuple):
    """How encoders of a kind read texts of a role.

    The tokenizer cuts a text at ``limit`` tokens, and ``read`` makes of those what the graph gets.
    """

    limit: Callable[[Manifest, str], int]
    read: Callable[[Manifest, str, Tokens], Tokens]


def _late_limit(manifest: Manifest, role: str) -> int:
    part = manifest.of(Multi)
    most = part.query_tokens if role == "query" else manifest.max_tokens
    return most - (role in part.markers)


def _with_marker_and_masks(manifest: Manifest, role: str, tokens: Tokens) -> Tokens:
    """A marker behind the first token, and a query filled up with MASK."""
    part = manifest.of(Multi)
    ids = list(tokens.ids)
    if not ids:
        return tokens
    if role in part.markers:
        ids.insert(1, part.markers[role])
    unattended = 0
    if role != "query":
        skipped = set(part.skipped_ids)
        dropped = [place for place, each in enumerate(ids) if each in skipped]
        return tokens._replace(ids=ids, dropped=dropped)
    if (expansion := part.expands) is not None:
        masks = part.query_tokens - len(ids)
        ids += [expansion.mask_id] * masks
        unattended = 0 if expansion.attended else masks
    return tokens._replace(ids=ids, unattended=unattended)


_PLAIN = Reading(lambda manifest, role: manifest.max_tokens, lambda manifest, role, tokens: tokens)

READINGS: Mapping[str, Reading] = {"multi": Reading(_late_limit, _with_marker_and_masks)}
"""Of the kinds that do not read a text as the tokenizer gives it."""


class Reader:
    """A bundle's tokenizer, as its kind reads texts of each role."""

    def __init__(self, bundle: Bundle) -> None:
        self._manifest = bundle.manifest
        self._reading = READINGS.get(bundle.manifest.kind, _PLAIN)
        limits = {
            role: self._reading.limit(self._manifest, role) for role in self._manifest.prompts
        }
        by_limit = {limit: Tokenizer(bundle.tokenizer, limit) for limit in set(limits.values())}
        self._tokenizers = {role: by_limit[limit] for role, limit in limits.items()}

    def __call__(self, texts: Sequence[str], role: str) -> list[Tokens]:
        """The tokens of texts that are all of one role, prompts included."""
        read = self._reading.read
        return [read(self._manifest, role, each) for each in self._tokenizers[role](texts)]

    def each(self, texts: Sequence[str], role: str) -> Sequence[Tokens | EncodeError]:
        """The same, where a text that cannot be read has its reason."""
        return self(texts, role)

    @property
    def tokenizer(self) -> Tokenizer:
        """That of documents."""
        return self._tokenizers["document"]

    def leading(self, prompt: str) -> int:
        """As ``Tokenizer.leading``, of queries."""
        return self._tokenizers["query"].leading(prompt)

    def parts_of_pairs(self, texts: Sequence[str], role: str) -> list[Tokens]:
        """As ``Tokenizer.parts_of_pairs``."""
        return self._tokenizers[role].parts_of_pairs(texts)

    def with_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Tokens]:
        """As ``Tokenizer.with_spans``, of documents."""
        return self._tokenizers["document"].with_spans(texts, spans)


class NumberReader(Reader):
    """Reads lists of numbers, by the texts that ``number_lists`` has for them."""

    def __init__(self, bundle: Bundle) -> None:
        self._manifest = bundle.manifest
        self._part = bundle.manifest.of(Numbers)

    def __call__(self, texts: Sequence[str], role: str) -> list[Tokens]:
        """A token for each number; raises EncodeError for what the encoder cannot read."""
        return [self._tokens(text) for text in texts]

    def each(self, texts: Sequence[str], role: str) -> Sequence[Tokens | EncodeError]:
        """As ``Reader.each``."""
        found: list[Tokens | EncodeError] = []
        for text in texts:
            try:
                found.append(self._tokens(text))
            except EncodeError as error:
                found.append(error)
        return found

    def _tokens(self, text: str) -> Tokens:
        name, channels = self._manifest.name, self._part.channels
        given, most = numbers_of_text(text), self._manifest.max_tokens
        if given.channels != channels:
            raise EncodeError(
                f"it has {given.channels} channels, and encoder {name!r} reads lists of {channels}"
            )
        if self._part.fixed_length and len(given.bits) != most:
            raise EncodeError(
                f"it has {len(given.bits) // channels} steps, and encoder {name!r} reads lists of"
                f" {most // channels} alone"
            )
        return Tokens(list(given.bits[:most]), max(0, len(given.bits) - most))


READERS: Mapping[str, Callable[[Bundle], Reader]] = {"numbers": NumberReader}
"""Of the kinds that read no text."""


def reader_of(bundle: Bundle) -> Reader:
    """What reads for a bundle's encoder."""
    return READERS.get(bundle.manifest.kind, Reader)(bundle)


class DocumentTokenizer:
    """Tells which documents a bundle's encoder would read the first tokens of alone."""

    def __init__(self, bundle: Bundle) -> None:
        self._read = reader_of(bundle)
        self._prompt = bundle.manifest.prompts["document"]

    def cuts(self, texts: Iterable[tuple[str, str | None]]) -> list[bool]:
        """Of texts with their own prompts, None for the encoder's."""
        prompted = [
            (self._prompt if prompt is None else prompt) + text if text else ""
            for text, prompt in texts
        ]
        read = self._read.each(prompted, "document")
        return [isinstance(tokens, Tokens) and tokens.lost > 0 for tokens in read]
