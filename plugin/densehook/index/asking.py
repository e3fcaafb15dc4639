"""What an index is asked, from queries to requests, and what answers say: without a client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..hooks import VectorField
from ..hooks.kinds import kind_for
from ..hooks.kinds.dense import LIST as DENSE
from ..hooks.kinds.instructions import require_none
from ..hooks.kinds.multi import RESCORED
from ..images import as_base64
from ..number_lists import number_list
from .asked import Asked, Options
from .hits import Hits
from .reranking import Here, InCluster, Stage
from .searching import Answer, Body, OfLists, Searching, Vector
from .unused import require_no_text

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
    ) -> tuple[Asked, Body, Vector | OfLists | None]:
        """The search for an image, by its vector where there is an encoder here.

        Raises RequestError for what is of searches for a text.

        asked, body, vector = index.asking.image_search(Path("cat.jpg"), {"size": 5})
        """
        asked = Asked.of(_of_image(options))
        require_no_text(asked, "an image is", (DENSE, RESCORED))
        vector: Vector | OfLists | None = None
        searching = self._searching.of(asked.mode)
        if searching.needs_vector(asked) and self._encoder is not None:
            vector = self._outputs_of_image(image, searching, asked, self._encoder)
        return asked, searching.image_body(as_base64(image), asked, vector), vector

    def _outputs_of_image(
        self, image: str | bytes | Path, searching: Searching, asked: Asked, encoder: Encoder
    ) -> OfLists:
        """What one run gives for an image, by the lists that are searched. Raises EncodeError."""
        manifest = encoder.manifest.whole or encoder.manifest
        fields = searching.encoded(asked)
        kinds = [kind_for(each.mapping, manifest) for each in fields]
        rows = encoder.encode_each_image_of_kinds([image], kinds)
        for failure in rows[0].failures.values():
            raise failure
        lists = [each.format.LIST for each in fields]
        return OfLists(
            {name: each.vectors[0].tolist() for name, each in zip(lists, rows, strict=True)}
        )

    def numbers_search(
        self, numbers: Sequence[Any], options: Options
    ) -> tuple[Asked, Body, Vector | None]:
        """The same for a list of numbers.

        asked, body, vector = index.asking.numbers_search([0.5, 1, 2.25], {"size": 5})
        """
        asked = Asked.of({"mode": DENSE, **options})
        require_no_text(asked, "numbers are", (DENSE,))
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
        fields = searching.encoded(asked)
        if len(fields) > 1:
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
        for each in fields[1:] if asked.mode != RESCORED else fields[:1]:
            require_none(each.name, each.format.TYPE, asked.instruction)
        manifest = encoder.manifest.whole or encoder.manifest
        kinds = [kind_for(each.mapping, manifest) for each in fields]
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
        """For each text the searches to send, all in one request.

        Raises RequestError where documents have no text that a stage could rerank them by.
        """
        searching = self._searching.of(asked.mode)
        pairs = list(zip(texts, vectors, strict=True))
        if isinstance(stage, InCluster):
            return [
                [searching.reranked_by_cluster(text, asked, vector, stage.encoder)]
                for text, vector in pairs
            ]
        if stage is not None:
            _ = searching.reranked_by
        first = asked if stage is None else asked.first_stage
        return [searching.bodies(text, first, vector) for text, vector in pairs]

    def read(
        self,
        texts: Sequence[str],
        asked: Asked,
        answers: Sequence[Sequence[Answer]],
        stage: Stage | None = None,
    ) -> list[Hits]:
        """The hits of each text, from the answers to its searches."""
        searching = self._searching.of(asked.mode)
        first = asked.first_stage if isinstance(stage, Here) else asked
        return [searching.hits(text, first, own) for text, own in zip(texts, answers, strict=True)]


def _of_image(options: Options) -> Options:
    """What is asked for an image: dense search, and by maxsim of what that finds."""
    asked: Options = {"mode": DENSE, **options}
    if asked["mode"] == RESCORED and asked.get("first") is None:
        asked["first"] = DENSE
    return asked


def by_searches(bodies: Sequence[Sequence[Body]], answers: Sequence[Answer]) -> list[list[Answer]]:
    """The answers to searches that were sent in one request, as the searches stood together."""
    coming = iter(answers)
    return [[next(coming) for _ in each] for each in bodies]
