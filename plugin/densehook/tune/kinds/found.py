"""How well queries find documents: exact search, by each kind of output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...bundle import Role
from ...encode import Encoder
from ...encode.encoder import WINDOW
from ..quality import encode_sample, ndcg_of
from .of_sample import OfSample


class Found(OfSample):
    """nDCG@10 of exact search over the sample, all of whose queries are asked.

    Of an encoder of several kinds each has its own, and one run gives all of them.
    """

    way = "exact search"
    unit = "texts"

    def measured(self, encoder: Encoder, on_progress: Callable[[int], None]) -> Mapping[str, float]:
        """As ``Quality.measured``."""
        kinds = list(encoder.manifest.heads)
        if len(kinds) == 1:
            rows = encode_sample(encoder, self._sample, on_progress)
            return {kinds[0]: ndcg_of(encoder, self._sample, *rows)}
        documents = _rows(encoder, self._sample.documents, "document", kinds, on_progress)
        texts = list(self._sample.queries.values())
        queries = _rows(encoder, texts, "query", kinds, lambda done: None)
        return {
            kind: ndcg_of(encoder.of_kind(kind), self._sample, documents[kind], queries[kind])
            for kind in kinds
        }


def _rows(
    encoder: Encoder,
    texts: Sequence[str],
    role: Role,
    kinds: Sequence[str],
    on_progress: Callable[[int], None],
) -> Mapping[str, Any]:
    """By kind a row for each text."""
    rows = {kind: encoder.of_kind(kind).blank(len(texts)) for kind in kinds}
    for start in range(0, len(texts), WINDOW):
        tokens = encoder.tokenize(texts[start : start + WINDOW], role, first=start)
        made = encoder.encode_tokens_of_kinds(tokens, kinds)
        for whole, own in zip(rows.values(), made, strict=True):
            whole[start : start + len(tokens)] = own
        on_progress(start + len(tokens))
    return rows
