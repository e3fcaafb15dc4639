"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="DENSEHOOK_ES_URL",
        help="Cluster to use instead of the local node, e.g. https://search.example:9200.",
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="DENSEHOOK_ES_API_KEY", help="API key for that cluster."),
]
CaCerts = Annotated[
    Path | None,
    typer.Option(
        "--ca-certs", envvar="DENSEHOOK_ES_CA_CERTS", help="CA certificate of that cluster."
    ),
]
BundlePath = Annotated[
    Path | None,
    typer.Option(
        "--encoder",
        help="Bundle of the encoder; by default the one in onnx_models/ that the index names.",
    ),
]
VectorFieldName = Annotated[
    str | None,
    typer.Option("--field", help="Vector field; may be left out where the index has one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
