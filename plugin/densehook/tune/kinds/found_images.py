"""How well texts find images: exact search, by the vectors of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from ...encode import Encoder, ImageTextEncoder
from ...errors import CollectionError, EncodeError
from ..quality import ndcg_of
from .of_sample import OfSample

_TOGETHER = 16


class FoundImages(OfSample):
    """nDCG@10 of exact search over the sample's images, by all of its queries, which are texts.

    Vectors of patches, where there are some, are searched by no text, and not judged by it.
    """

    way = "exact search of images"
    unit = "images"

    @property
    def texts(self) -> Sequence[str]:
        """As ``Quality.texts``: the queries."""
        return list(self._sample.queries.values())

    @property
    def images(self) -> Sequence[str]:
        """As ``Quality.images``: the documents."""
        return self._sample.documents

    def measured(self, encoder: Encoder, on_progress: Callable[[int], None]) -> Mapping[str, float]:
        """As ``Quality.measured``; raises CollectionError for what is no image."""
        of_images = cast(ImageTextEncoder, encoder)
        rows = []
        for start in range(0, len(self.images), _TOGETHER):
            try:
                rows.append(of_images.encode_images(self.images[start : start + _TOGETHER]))
            except EncodeError as error:
                id_ = self._sample.ids[start + error.position]
                why = str(error).partition(": ")[2]
                raise CollectionError(
                    f"collection {self._sample.name}, document {id_!r}: {why}"
                ) from None
            on_progress(min(start + _TOGETHER, len(self.images)))
        queries = encoder.encode_counted(self.texts, "query").vectors
        found = ndcg_of(encoder, self._sample, np.concatenate(rows), queries)
        return {encoder.manifest.kind: found}
