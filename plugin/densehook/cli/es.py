"""`densehook es start|stop|status`: the local Elasticsearch node."""

from __future__ import annotations

from typing import Annotated

import typer

from ..elastic import node
from .console import out, steps

app = typer.Typer(help="The local Elasticsearch node.", no_args_is_help=True)


@app.command()
def start(
    heap: Annotated[str, typer.Option("--heap", help="Heap of the node, e.g. 1g.")] = "1g",
) -> None:
    """Start the local node; the first time it is fetched through Maven."""
    with steps("Elasticsearch") as step:
        state = node.start(heap=heap, progress=step)
    out.print(f"Elasticsearch {state.version} runs at {state.url} (pid {state.pid})")
    out.print(f"data in {state.data}, log in {state.log}; stop it with: densehook es stop")


@app.command()
def stop() -> None:
    """Stop the local node; its data stays."""
    with steps("Elasticsearch") as step:
        step("Stopping")
        stopped = node.stop()
    out.print("Elasticsearch is stopped" if stopped else "no Elasticsearch was running")


@app.command()
def status() -> None:
    """Say whether the local node runs, and where; exit code 1 when it does not."""
    state = node.status()
    if state is None:
        out.print("no Elasticsearch runs; start one with: densehook es start")
        raise typer.Exit(1)
    out.print(f"Elasticsearch {state.version} runs at {state.url} (pid {state.pid})")
    out.print(f"data in {state.data}, log in {state.log}")
