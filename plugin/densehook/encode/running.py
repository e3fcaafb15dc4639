"""Tokenised texts put through the graph: packed by length, run, and halved where one fails."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from ..bundle import Manifest
from ..errors import EncodeError
from .kinds import OUTPUTS, Lexicon, Output
from .packing import MAX_PADDING, pack
from .session import Batch, Rows, Session, Vectors
from .tokenizer import Tokens


class _Head(NamedTuple):
    """One of a graph's outputs, and how it is read."""

    manifest: Manifest
    kind: Output
    lexicon: Lexicon | None

    def blank(self, texts: int) -> Vectors:
        rows: Vectors = self.kind.blank(self.manifest, texts)
        return rows

    def decoded(self, output: Rows) -> Vectors:
        if self.lexicon is not None:
            require_finite([output])  # a weight that is no number would be none in a row
        rows: Vectors = self.kind.decoded(self.manifest, output)
        return rows if self.lexicon is None else self.lexicon.named(rows)


class Running:
    """A bundle's session, and how much of what goes through it at a time.

    ``tokens_per_run`` counts padding; ``concurrent_runs`` packs are run side by side. ``lexicons``
    have the words of outputs that are of tokens, by kind.
    """

    def __init__(
        self,
        manifest: Manifest,
        session: Session,
        tokens_per_run: int,
        concurrent_runs: int,
        lexicons: Mapping[str, Lexicon],
    ) -> None:
        self.tokens_per_run = tokens_per_run
        self._manifest = manifest
        self._heads = {
            kind: _Head(manifest.of_kind(kind), OUTPUTS[kind], lexicons.get(kind))
            for kind in (manifest.whole or manifest).heads
        }
        self._head = self._heads[manifest.kind]
        self.session = session
        self._concurrent_runs = concurrent_runs

    def of_kind(self, kind: str) -> Running:
        """The same, whose rows are those of another kind that the graph gives."""
        other = copy.copy(self)
        other._head = self._heads[kind]
        other._manifest = other._head.manifest
        other.session = self.session.giving(other._manifest.output)
        return other

    @property
    def max_padding(self) -> float:
        """The share of a run that may be padding: none where the graph does not know padding."""
        return MAX_PADDING if self._manifest.knows_padding else 0.0

    def each(
        self,
        window: Sequence[Tokens],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
        batch_size: int | None = None,
    ) -> tuple[Vectors, dict[int, EncodeError]]:
        """Tokenised texts -> float32 [n, dims], and why those are zeros that cannot be run.

        Packs are as large as allowed, each run within what ``around_run`` gives, which may hold it
        back. A text that the model cannot run, or whose vector is not finite, fails its pack, which
        is then run in halves until the text is alone.
        """
        vectors = self._head.blank(len(window))
        lexicon = self._head.lexicon

        def put(positions: Sequence[int]) -> None:
            with around_run():
                rows = self.together([window[at] for at in positions])
            require_finite(rows)
            vectors[positions] = rows

        if lexicon is None or not lexicon.weighs_queries:
            return vectors, self._packed(window, put, batch_size)
        for at, tokens in enumerate(window):
            if tokens.is_query:
                vectors[at] = lexicon.weighed(tokens.ids)
        places = [at for at, tokens in enumerate(window) if not tokens.is_query]
        failures = self._packed(
            [window[at] for at in places],
            lambda positions: put([places[at] for at in positions]),
            batch_size,
        )
        return vectors, {places[at]: failure for at, failure in failures.items()}

    def each_of_kinds(
        self, window: Sequence[Tokens], kinds: Sequence[str]
    ) -> tuple[Mapping[str, Vectors], dict[int, EncodeError]]:
        """As ``each``, of several kinds that one run gives: the rows of each, by kind."""
        heads = [self._heads[kind] for kind in kinds]
        vectors = {kind: self._heads[kind].blank(len(window)) for kind in kinds}
        names = [head.manifest.output for head in heads]

        def put(positions: Sequence[int]) -> None:
            batch = self._batch([window[at] for at in positions])
            given = self.session.run_each(batch, names)
            made = [head.decoded(output) for head, output in zip(heads, given, strict=True)]
            for rows, own in zip(vectors.values(), made, strict=True):
                require_finite(own)
                rows[positions] = own

        return vectors, self._packed(window, put)

    def each_spans(
        self, window: Sequence[Tokens]
    ) -> tuple[dict[int, Vectors], dict[int, EncodeError]]:
        """Tokenised texts -> by place float32 [spans, dims], or why there is none."""
        vectors: dict[int, Vectors] = {}

        def put(positions: Sequence[int]) -> None:
            texts = [window[at] for at in positions]
            rows = self._rows(texts)
            made = [own[: len(text.spans)] for text, own in zip(texts, rows, strict=True)]
            require_finite(made)
            vectors.update(zip(positions, made, strict=True))

        return vectors, self._packed(window, put)

    def _packed(
        self,
        window: Sequence[Tokens],
        put: Callable[[Sequence[int]], None],
        batch_size: int | None = None,
    ) -> dict[int, EncodeError]:
        """Has packs of like length put through the graph; gives why some texts were not."""
        failures: dict[int, EncodeError] = {}

        def run(positions: Sequence[int]) -> None:
            try:
                put(positions)
            except EncodeError as error:
                if len(positions) == 1:
                    failures[positions[0]] = error
                    return
                middle = len(positions) // 2
                run(positions[:middle])
                run(positions[middle:])

        lengths = [len(tokens.ids) for tokens in window]
        packs = pack(lengths, self.tokens_per_run, self.max_padding, batch_size)
        if self._concurrent_runs == 1 or len(packs) == 1:
            for positions in packs:
                run(positions)
        else:
            with ThreadPoolExecutor(self._concurrent_runs) as threads:
                list(threads.map(run, packs))  # list: an error in a thread is raised here
        return failures

    def together(self, texts: Sequence[Tokens]) -> Vectors:
        """One run of tokenised texts, the longest first -> float32 [n, dims].

        Raises EncodeError where the model cannot run them.
        """
        rows: Vectors = self._rows(texts)[:, 0]
        return rows

    def _rows(self, texts: Sequence[Tokens]) -> Vectors:
        """The same with a vector for each part of a text: float32 [n, spans, dims]."""
        output = self.session.run(self._batch(texts))
        if self._manifest.knows_spans and output.ndim == 3:
            output = output.reshape(-1, output.shape[-1])
        rows = self._head.decoded(output)
        return rows.reshape(len(texts), -1, *rows.shape[1:])

    def _batch(self, texts: Sequence[Tokens]) -> Batch:
        """What the graph reads of texts, the longest of which is the first."""
        shape = (len(texts), len(texts[0].ids))
        ids = np.full(shape, self._manifest.pad_id, dtype=np.int64)
        mask, types, kept = np.zeros_like(ids), np.zeros_like(ids), np.zeros_like(ids)
        most = max(len(text.spans) or 1 for text in texts)
        pooled = np.zeros((shape[0], most, shape[1]), dtype=np.int64)
        for row, text in enumerate(texts):
            ids[row, : len(text.ids)] = text.ids
            mask[row, : len(text.ids) - text.unattended] = 1
            types[row, : len(text.types)] = text.types
            kept[row, : len(text.ids)] = 1
            kept[row, list(text.dropped)] = 0
            for span, (first, end) in enumerate(text.spans or [(text.unpooled, len(text.ids))]):
                pooled[row, span, first:end] = 1
        return Batch(ids, mask, pooled, types, kept)


def require_finite(rows: Iterable[Any]) -> None:
    """Raises EncodeError where a row has a number that is not finite, as the node refuses it.

    A row is an array, or weights by token.
    """
    is_one_array = isinstance(rows, np.ndarray) and rows.dtype != object
    if not all(np.isfinite(_numbers_of(row)).all() for row in ([rows] if is_one_array else rows)):
        raise EncodeError("its vector is not finite")


def _numbers_of(row: Any) -> Any:
    return list(row.values()) if isinstance(row, dict) else row
