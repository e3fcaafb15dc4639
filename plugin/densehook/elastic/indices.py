"""Creating an index for an encoder, and reading back what an index says of its vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import ApiError, BadRequestError, Elasticsearch

from ..bundle import Manifest
from ..chunk import ChunkRule
from ..errors import DensehookError, IndexExists, NoProvenance, RequestError
from ..fusion import LearnedWeights
from ..hooks import (
    IndexTypes,
    Kinds,
    Modality,
    Provenance,
    Reading,
    Wording,
    index_request,
    new_fields,
    pipeline_name,
    pipeline_request,
    read_provenance,
    require_field_names,
    searched_together,
    with_weights,
)
from ..hooks.indexing import ENGLISH_ANALYSIS, LUCENE_ENGLISH_ANALYSIS, STANDARD_ANALYSIS
from .cluster import has_encoder, require_encoder, versions_of
from .connect import elastic_errors

_BASE64_SINCE = (9, 3)


def create_index(
    client: Elasticsearch,
    index: str,
    manifest: Manifest,
    *,
    inputs: Sequence[str],
    index_type: IndexTypes = None,
    shards: int = 1,
    replicas: int = 0,
    field: str | None = None,
    kinds: Kinds | None = None,
    in_cluster: bool | None = False,
    chunk: ChunkRule | None = None,
    template: str | None = None,
    prompt: Mapping[str, Any] | None = None,
    modality: Modality = "text",
) -> bool:
    """Creates the index with the mapping, BM25 settings and provenance this encoder needs.

    With ``kinds`` it has a field for each of these that the encoder gives, as ``new_fields``.

    With ``in_cluster`` the plugin makes its vectors: an ingest pipeline is written and becomes the
    index's default. None leaves it to the plugin where it has this very encoder in service. With
    ``chunk`` a document has a vector for each chunk of its text; ``template`` and ``prompt`` say
    how that is worded, as ``Wording``. With ``modality`` image the one input holds images. Gives
    whether the plugin makes the vectors. Raises RequestError for a value that cannot be,
    IndexExists, NotInService when the cluster is to encode and does not have this encoder in
    service.
    """
    inputs = [inputs] if isinstance(inputs, str) else list(inputs)
    first, *others = new_fields(
        manifest, kinds, inputs=inputs, field=field, index_type=index_type, chunk=chunk
    )
    reading = Reading(inputs, chunk, Wording(template, prompt), modality)
    reading.require(manifest)
    named = list(dict.fromkeys([*inputs, *reading.wording.chosen_by]))
    require_field_names(named, first.name, chunk)
    with elastic_errors(client):
        if index_exists(client, index):
            raise IndexExists(f"index {index!r} exists already; delete it or choose another name")
        if in_cluster is None:
            in_cluster = has_encoder(client, manifest.name, manifest.space)
        elif in_cluster:
            require_encoder(client, manifest)
        body = index_request(
            first.manifest,
            reading,
            index_type=first.index_type,
            shards=shards,
            replicas=replicas,
            field=first.name,
            analysis=_analysis(client),
            pipeline=pipeline_name(index) if in_cluster else None,
            beside=dict(each.mapping() for each in others),
        )
        # sent once: after an answer that was lost, a second request would find an index there
        client.options(max_retries=0).indices.create(index=index, **body)
        if in_cluster:
            made = pipeline_request(manifest, reading, [each.name for each in (first, *others)])
            _create_pipeline(client, index, made)
    return in_cluster


def _create_pipeline(client: Elasticsearch, index: str, body: Mapping[str, Any]) -> None:
    """Creates the pipeline of a new index, which goes again where that is refused."""
    try:
        client.ingest.put_pipeline(id=pipeline_name(index), **body)
    except ApiError:
        client.indices.delete(index=index)
        raise


def provenance_of(client: Elasticsearch, index: str) -> Provenance:
    """What the index, or the one index behind an alias, says of its fields.

    Raises IndexNotFound, RequestError where an alias stands for several, or NoProvenance where the
    mapping says nothing of them.
    """
    name, entry = the_index(client, index)
    return read_provenance(name, entry["mappings"], entry["settings"])


def the_index(client: Elasticsearch, index: str) -> tuple[str, Mapping[str, Any]]:
    """The index, or the one behind an alias, with its mappings, settings and data stream, if any.

    Raises IndexNotFound, RequestError where an alias stands for several.
    """
    found = _described(client, index)
    if len(found) != 1:
        names = ", ".join(sorted(found)) or "no index"
        raise RequestError(f"{index!r} stands for {names}; name one index")
    ((name, entry),) = found.items()
    return name, entry


def searched_provenance_of(client: Elasticsearch, name: str) -> Provenance:
    """What the indices say together that a name stands for, for a search of them all.

    Those that say nothing of vectors have none to search. Raises IndexNotFound, RequestError where
    there is no index, NoProvenance where none says anything.
    """
    said, silent = [], []
    for index, entry in sorted(_described(client, name).items()):
        try:
            said.append(read_provenance(index, entry["mappings"], entry["settings"]))
        except NoProvenance as error:
            silent.append(error)
    if said:
        return searched_together(name, said)
    if silent:
        raise silent[0]
    raise RequestError(f"{name!r} stands for no index; name one")


def _described(client: Elasticsearch, name: str) -> Mapping[str, Any]:
    if not name:
        raise RequestError("the index has no name; name one")
    with elastic_errors(client):
        found: Mapping[str, Any] = client.indices.get(
            index=name, features=["mappings", "settings"]
        ).body
    return found


def keep_weights(
    client: Elasticsearch, index: str, field: str, weights: LearnedWeights | None
) -> None:
    """Writes learned weights into the mapping's ``_meta``, beside the field's encoder.

    None takes away those that are there.
    """
    with elastic_errors(client):
        found = client.indices.get_mapping(index=index)
        ((name, entry),) = found.items()
        meta = with_weights(entry["mappings"]["_meta"], field, weights)
        client.indices.put_mapping(index=name, meta=meta)


def takes_base64(client: Elasticsearch, index: str) -> bool:
    """Whether vectors may be sent in base64, which is half the bytes and quicker to read.

    Elasticsearch 9.3 and newer read it; where ``_source`` shows no vectors, nobody meets it.
    """
    versions = versions_of(client)
    if not versions or any(_release(version) < _BASE64_SINCE for version in versions):
        return False
    return hides_vectors(client, index)


def hides_vectors(client: Elasticsearch, index: str) -> bool:
    """Whether ``_source`` shows no vectors unless that is asked for, as from 9.2 on."""
    setting = "index.mapping.exclude_source_vectors"
    with elastic_errors(client):
        found = client.indices.get_settings(
            index=index, name=setting, include_defaults=True, flat_settings=True
        )
    ((_, entry),) = found.items()
    return {**entry.get("defaults", {}), **entry["settings"]}.get(setting) == "true"


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _analysis(client: Elasticsearch) -> Mapping[str, Any]:
    """The best English analysis there is: Lucene's by the plugin, Elasticsearch's, or none."""
    if _has_analyzer(client, "densehook_english"):
        return LUCENE_ENGLISH_ANALYSIS
    return ENGLISH_ANALYSIS if _has_analyzer(client, "english") else STANDARD_ANALYSIS


def _has_analyzer(client: Elasticsearch, name: str) -> bool:
    try:
        client.indices.analyze(analyzer=name, text="probe")
    except BadRequestError:
        return False
    return True


def index_exists(client: Elasticsearch, index: str) -> bool:
    """Whether there is such an index or alias."""
    with elastic_errors(client):
        try:
            return bool(client.indices.exists(index=index))
        except BadRequestError:  # which says no reason, where only the head of an answer is asked
            client.indices.get(index=index, features=["settings"])
            raise


def refresh(client: Elasticsearch, index: str) -> str:
    """Makes what was written findable at once; gives why it could not, or an empty text.

    Whoever may write may not always do this, and all is in the index without it.
    """
    try:
        with elastic_errors(client):
            client.indices.refresh(index=index)
    except DensehookError as error:
        return str(error)
    return ""


def uuid_of(client: Elasticsearch, index: str) -> str:
    """What tells an index from another of its name that is made when it is gone."""
    with elastic_errors(client):
        found = client.indices.get_settings(index=index, name="index.uuid")
    ((_, entry),) = found.items()
    return str(entry["settings"]["index"]["uuid"])


def shards_of(client: Elasticsearch, index: str) -> int:
    """In how many shards the index lies."""
    with elastic_errors(client):
        found = client.indices.get_settings(index=index, name="index.number_of_shards")
    return sum(int(each["settings"]["index"]["number_of_shards"]) for each in found.values())


def count_in(client: Elasticsearch, index: str) -> int:
    """Documents that a search of the index can find."""
    with elastic_errors(client):
        return int(client.count(index=index)["count"])


def delete_index(client: Elasticsearch, index: str) -> None:
    """Deletes the index and all it holds; raises IndexNotFound when there is none."""
    with elastic_errors(client):
        # sent once: after an answer that was lost, a second request would find no index
        client.options(max_retries=0).indices.delete(index=index)
