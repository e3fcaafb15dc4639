"""Data streams: the indices of one, and the template of which its next index is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from ..errors import RequestError
from ..hooks import is_named_by
from .connect import elastic_errors
from .succession import index_templates


@dataclass(frozen=True)
class DataStream:
    """A data stream: its indices, of which the last is written to, and its index template."""

    name: str
    indices: Sequence[str]
    template: str
    template_body: Mapping[str, Any]

    @property
    def write_index(self) -> str:
        """The index that takes what is written."""
        return self.indices[-1]


def data_stream(client: Elasticsearch, name: str) -> DataStream | None:
    """The data stream of that name; None where an index or an alias has it.

    Raises IndexNotFound, RequestError for a stream whose template is gone, ElasticError.
    """
    with elastic_errors(client):
        found = client.indices.resolve_index(name=name)["data_streams"]
    for each in found:
        if each["name"] == name:
            template, body = _template_of(client, name)
            return DataStream(name, each["backing_indices"], template, body)
    return None


def roll_over(client: Elasticsearch, stream: str) -> str:
    """Begins the stream's next index, of its template as it is now; gives the index's name."""
    with elastic_errors(client):
        # sent once: after an answer that was lost, a second request would begin another one
        answer = client.options(max_retries=0).indices.rollover(alias=stream)
    new: str = answer["new_index"]
    return new


def _template_of(client: Elasticsearch, stream: str) -> tuple[str, Mapping[str, Any]]:
    """The index template with the highest priority among those that make such a stream."""
    making = [
        (each.get("priority", 0), name, each)
        for name, each in index_templates(client).items()
        if "data_stream" in each and is_named_by(each, stream)
    ]
    if not making:
        raise RequestError(
            f"no index template makes the data stream {stream!r}, so that it can have no next"
            " index; put one first (PUT _index_template)"
        )
    _, name, body = max(making, key=lambda one: one[:2])
    return name, body
