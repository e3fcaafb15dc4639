"""What an index has of some documents already: asked for before they are encoded."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from elasticsearch import ApiError, AuthorizationException, Elasticsearch

from ..hooks import NOTES, Stored, VectorField, note_in, without_vector
from ..types import Document
from .patience import Patience, given_up, is_nodes_fault


class StoredDocuments:
    """Looks documents up in an index by their ids, as long as that is allowed."""

    def __init__(
        self, client: Elasticsearch, index: str, vector_field: VectorField, patience: Patience
    ) -> None:
        self._client = client.options(max_retries=0)
        self._patience = patience
        self._index = index
        self._vector_field = vector_field
        self._allowed = True

    def known(self, ids: Collection[str], *, vectors: bool) -> Mapping[str, Stored | None]:
        """The documents by id, None for one that is not there.

        One that could not be looked up is missing here; so are all where the credentials may write
        and not read. With ``vectors``, each has its vector and note. Raises ClusterUnavailable.
        """
        if not ids or not self._allowed:
            return {}
        # named, a vector is in _source also where an index shows none (9.2 and newer)
        wanted: Any = [self._vector_field.path, NOTES] if vectors else False
        try:
            docs = self._docs(ids, wanted)
        except AuthorizationException:
            self._allowed = False
            return {}
        except ApiError:  # one id it does not take, and the answer is of no document
            return {}
        return {doc["_id"]: self._stored(doc) for doc in docs if "found" in doc}

    def alike(self, documents: Sequence[Document], beside: Sequence[VectorField] = ()) -> set[str]:
        """The ids of those whose fields are what the index has, but for vectors and their notes.

        ``beside`` are other fields of vectors. Raises ClusterUnavailable.
        """
        if not documents or not self._allowed:
            return set()
        docs = self._docs([each.id for each in documents], None)
        stored = {doc["_id"]: doc["_source"] for doc in docs if doc.get("found")}
        fields = (self._vector_field, *beside)
        return {
            each.id
            for each in documents
            if each.id in stored
            and _without(stored[each.id], fields) == _without(_plain(each), fields)
        }

    def _docs(self, ids: Collection[str], source: Any) -> Sequence[Mapping[str, Any]]:
        """What the index says of each id, asked again while a shard of it is not there."""
        waiting = self._patience.waiting()
        while True:
            docs: Sequence[Mapping[str, Any]] = self._patience.answer(
                lambda: self._client.mget(index=self._index, ids=list(ids), source=source)["docs"]
            )
            missing = next((doc["error"] for doc in docs if is_nodes_fault(doc.get("error"))), None)
            if missing is None:
                return docs
            if not waiting.pause():
                raise given_up(str(missing.get("reason") or missing["type"]))

    def _stored(self, doc: Mapping[str, Any]) -> Stored | None:
        if not doc["found"]:
            return None
        source = doc.get("_source", {})
        return Stored(self._value(source), note_in(source, self._vector_field.name))

    def _value(self, source: Mapping[str, Any]) -> Any:
        """What the document has for the field, its vectors as can be written; None for nothing.

        One that was just written is read back as it was sent, in base64 perhaps.
        """
        value = self._vector_field.value_in(source)
        if value is None:
            return None
        field = self._vector_field
        vectors = [field.format.parsed(vector) for vector in field.vectors_of(value)]
        read = all(vector is not None for vector in vectors)
        return field.with_vectors(value, vectors) if read else None


def _without(content: Mapping[str, Any], fields: Sequence[VectorField]) -> Mapping[str, Any]:
    for field in fields:
        content = without_vector(content, field)
    return content


def _plain(document: Document) -> Mapping[str, Any]:
    """The fields as they come back from an index."""
    fields: Mapping[str, Any] = json.loads(json.dumps(document.fields, default=str))
    return fields
