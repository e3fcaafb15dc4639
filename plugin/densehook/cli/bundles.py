"""Which bundle a command means when none is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..bundle import bundle_folder
from ..errors import BundleError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder
    from ..index import Index


def load_encoder(path: Path) -> Encoder:
    """Opens a bundle, showing that its self-test runs."""
    from ..encode import load
    from .progress import steps

    with steps("Encoder") as step:
        step(f"Opening {path}")
        return load(path)


def open_index(
    client: Elasticsearch, index: str, path: Path | None, field: str | None, *, encodes: bool = True
) -> Index:
    """The index, with the encoder at ``path``, or the one of the name that the index states.

    Without an encoder where the cluster itself encodes for it, unless a path is given, and where
    nothing ``encodes``. Raises BundleError saying which bundle is needed when it is not there.
    """
    from ..index import Index

    opened = Index.open(client, index, field=field)
    if not encodes or (path is None and opened.provenance.in_cluster):
        return opened
    return opened.encoded_by(load_encoder(path or _stated_bundle(opened)))


def _stated_bundle(index: Index) -> Path:
    try:
        return bundle_folder(index.field.encoder)
    except BundleError as error:
        raise BundleError(
            f"index {index.name!r} was made with the encoder {index.field.encoder!r}; {error} with"
            " --encoder"
        ) from None
