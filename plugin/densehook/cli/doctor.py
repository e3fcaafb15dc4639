"""`densehook doctor`: what is wrong, and the command that mends it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import out
from .options import ApiKey, AsJson, CaCerts, Url

if TYPE_CHECKING:
    from ..elastic.checks import Finding

_MARKS = {"good": "✓", "note": "·", "bad": "✗"}


def doctor(
    index: Annotated[
        str, typer.Argument(help="Indices to look at, as Elasticsearch takes them; else all.")
    ] = "*",
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Look at cluster, licence, plugin, encoders, mappings and vectors; exit code 1 for a fault."""
    from ..elastic.checks import State, checked
    from .cluster import connect

    findings = list(checked(connect(url, api_key, ca_certs), index))
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
