"""`densehook evaluate`: systems measured on a judged collection."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..number_lists import list_in_json
from .about import about
from .bundles import Encodes, open_index
from .console import note, out
from .measure import (
    Against,
    Baseline,
    MeasureNames,
    Output,
    Runs,
    Tolerance,
    measures_of,
    read_kept,
    read_runs,
    require_no_drop,
    separated,
)
from .options import (
    ApiKey,
    BundlePath,
    CaCerts,
    Instruction,
    RerankChunks,
    Url,
    VectorFieldName,
    names,
)
from .progress import bars
from .shown import show_evaluation

if TYPE_CHECKING:
    from ..collections import Collection
    from ..index import Index


def evaluate(
    collection: Annotated[
        str,
        typer.Argument(
            help="BEIR folder, dataset folder of Hugging Face, a name of ir_datasets,"
            " python-help-topics; with --qrels a file of topics."
        ),
    ],
    index: Annotated[str, typer.Option("--index", help="Index that holds its documents.")],
    systems: Annotated[
        str | None,
        typer.Option(
            "--systems",
            help="Systems to measure, separated by commas; else all: bm25, dense, rrf, linear, and"
            " pyserini-bm25, pyserini-rrf, pyserini-linear where corpus.jsonl is there. Fusions of"
            " any lists, as rrf(bm25,dense,NAME) with --run NAME=FILE. Of token vectors also"
            " maxsim, of chunks dense-first, dense-sum, dense-mean, dense-mean-3 of a document's"
            " best three, and dense-cut, by one vector of each text, cut; and any of them in"
            " another order: rrf+maxsim by token vectors, rrf+rerank with --rerank.",
        ),
    ] = None,
    runs: Runs = None,
    baseline: Baseline = None,
    measures: MeasureNames = None,
    split: Annotated[str, typer.Option("--split", help="Whose judgements, of a folder.")] = "test",
    language: Annotated[
        str,
        typer.Option(
            "--language",
            help="Of a dataset in several: one or some, separated by commas; else all.",
        ),
    ] = "",
    qrels: Annotated[
        Path | None,
        typer.Option("--qrels", help="Judgements of TREC's topics, or of rows of id and text."),
    ] = None,
    topic: Annotated[
        str,
        typer.Option("--topic", help="Parts of a topic to ask: title, description, narrative."),
    ] = "title",
    rerank: Annotated[
        Path | None,
        typer.Option("--rerank", help="Bundle of the cross-encoder of systems such as rrf+rerank."),
    ] = None,
    rerank_window: Annotated[
        int, typer.Option("--rerank-window", min=1, help="Hits of each query that are reranked.")
    ] = 100,
    rerank_chunks: RerankChunks = None,
    instruction: Instruction = None,
    ann: Annotated[
        bool,
        typer.Option("--ann", help="Measure types of vector index too, as `densehook ann` does."),
    ] = False,
    texts: Annotated[
        bool,
        typer.Option(
            "--texts/--no-texts",
            help="Whether the report shows texts of queries and documents, or their ids alone.",
        ),
    ] = True,
    output: Output = Path("evaluation"),
    against: Against = None,
    tolerance: Tolerance = 0.0,
    encoder: BundlePath = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Measure systems on a judged collection with Pyserini's trec_eval.

    Beside the means stands how each differs from the baseline, and whether that may be chance.
    """
    from ..ann import measure_ann
    from ..collections import open_measured, open_topics
    from ..evaluate import reranker
    from ..evaluation import check_systems, evaluate, modes_of
    from ..report import no_texts, recommendation, write_report, write_study
    from .cluster import connect

    given = read_runs(runs or [])
    checked = check_systems(separated(systems), given) if systems is not None else []
    named = measures_of(measures)
    kept = read_kept(against)
    if qrels is not None:
        opened = open_topics(Path(collection), qrels, names(topic))
    else:
        opened = open_measured(collection, split, names(language))
    client = connect(url, api_key, ca_certs)
    measured = open_index(client, index, encoder, field, encodes=_encodes(checked, ann))
    wanted = checked or _possible(opened, measured)
    searcher = measured.searcher(instruction)
    searcher.require_askable(opened.queries, modes_of(wanted))
    with bars() as show:
        evaluation = evaluate(
            opened,
            wanted,
            searcher,
            output,
            measures=named,
            baseline=baseline,
            runs=given,
            about=about(sys.argv[1:], measured),
            timed=_asks(measured, instruction),
            text_of=searcher.text_of,
            rerank=None
            if rerank is None
            else reranker(
                rerank, opened, searcher, show, window=rerank_window, chunks=rerank_chunks
            ),
            progress=show,
        )
    shown = evaluation if texts else replace(evaluation, texts={})
    texts_of = searcher.texts_of if texts else no_texts
    page = write_report(shown, texts_of)
    show_evaluation(evaluation)
    if ann:
        with bars() as show:
            study = measure_ann(opened, measured, progress=show)
        write_study(study, output, evaluation.about)
        write_report(shown, texts_of, study)
        out.print(recommendation(study))
    out.print(f"{evaluation.queries} queries; runs and metrics.json in {output}, to read: {page}")
    require_no_drop(evaluation, kept, tolerance)


def _encodes(systems: Sequence[str], ann: bool) -> Encodes:
    """What these systems, all where none is named, have encoded."""
    from ..evaluation import needs_encoder, needs_encoder_here

    if needs_encoder_here(systems):
        return "here"
    return "queries" if ann or not systems or needs_encoder(systems) else "nothing"


def _asks(index: Index, instruction: str | None) -> dict[str, Callable[[str], object]]:
    """How each system that serves searches is asked for its first hits."""
    vectors = index.field.format.LIST
    if index.field.text.modality == "numbers":
        return {vectors: lambda text: index.search(numbers=list_in_json(text), fields=[])}
    return {
        "bm25": lambda text: index.search(text, mode="bm25", fields=[]),
        vectors: lambda text: index.search(text, mode=vectors, fields=[], instruction=instruction),
        "rrf": lambda text: index.search(text, fusion="rrf", fields=[], instruction=instruction),
        "linear": lambda text: index.search(
            text, fusion="linear", fields=[], instruction=instruction
        ),
    }


def _possible(collection: Collection, index: Index) -> list[str]:
    """All systems but those that read documents which the collection does not have."""
    from ..evaluation import needs_documents, systems_for

    has_words = bool(index.provenance.bm25_fields) or index.field.text.modality == "text"
    suited = systems_for(index.field.format.LIST, bm25=has_words)
    wanted = [name for name in suited if collection.has_documents or not needs_documents([name])]
    if len(wanted) < len(suited):
        note(f"without pyserini-*: collection {collection.name} has no corpus.jsonl")
    return wanted
