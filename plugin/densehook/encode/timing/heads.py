"""Several kinds at once: all that the graph gives in one run, and each kind by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...bundle import Bundle
from ...machine import usable_cpus
from ..encoded import stats_of
from ..encoder import Encoder
from .bulk import WARM_UP, padding_of, windows
from .given import Given
from .texts import Times as TimesOfTexts
from .texts import timed_queries


@dataclass(frozen=True)
class Times(TimesOfTexts):
    """Of all kinds in one run; ``seconds_of_kind`` are of the same documents, by each alone."""

    seconds_of_kind: Mapping[str, float]

    def said(self) -> list[tuple[str, str]]:
        """As ``Times.said`` of the package."""
        alone = (
            (f"{kind} alone", f"{self.bulk.texts / seconds:,.1f} texts/s")
            for kind, seconds in self.seconds_of_kind.items()
        )
        together = ("in one run", ", ".join(self.seconds_of_kind))
        return [together, *super().said(), *alone]


def timed(bundle: Bundle, encoder: Encoder, given: Given) -> Times:
    """Encodes all texts once as documents, of all kinds and of each, then queries of all kinds."""
    kinds = list(bundle.manifest.heads)
    _seconds(encoder, given.texts[:WARM_UP], kinds)
    given.progress("Encoding documents")
    seconds = _seconds(encoder, given.texts, kinds)
    of_kind = {kind: _seconds(encoder, given.texts, [kind]) for kind in kinds}
    tokens = [encoder.tokenize(each, "document") for each in windows(given.texts)]
    given.progress("Encoding queries")
    # as an Engine does it: each on one core, as many at a time as there are
    of_queries, cpus = Encoder(bundle, threads=1), usable_cpus()
    slots = threading.Semaphore(cpus)

    def ask(query: str) -> None:
        with slots:
            of_queries.encode_tokens_of_kinds(of_queries.tokenize([query], "query"), kinds)

    return Times(
        cpus,
        given.load_seconds,
        stats_of([text for window in tokens for text in window]),
        seconds,
        padding_of(encoder, tokens),
        timed_queries(ask, given.texts),
        of_kind,
    )


def _seconds(encoder: Encoder, texts: Sequence[str], kinds: Sequence[str]) -> float:
    started = time.perf_counter()
    for window in windows(texts):
        encoder.encode_tokens_of_kinds(encoder.tokenize(window, "document"), kinds)
    return time.perf_counter() - started
