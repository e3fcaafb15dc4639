"""An encoder whose bundle only the cluster has: texts are sent to a node, vectors come back."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast, overload
from urllib.parse import quote

from elasticsearch import BadRequestError, Elasticsearch

from ..bundle import Dense, Manifest, Numbers, Role
from ..errors import ElasticError, EncodeError, EncoderMismatch, MissingExtra, NotInService
from ..images import as_base64
from ..number_lists import number_lists
from ..types import EncodeStats
from .cluster import NO_PLUGIN, lacks_plugin
from .connect import elastic_errors, require_sync

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    Vectors = NDArray[np.float32]

log = logging.getLogger(__name__)

_MOST_TEXTS = 1000
"""Texts that a node takes in one request."""
_MOST_BYTES = 50_000_000
"""Of them, unless one alone is longer: half of what http.max_content_length is by itself."""
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


class RemoteEncoder:
    """An encoder in service in a cluster, as ``Encoder`` is one in this process.

    An index that is made with it has its vectors made in the cluster; one that is opened with it
    can be searched. Its node must have the privilege ``monitor`` for whoever asks.

        encoder = densehook.load("all-minilm-l6-v2", es=es)
        encoder.encode_queries("how do vaccines work")  # float32 [384]
    """

    def __init__(self, client: Elasticsearch, manifest: Manifest) -> None:
        self.client = client
        self.manifest = manifest

    def __repr__(self) -> str:
        return f"<RemoteEncoder {self.manifest.name!r}: {self.manifest.summary}, in a cluster>"

    @property
    def dims(self) -> int:
        """Length of a vector. Raises BundleError for a kind that gives none."""
        return self.manifest.of(Dense).dims

    @property
    def fingerprint(self) -> str:
        """Identity of the vectors this encoder makes; see Manifest.fingerprint."""
        return self.manifest.fingerprint

    def of_kind(self, kind: str) -> Self:
        """The same encoder, whose rows are of one of its kinds; as ``Encoder.of_kind``."""
        return type(self)(self.client, self.manifest.of_kind(kind))

    @overload
    def encode_queries(self, texts: str, instruction: str | None = None) -> Vector: ...
    @overload
    def encode_queries(self, texts: Sequence[str], instruction: str | None = None) -> Vectors: ...
    def encode_queries(
        self, texts: str | Sequence[str], instruction: str | None = None
    ) -> Vector | Vectors:
        """Queries -> float32 [n, dims], with the query prompt; one text -> float32 [dims].

        ``instruction`` takes the prompt's place, as of ``Encoder``; the node refuses it otherwise.
        Texts over the limit are cut, with a warning in the log. Raises EncodeError for a text that
        is not a string, ElasticError for one that the node cannot encode, EncoderMismatch when its
        bundle was replaced by another meanwhile.
        """
        return self._encoded(texts, "query", instruction)

    @overload
    def encode_documents(self, texts: str) -> Vector: ...
    @overload
    def encode_documents(self, texts: Sequence[str]) -> Vectors: ...
    def encode_documents(self, texts: str | Sequence[str]) -> Vector | Vectors:
        """Documents -> float32 [n, dims], with the document prompt; else as encode_queries."""
        return self._encoded(texts, "document")

    def encode_images(self, images: Sequence[str | bytes | Path]) -> Vectors:
        """Images -> float32 [n, dims]: a file's bytes, its ``Path``, base64 or a data URL each.

        Of kind multi each has float32 [patches, dims].

        Raises BundleError for an encoder that reads none, ElasticError for an image that the node
        cannot encode, EncoderMismatch as ``encode_queries``.
        """
        self.manifest.require_modality("image")
        return self._shown([as_base64(image) for image in images], "images")

    def encode_numbers(self, lists: Iterable[Any]) -> Vectors:
        """Lists of numbers, or of lists of channels -> float32 [n, dims]; arrays are lists too.

        Raises BundleError for an encoder that reads none, EncodeError for what is no list of
        numbers, ElasticError for one that the node cannot encode, EncoderMismatch as
        ``encode_queries``.
        """
        self.manifest.of(Numbers)
        return self._shown(number_lists(lists), "numbers")

    def _shown(self, given: Sequence[Any], key: str) -> Vectors:
        """What the node gives for documents that are no texts, by the key that they have."""
        vectors = self._blank(len(given))
        for place, encoded in enumerate(self._answers(given, "document", key=key)):
            vectors[place] = _row(encoded[self.manifest.part.OUTPUT_KEY])
        return vectors

    def _blank(self, rows: int) -> Vectors:
        """So many rows, of which none has been encoded."""
        try:
            import numpy as np
        except ImportError as error:
            raise MissingExtra("numpy", "encode") from error
        part = self.manifest.part
        if isinstance(part, Dense):
            return np.zeros((rows, part.dims), dtype=np.float32)
        blank: Vectors = np.empty(rows, dtype=object)
        return blank

    def _encoded(
        self, texts: str | Sequence[str], role: Role, instruction: str | None = None
    ) -> Vector | Vectors:
        self.manifest.require_modality("text")
        given = [texts] if isinstance(texts, str) else list(texts)
        for place, text in enumerate(given):
            if not isinstance(cast(object, text), str):
                kind = type(text).__name__
                raise EncodeError(f"text {place} is of type {kind}, not a string", place)
        vectors = self._blank(len(given))
        lost = []
        for place, encoded in enumerate(self._answers(given, role, instruction)):
            vectors[place] = _row(encoded[self.manifest.part.OUTPUT_KEY])
            lost.append(encoded["lost_tokens"])
        stats = EncodeStats(
            texts=len(given), truncated_texts=sum(map(bool, lost)), lost_tokens=sum(lost)
        )
        if cut := stats.cut_of(self.manifest.max_tokens):
            log.warning(cut)
        if isinstance(texts, str):
            only: Vector = vectors[0]
            return only
        return vectors

    def _answers(
        self,
        given: Sequence[Any],
        role: Role,
        instruction: str | None = None,
        *,
        key: str = "texts",
    ) -> Iterator[dict[str, Any]]:
        """What a node says of texts, or of what else that key of its request and answer is of."""
        told = {} if instruction is None else {"instruction": instruction}
        for some in _requests(given):
            body = {"encoder": self.manifest.name, "role": role, key: some, **told}
            with elastic_errors(self.client):
                answer = self.client.perform_request(
                    "POST", "/_densehook/_encode", headers=_HEADERS, body=body
                ).body
            if answer["fingerprint"] != self.fingerprint:
                raise EncoderMismatch(
                    f"encoder {self.manifest.name!r} in the cluster is {answer['fingerprint']} now,"
                    f" it was {self.fingerprint}; load it again"
                )
            yield from answer[key]


def _requests(given: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """As many at a time as a node takes, by their number and by the bytes of their JSON."""
    start, size = 0, 0
    for place, each in enumerate(given):
        own = len(json.dumps(each, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if place > start and (place - start == _MOST_TEXTS or size + own > _MOST_BYTES):
            yield given[start:place]
            start, size = place, 0
        size += own
    if start < len(given):
        yield given[start:]


def _row(given: Any) -> Any:
    """What a node gave for a text or an image: numbers as float32, weights as they are."""
    import numpy as np

    return np.array(given, np.float32) if isinstance(given, list) else given


def remote_encoder(client: Elasticsearch, name: str) -> RemoteEncoder:
    """The encoder of that name in the cluster's service.

    Raises NotInService without the plugin, ElasticError with the names that there are when it is
    none of them, or without the privilege ``monitor``.
    """
    require_sync(client)
    path = f"/_densehook/encoders/{quote(name, safe='')}"
    try:
        with elastic_errors(client):
            stated = client.perform_request("GET", path, headers=_HEADERS).body
    except ElasticError as error:
        if isinstance(error.__cause__, BadRequestError):  # no such endpoint
            why = "load a bundle that is here"
            if lacks_plugin(client):
                raise NotInService(f"{NO_PLUGIN}{why}") from error
            raise NotInService(
                f"the cluster's densehook plugin is too old to say what {name!r} is; install the"
                f" one of this densehook, or {why}"
            ) from error
        raise
    return RemoteEncoder(client, Manifest.loads(json.dumps(stated)))
