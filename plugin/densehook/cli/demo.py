"""`densehook demo`: the whole road, with what it shows on the way."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..bundle import MODELS
from ..collections.packaged import ANSWERS, HELPS
from ..hooks import pipeline_name
from .bundles import load_encoder
from .console import bar, bars, command_name, out, steps
from .evaluate import show_evaluation
from .options import ApiKey, CaCerts, Url

if TYPE_CHECKING:
    from ..collections.packaged import Passage, Question
    from ..node import NodeState

_SHOWN = 3
_TITLE = 24
_MARKS = {ANSWERS: "✓", HELPS: "~"}


def demo(
    models: Annotated[
        Path, typer.Option("--models", help="Folder with the recipe; the bundle goes beside it.")
    ] = MODELS,
    output: Annotated[
        Path, typer.Option("--output", help="Folder for runs and metrics.json.")
    ] = Path("build/demo"),
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Walk the whole road on the packaged collection: export, ingest, search, evaluate."""
    from ..collections import help_topics
    from ..demo import quickstart
    from ..elastic.cluster import has_encoder
    from ..elastic.search import Searcher
    from ..evaluation import SYSTEMS, evaluate
    from .cluster import connect

    out.rule("1 the encoder")
    with steps(f"Exporting {quickstart.ENCODER}") as step:
        bundle = quickstart.ready_bundle(models, step)
    encoder = load_encoder(bundle.path)
    out.print(f"{bundle.path}: {encoder.dims} dims, {encoder.fingerprint[:15]}, self-test passed")

    out.rule("2 Elasticsearch")
    if url is None:
        state = _started(bundle.path)
        out.print(f"Elasticsearch {state.version} runs at {state.url}")
    client = connect(url, api_key, ca_certs)
    in_cluster = has_encoder(client, encoder.manifest)
    if in_cluster:
        out.print(f"its densehook plugin has {encoder.manifest.name} in service, the same encoder")
    else:
        out.print("it has no densehook plugin with this encoder: texts are encoded here")

    out.rule("3 ingest")
    collection = help_topics()
    total = sum(1 for _ in collection.documents())
    with bar("Ingesting", total) as show:
        report = quickstart.ready_index(client, encoder, show, in_cluster=in_cluster)
    done = "are there already" if report is None else "indexed"
    out.print(f"{total} passages of Python's help topics {done} in {quickstart.INDEX}")
    if in_cluster:
        out.print(f"their vectors are made by its pipeline {pipeline_name(quickstart.INDEX)}")

    out.rule("4 search")
    searcher = Searcher(client, quickstart.INDEX, None if in_cluster else encoder)
    for question in quickstart.example_questions():
        out.print(f"\n{question.text}", style="bold")
        out.print(_side_by_side(question, quickstart.answers(searcher, question.text, _SHOWN)))
    out.print("\n✓ judged to answer the question, ~ to help with it", style="dim")
    if in_cluster:
        out.print("hybrid is one request: the cluster encodes, searches and fuses", style="dim")

    out.rule("5 evaluation")
    with bars() as progress:
        evaluation = evaluate(
            collection,
            SYSTEMS,
            searcher,
            output,
            text_of=searcher.text_of,
            progress=progress,
        )
    show_evaluation(evaluation)
    out.print(f"{evaluation.queries} questions, measured by Pyserini's trec_eval")

    out.rule("what now")
    command = command_name()
    out.print(f"bundle    {bundle.path}")
    out.print(f"numbers   {output / 'metrics.json'}, runs in {output / 'runs'}")
    out.print(f'search    {command} search {quickstart.INDEX} "how do I sort a list" --explain')
    inside = " --in-cluster" if in_cluster else ""
    out.print(
        f"your own  {command} create INDEX --encoder {bundle.path} --input title,text{inside}"
    )
    out.print(f"          {command} ingest INDEX FILE.jsonl")
    if url is None:
        out.print(f"stop      {command} es stop")


def _started(bundle: Path) -> NodeState:
    """The local node, with the plugin where its zip is built, and the encoder in service."""
    from .. import node
    from ..elastic.cluster import encoders_of, reload_encoders
    from .cluster import connect

    archive = node.built_plugin(node.ELASTICSEARCH_VERSION)
    with steps("Elasticsearch") as step:
        state = node.start(plugins=[archive] if archive else [], bundles=[bundle], progress=step)
        client = connect(state.url)
        if encoders_of(client) is not None:
            step("Loading the encoder")
            reload_encoders(client)
    return state


def _side_by_side(question: Question, answers: dict[str, list[Passage]]) -> Table:
    table = Table(*answers, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in zip_longest(*answers.values()):
        table.add_row(*("" if passage is None else _cell(question, passage) for passage in row))
    return table


def _cell(question: Question, passage: Passage) -> Text:
    mark = _MARKS.get(question.relevant.get(passage.id, 0), " ")
    return Text.assemble(f"{mark} {passage.id}\n", (f"  {passage.title[:_TITLE]}", "dim"))
