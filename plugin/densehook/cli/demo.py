"""`densehook demo`: the whole road, with what it shows on the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..bundle import MODELS
from ..hooks import MARKED, pipeline_name
from .bundles import load_encoder
from .console import command_name, out
from .options import ApiKey, CaCerts, Url
from .progress import bar, bars, steps
from .shown import show_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..bundle import Bundle
    from ..collections.packaged import Question
    from ..demo.quickstart import Place
    from ..encode import Encoder
    from ..index import Hit

_SHOWN = 3
_LEAD = 12
"""Characters that a line shows before the first word of the query, to the start of a word."""
_LONGEST = 200
"""Characters of a text of which a line shows what it has room for."""


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
    out.rule("1 the encoder")
    bundle = _export(models)
    encoder = _open(bundle)
    out.rule("2 Elasticsearch")
    if url is None:
        _start(bundle)
    place = _reach(encoder, url, api_key, ca_certs)
    out.rule("3 ingest")
    _ingest(place)
    out.rule("4 search")
    _search(place)
    out.rule("5 evaluation")
    _evaluate(place, output)
    out.rule("what now")
    _what_now(bundle, output, local=url is None)


def _export(models: Path) -> Bundle:
    from ..demo import quickstart

    with steps(f"Exporting {quickstart.ENCODER}") as step:
        return quickstart.ready_bundle(models, step)


def _open(bundle: Bundle) -> Encoder:
    encoder = load_encoder(bundle.path)
    out.print(f"{bundle.path}: {encoder.dims} dims, {encoder.fingerprint[:15]}, self-test passed")
    return encoder


def _start(bundle: Bundle) -> None:
    """The local node, with the plugin where its zip is built, and the encoder in service."""
    from .. import node
    from ..elastic.cluster import encoders_of, reload_encoders
    from .cluster import connect

    archive = node.built_plugin(node.default_version())
    with steps("Elasticsearch") as step:
        state = node.start(
            plugins=[archive] if archive else [], bundles=[bundle.path], progress=step
        )
        client = connect(state.url)
        if encoders_of(client) is not None:
            step("Loading the encoder")
            reload_encoders(client)
    out.print(f"Elasticsearch {state.version} runs at {state.url}")


def _reach(encoder: Encoder, url: str | None, api_key: str | None, ca_certs: Path | None) -> Place:
    from ..demo.quickstart import Place
    from .cluster import connect

    place = Place.of(connect(url, api_key, ca_certs), encoder)
    if place.in_cluster:
        name = encoder.manifest.name
        out.print(f"its densehook plugin has {name} in service, the same encoder")
    else:
        out.print("it has no densehook plugin with this encoder: texts are encoded here")
    return place


def _ingest(place: Place) -> None:
    from ..collections import help_topics
    from ..demo import quickstart

    total = sum(1 for _ in help_topics().documents())
    with bar("Ingesting", total) as show:
        report = quickstart.ready_index(
            place.client, place.encoder, show, in_cluster=place.in_cluster
        )
    done = "are there already" if report is None else "indexed"
    out.print(f"{total} passages of Python's help topics {done} in {quickstart.INDEX}")
    if place.in_cluster:
        out.print(f"their vectors are made by its pipeline {pipeline_name(quickstart.INDEX)}")


def _search(place: Place) -> None:
    from ..demo import quickstart

    index = place.index()
    for question in quickstart.example_questions():
        out.print(f"\n{question.text}", style="bold")
        hits = index.search(question.text, size=_SHOWN, highlight=True, explain=True)
        out.print(_table(question, hits))
    out.print("\n✓ judged to answer the question, ~ to help; ranks in the two lists", style="dim")
    if place.in_cluster:
        out.print("each is one request: the cluster encodes, searches and fuses", style="dim")


def _evaluate(place: Place, output: Path) -> None:
    from ..collections import help_topics
    from ..evaluation import evaluate, systems_for
    from ..report import write_report

    searcher = place.index().searcher()
    with bars() as progress:
        evaluation = evaluate(
            help_topics(),
            systems_for("dense"),
            searcher,
            output,
            text_of=searcher.text_of,
            progress=progress,
        )
    write_report(evaluation, searcher.texts_of)
    show_means(evaluation)
    out.print(f"{evaluation.queries} questions, measured by Pyserini's trec_eval")


def _what_now(bundle: Bundle, output: Path, *, local: bool) -> None:
    from ..demo import quickstart

    command = command_name()
    out.print(f"bundle    {bundle.path}")
    out.print(f"numbers   {output / 'metrics.json'}, runs in {output / 'runs'}")
    out.print(f"report    {output / 'report.html'}")
    out.print(f'search    {command} search {quickstart.INDEX} "sort a list" --explain')
    out.print(f"your own  {command} create INDEX --input title,text \\")
    out.print(f"            --encoder {bundle.path}")
    out.print(f"          {command} ingest INDEX FILE.jsonl")
    if local:
        out.print(f"stop      {command} es stop")


def _table(question: Question, hits: Sequence[Hit]) -> Table:
    """One line a hit: whether it answers, its rank in each list, where the query's words stand."""
    from ..collections.packaged import ANSWERS, HELPS

    marks = {ANSWERS: "✓", HELPS: "~"}
    lists = list(hits[0].parts)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(min_width=1)
    for name in lists:
        table.add_column(name, justify="right")
    table.add_column("passage", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for hit in hits:
        mark = marks.get(question.relevant.get(hit.id, 0), "")
        ranks = ("–" if part.rank is None else str(part.rank) for part in hit.parts.values())
        table.add_row(mark, *ranks, hit.id, _excerpt(hit))
    return table


def _excerpt(hit: Hit) -> Text:
    """The text from where most words of the query stand together, these set off."""
    text = hit.source["text"]
    pieces = hit.highlights.get("text", [])
    if not pieces:
        return Text(_line(text))
    piece = max(pieces, key=lambda each: len(set(MARKED.findall(each))))
    lead = text.find(MARKED.sub(r"\1", piece)) + piece.index("<em>") - _LEAD
    start = max(text.rfind(space, 0, max(lead, 0)) for space in " \n") + 1
    shown = Text(("…" if start else "") + _line(text[start:]))
    words = {word for each in pieces for word in MARKED.findall(each)}
    shown.highlight_regex(rf"(?<!\w)({'|'.join(map(re.escape, words))})(?!\w)", "bold")
    return shown


def _line(text: str) -> str:
    return " ".join(text[:_LONGEST].split())
