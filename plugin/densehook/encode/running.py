"""Tokenised texts put through the graph: packed by length, run, and halved where one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from ..bundle import Manifest
from ..errors import EncodeError
from .kinds import OUTPUTS
from .packing import MAX_PADDING, pack
from .session import Batch, Session, Vectors
from .tokenizer import Tokens


class Running:
    """A bundle's session, and how much of what goes through it at a time.

    ``tokens_per_run`` counts padding; ``concurrent_runs`` packs are run side by side.
    """

    def __init__(
        self, manifest: Manifest, session: Session, tokens_per_run: int, concurrent_runs: int
    ) -> None:
        self.tokens_per_run = tokens_per_run
        self._manifest = manifest
        self._kind = OUTPUTS[manifest.kind]
        self.session = session
        self._concurrent_runs = concurrent_runs

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
        back. A text that the model cannot run fails its pack, which is then run in halves until the
        text is alone.
        """
        vectors: Vectors = self._kind.blank(self._manifest, len(window))
        failures: dict[int, EncodeError] = {}

        def run(positions: Sequence[int]) -> None:
            try:
                with around_run():
                    vectors[positions] = self.together([window[at] for at in positions])
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
        return vectors, failures

    def together(self, texts: Sequence[Tokens]) -> Vectors:
        """One run of tokenised texts, the longest first -> float32 [n, dims].

        Raises EncodeError where the model cannot run them.
        """
        shape = (len(texts), len(texts[0].ids))
        ids = np.full(shape, self._manifest.pad_id, dtype=np.int64)
        mask, pooled = np.zeros_like(ids), np.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text.ids)] = text.ids
            mask[row, : len(text.ids)] = 1
            pooled[row, text.unpooled : len(text.ids)] = 1
        output = self.session.run(Batch(ids, mask, pooled))
        rows: Vectors = self._kind.decoded(self._manifest, output)
        return rows
