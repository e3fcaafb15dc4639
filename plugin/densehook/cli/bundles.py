"""Which bundle a command means when none is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BundleError
from .console import steps

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder

MODELS = Path("onnx_models")


def load_encoder(path: Path) -> Encoder:
    """Opens a bundle, showing that its self-test runs."""
    from ..encode import load

    with steps("Encoder") as step:
        step(f"Opening {path}")
        return load(path)


def encoder_of_index(
    client: Elasticsearch, index: str, path: Path | None, vector_field: str | None
) -> Encoder | None:
    """The encoder at ``path``, or the one in onnx_models/ that the index names.

    None when no path is given and the cluster itself encodes for this index. Raises BundleError
    saying which bundle is needed when it is not there.
    """
    from ..elastic.indices import provenance_of

    if path is None:
        provenance = provenance_of(client, index)
        wanted = provenance.vector_field(vector_field)
        if provenance.in_cluster:
            return None
        path = MODELS / wanted.encoder
        if not path.is_dir():
            raise BundleError(
                f"index {index!r} was made with the encoder {wanted.encoder!r}, which is not at"
                f" {path}; name its bundle with --encoder"
            )
    return load_encoder(path)
