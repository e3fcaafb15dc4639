"""Which bundle a command means when none is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..bundle import bundle_folder, read_bundle
from ..errors import BundleError, ElasticError, NotInService

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..bundle import Manifest
    from ..elastic.remote import RemoteEncoder
    from ..encode import Encoder
    from ..index import Index

Encodes = Literal["nothing", "queries", "documents", "here"]
"""What a command has encoded: queries and documents wherever that can be, or here in any case."""


def load_encoder(path: Path) -> Encoder:
    """Opens a bundle, showing that its self-test runs."""
    from ..encode import load
    from .progress import steps

    with steps("Encoder") as step:
        step(f"Opening {path}")
        return load(path)


def manifest_of(path: Path, cluster: Elasticsearch | None) -> Manifest:
    """The manifest of a bundle here, or else of the encoder of that name in the cluster's service.

    Raises BundleError when it is in neither.
    """
    try:
        folder = bundle_folder(path)
    except BundleError as missing:
        if cluster is None or len(path.parts) > 1:
            raise
        from ..elastic.remote import remote_encoder

        try:
            return remote_encoder(cluster, path.name).manifest
        except (NotInService, ElasticError) as error:
            raise BundleError(f"{missing}; nor does the cluster give it: {error}") from error
    return read_bundle(folder).manifest


def document_encoder(
    client: Elasticsearch, path: Path, in_cluster: bool | None
) -> Encoder | RemoteEncoder:
    """What encodes documents: the cluster where it has this very encoder, else the bundle here.

    ``in_cluster`` says which of them whatever there is. Raises BundleError, NotInService.
    """
    from ..elastic.cluster import has_encoder, require_encoder
    from ..elastic.remote import RemoteEncoder

    manifest = manifest_of(path, None if in_cluster is False else client)
    if in_cluster:
        require_encoder(client, manifest)
    elif in_cluster is False or not has_encoder(client, manifest.name, manifest.space):
        return load_encoder(path)
    return RemoteEncoder(client, manifest)


def open_index(
    client: Elasticsearch,
    index: str,
    path: Path | None,
    field: str | None,
    *,
    encodes: Encodes = "queries",
    together: bool = False,
) -> Index:
    """The index, with the encoder at ``path``, or the one of the name that the index states.

    Without an encoder where none is needed: nothing ``encodes``, or, no path being given, the
    cluster does; queries, wherever it has the index's encoder in service, which spares opening a
    bundle, and documents, of an index that is made for that; what is done ``here`` has it in any
    case. Fields that one run of an encoder fills are opened ``together`` where that is said, and
    are otherwise several, of which one must be named. Raises BundleError saying which bundle is
    needed when it is not there.
    """
    from ..index import Index

    opened = Index.open(client, index, field=field)
    opened.provenance.require_one_index()
    if not together:
        opened.require_one_field()
    return _encoding(opened, path, encodes)


def open_searched(
    client: Elasticsearch, name: str, path: Path | None, field: str | None, *, encodes: Encodes
) -> Index:
    """As ``open_index``, where the name may stand for several indices."""
    from ..index import Index

    return _encoding(Index.open(client, name, field=field), path, encodes)


def _encoding(opened: Index, path: Path | None, encodes: Encodes) -> Index:
    in_cluster = {
        "nothing": True,
        "queries": opened.cluster_encodes,
        "documents": opened.provenance.in_cluster,
        "here": False,
    }
    if in_cluster[encodes] and (path is None or encodes == "nothing"):
        return opened
    opened.field.require_one_encoder(opened.name)
    return opened.encoded_by(load_encoder(path or _stated_bundle(opened)))


def _stated_bundle(index: Index) -> Path:
    try:
        return bundle_folder(index.field.encoder)
    except BundleError as error:
        raise BundleError(
            f"index {index.name!r} was made with the encoder {index.field.encoder!r}; {error} with"
            " --encoder"
        ) from None
