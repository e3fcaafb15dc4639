"""What was run, for a report that somebody else is to repeat."""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from .._version import __version__
from ..machine import machine_name

if TYPE_CHECKING:
    from ..index import Index

_SECRETS = ("--api-key",)
_PASSWORD = re.compile(r"//[^/@]*@")


def about(arguments: Sequence[str], index: Index | None = None) -> dict[str, str]:
    """What a report says of its making; no key and no password is in it."""
    told = {"command": _command(arguments)}
    if index is not None:
        from ..elastic.cluster import versions_of

        told["index"] = index.name
        told["encoder"] = f"{index.field.encoder} {index.field.fingerprint}"
        told["vectors"] = str(index.field.mapping.get("index_options", {}).get("type", "default"))
        if servers := versions_of(index.client):
            told["Elasticsearch"] = ", ".join(servers)
    told["densehook"] = __version__
    for package in ("pyserini", "ir-measures", "elasticsearch"):
        try:
            told[f"{package} (Python)"] = version(package)
        except PackageNotFoundError:
            continue
    told["machine"] = machine_name()
    told["date"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    return told


def _command(arguments: Sequence[str]) -> str:
    words, hide = ["densehook"], False
    for word in arguments:
        name, equals, _ = word.partition("=")
        if hide:
            words.append("…")
        elif name in _SECRETS and equals:
            words.append(f"{name}=…")
        else:
            words.append(_PASSWORD.sub("//…@", word))
        hide = word in _SECRETS
    return shlex.join(words).replace("'…'", "…")
