"""`densehook impacts import|export`: Pyserini's impact vectors in a sparse_vector field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import note, out
from .options import ApiKey, CaCerts, Url
from .progress import bar

_SHOWN = 10

app = typer.Typer(
    help="Learned sparse weights, as Pyserini's impact indices have them.", no_args_is_help=True
)

Field = Annotated[str, typer.Option("--field", help="Field with the weights, a sparse_vector.")]


@app.command("import")
def import_(
    index: Annotated[str, typer.Argument(help="Index to write to; made where there is none.")],
    source: Annotated[
        Path,
        typer.Argument(
            help="JSONL (also .gz) or a folder of it: id, contents, vector with a weight a token."
        ),
    ],
    field: Field = "impacts",
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Index documents with the weights of their tokens; exit code 1 when some could not be.

    All are read and checked before the first is written.
    """
    from ..collections.impacts import read_impacts
    from ..elastic.impacts import import_impacts
    from .cluster import connect

    for _ in read_impacts(source):  # what is wrong is said before anything is written
        pass
    client = connect(url, api_key, ca_certs)
    with bar(f"Importing into {index}") as show:
        report = import_impacts(client, index, read_impacts(source), field, show)
    for failure in report.failures[:_SHOWN]:
        note(failure)
    if len(report.failures) > _SHOWN:
        note("…")
    out.print(f"indexed {report.indexed:,} documents into {index}, {len(report.failures):,} failed")
    if report.zeros:
        out.print(f"{report.zeros:,} tokens of weight 0 were left out")
    if report.failures:
        raise typer.Exit(1)


@app.command()
def export(
    index: Annotated[str, typer.Argument(help="Index to read from.")],
    target: Annotated[Path, typer.Argument(help="NAME.jsonl.")],
    field: Field = "impacts",
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Write documents with the weights of their tokens, as Pyserini indexes them (--impact)."""
    from ..collections.impacts import write_impacts
    from ..elastic.impacts import stored_impacts
    from .cluster import connect

    client = connect(url, api_key, ca_certs)
    count = write_impacts(target, stored_impacts(client, index, field))
    out.print(f"{count:,} documents with {field} are in {target}")
