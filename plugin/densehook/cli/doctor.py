"""`densehook doctor`: what is wrong, and the command that mends it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ..errors import DensehookError
from .adding import Adding
from .console import note, out
from .embed import print_embedded, run
from .options import ApiKey, AsJson, CaCerts, Texts, Url

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..elastic.checks import Finding

_MARKS = {"good": "✓", "note": "·", "bad": "✗"}


def doctor(
    index: Annotated[
        str, typer.Argument(help="Indices to look at, as Elasticsearch takes them; else all.")
    ] = "*",
    texts: Texts = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Embed what lacks a current vector, as densehook embed does."
        ),
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Look at cluster, licence, plugin, encoders, mappings and vectors; exit code 1 for a fault.

    Documents are counted by what they say of their vectors, and not read unless --texts.
    """
    from ..elastic.checks import State, checked
    from .cluster import connect

    if repair and as_json:
        raise typer.BadParameter("says what it does in lines", param_hint="--repair, --json")
    client = connect(url, api_key, ca_certs)
    findings = list(checked(client, index, texts=texts))
    if repair and any(finding.to_embed for finding in findings):
        out.print(_table(findings))
        _repair(client, findings, texts)
        findings = list(checked(client, index, texts=texts))
    if as_json:
        rows = [
            {"state": f.state.value, "subject": f.subject, "seen": f.seen, "mend": f.mend}
            for f in findings
        ]
        out.print_json(json.dumps(rows))
    else:
        out.print(_table(findings))
    if any(finding.state is State.BAD for finding in findings):
        raise typer.Exit(1)


def _repair(client: Elasticsearch, findings: Sequence[Finding], texts: bool) -> None:
    """Embeds what the findings say; one that cannot be mended leaves the others their turn."""
    for finding in findings:
        if finding.to_embed is None:
            continue
        index, field = finding.to_embed
        try:
            opened = Adding(client, index, field=field).to_index()
            print_embedded(opened, run(opened, texts))
        except DensehookError as error:
            note(f"{finding.subject}: {error}")


def _table(findings: Sequence[Finding]) -> Table:
    """One line a finding, and below a fault what mends it."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        bad = finding.state.value == "bad"
        mark = _MARKS[finding.state.value]
        table.add_row(mark, finding.subject, finding.seen, style="bold red" if bad else None)
        if finding.mend:
            table.add_row("", "", f"→ {finding.mend}", style="dim")
    return table
