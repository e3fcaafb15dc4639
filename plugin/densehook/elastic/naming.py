"""Names of fields that an index does not map; with them Elasticsearch finds nothing, silently."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from fnmatch import fnmatchcase

from elasticsearch import Elasticsearch

from ..errors import ElasticError
from .connect import elastic_errors

_SHOWN = 5


def unmapped(client: Elasticsearch, index: str, names: Iterable[str]) -> list[str]:
    """A line for each of the names, or patterns of names, that no field of the index has.

    None where the index may not be asked.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return []
    try:
        with elastic_errors(client):
            caps = client.field_caps(index=index, fields="*", filter_path="fields.*.*.type")
    except ElasticError:
        return []
    known = sorted(caps.get("fields", {}))
    own = [name for name in known if not name.startswith("_")]
    return [
        f"index {index!r} maps no field {name!r}; {_near(name, own)}"
        for name in wanted
        if not any(fnmatchcase(field, name) for field in known)
    ]


def _near(name: str, known: list[str]) -> str:
    if near := difflib.get_close_matches(name, known, n=3):
        return f"is {' or '.join(map(repr, near))} meant?"
    shown = ", ".join(map(repr, known[:_SHOWN])) or "none"
    return f"it maps {shown}" + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
