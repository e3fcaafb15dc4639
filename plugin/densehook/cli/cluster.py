"""Reaching a cluster from a command, which is not to wait longer for imports than for a search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


def connect(
    url: str | None, api_key: str | None = None, ca_certs: Path | None = None
) -> Elasticsearch:
    """A client of the cluster named, or of the local node; raises as ``densehook.connect``."""
    from ..elastic.lightly import import_client_lightly

    import_client_lightly()
    from .. import connect

    return connect(url, api_key, ca_certs)
