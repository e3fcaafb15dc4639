"""`densehook es start|stop|status`: the local Elasticsearch node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import node
from .console import note, out
from .progress import steps

app = typer.Typer(help="The local Elasticsearch node.", no_args_is_help=True)


@app.command()
def start(
    version: Annotated[
        str | None,
        typer.Option(
            "--version",
            help=f"{' (by default) or '.join(node.RELEASES)} (where the Python client is of 9), or"
            f" another of {', '.join(node.MINORS)}.",
        ),
    ] = None,
    heap: Annotated[
        str,
        typer.Option("--heap", help="Heap of the node, e.g. 1g; more for the JVM: $ES_JAVA_OPTS."),
    ] = "1g",
    plugin: Annotated[
        Path | None,
        typer.Option("--plugin", help="densehook's zip; by default the one `make plugin` built."),
    ] = None,
    bundle: Annotated[
        list[Path] | None,
        typer.Option("--bundle", help="Encoder to put into the node; may be given again."),
    ] = None,
) -> None:
    """Start the local node, with the densehook plugin; at first it is fetched through Maven."""
    from ..elastic.cluster import encoders_of, reload_encoders
    from .cluster import connect

    version = version or node.default_version()
    archive = plugin or node.built_plugin(version)
    with steps("Elasticsearch") as step:
        state = node.start(
            version,
            heap=heap,
            plugins=[archive] if archive else [],
            bundles=bundle or [],
            progress=step,
        )
        client = connect(state.url)
        encoders = encoders_of(client)
        if encoders is not None and bundle:
            step("Loading encoders")
            encoders = reload_encoders(client)
    out.print(f"Elasticsearch {state.version} runs at {state.url} (pid {state.pid})")
    if encoders is None:
        note(
            f"it has no densehook plugin: there is no zip for {version}; build it with make plugin"
            + ("" if version in node.RELEASES else f" ES={version}")
        )
    for encoder in encoders or []:
        reason = f": {encoder.reason}" if encoder.reason else ""
        proof = f" (proof: {encoder.proof})" if encoder.proof else ""
        out.print(f"encoder {encoder.name} is {encoder.state}{proof}{reason}")
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
