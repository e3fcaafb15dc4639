"""What an index is asked, from queries to requests, and what answers say: without a client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..hooks import VectorField
from ..hooks.kinds import kind_for
from ..hooks.kinds.instructions import require_none
from ..images import as_base64
from ..number_lists import number_list
from .asked import Asked, Options
from .hits import Hits
from .reranking import Here, InCluster, Stage
from .searching import Body, OfLists, Searching, Vector

if TYPE_CHECKING:
    from ..encode import Encoder


class Asking:
    """Encodes queries, where there is an encoder here, and knows the searches they become.

    asked, body, vector = index.asking.image_search(Path("cat.jpg"), {"size": 5})
    """

    def __init__(self, searching: Searching, encoder: Encoder | None) -> None:
        self._searching = searching
        self._encoder = encoder

    def image_search(
        self, image: str | bytes | Path, options: Options
    ) -> tuple[Asked, Body, Vector | None]:
        """The search for an image, by its vector where there is an encoder here.

        asked, body, vector = index.asking.image_search(Path("cat.jpg"), {"size": 5})
        """
        asked = Asked.of({"mode": "dense", **options})
        vector: Vector | None = None
        searching = self._searching.of(asked.mode)
        whole: Vector | None = None
        if searching.needs_vector(asked) and self._encoder is not None:
            manifest = self._encoder.manifest.whole or self._encoder.manifest
            kinds = [kind_for(searching.field.mapping, manifest), manifest.kind]
            each = self._encoder.encode_each_image_of_kinds([image], list(dict.fromkeys(kinds)))
            for encoded in each:
                for failure in encoded.failures.values():
                    raise failure
            vector, whole = each[0].vectors[0].tolist(), each[-1].vectors[0].tolist()
        return asked, searching.image_body(as_base64(image), asked, vector, whole), vector

    def numbers_search(
        self, numbers: Sequence[Any], options: Options
    ) -> tuple[Asked, Body, Vector | None]:
        """The same for a list of numbers.

        asked, body, vector = index.asking.numbers_search([0.5, 1, 2.25], {"size": 5})
        """
        asked = Asked.of({"mode": "dense", **options})
        given = number_list(numbers)
        vector: Vector | None = None
        searching = self._searching.of(asked.mode)
        if searching.needs_vector(asked) and self._encoder is not None:
            vector = self._encoder.encode_numbers([given])[0].tolist()
        return asked, searching.numbers_body(given, asked, vector), vector

    def vectors_of(self, texts: Sequence[str], asked: Asked) -> Sequence[Vector | OfLists | None]:
        """The vector of each query, None where the cluster makes it or none is needed."""
        searching = self._searching.of(asked.mode)
        if not searching.needs_vector(asked) or self._encoder is None:
            return [None] * len(texts)
        fields = searching.fused(asked)
        if len(fields) > 1 and asked.mode == "hybrid":
            return self._outputs_of(texts, asked, fields, self._encoder)
        encoder = searching.field.own(self._encoder)
        vectors: list[Vector | None] = encoder.encode_queries(
            list(texts), asked.instruction
        ).tolist()
        return vectors

    def _outputs_of(
        self, texts: Sequence[str], asked: Asked, fields: Sequence[VectorField], encoder: Encoder
    ) -> list[OfLists]:
        """What one run gives for each query, by the lists that these fields are searched as."""
        for each in fields[1:]:
            require_none(each.name, each.format.TYPE, asked.instruction)
        kinds = [each.own(encoder).manifest.kind for each in fields]
        rows = encoder.encode_tokens_of_kinds(encoder.tokenize(list(texts), "query"), kinds)
        lists = [each.format.LIST for each in fields]
        outputs = zip(*(each.tolist() for each in rows), strict=True)
        return [OfLists(dict(zip(lists, own, strict=True))) for own in outputs]

    def searches(
        self,
        texts: Sequence[str],
        asked: Asked,
        vectors: Sequence[Vector | OfLists | None],
        stage: Stage | None = None,
    ) -> list[list[Body]]:
        """For each text the searches to send, all in one request."""
        searching = self._searching.of(asked.mode)
        pairs = list(zip(texts, vectors, strict=True))
        if isinstance(stage, InCluster):
            return [
                [searching.reranked_by_cluster(text, asked, vector, stage.encoder)]
                for text, vector in pairs
            ]
        first = asked if stage is None else asked.first_stage
        return [searching.bodies(text, first, vector) for text, vector in pairs]

    def read(
        self,
        texts: Sequence[str],
        asked: Asked,
        bodies: Sequence[Sequence[Body]],
        answers: Sequence[Mapping[str, Any]],
        vectors: Sequence[Vector | OfLists | None],
        stage: Stage | None = None,
    ) -> list[Hits]:
        """The hits of each text, from the answers to its searches."""
        coming = iter(answers)
        searching = self._searching.of(asked.mode)
        first = asked.first_stage if isinstance(stage, Here) else asked
        return [
            searching.hits(text, first, [next(coming) for _ in each], vector)
            for text, each, vector in zip(texts, bodies, vectors, strict=True)
        ]
