"""From a collection on disk to what came out beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..collections import Collection, open_collection
from ..elastic.indices import index_exists
from ..errors import CollectionError, RequestError
from ..evaluation import Evaluation, Progress, evaluate
from ..index import Index
from ..report import write_report
from .figures import TOLERANCES, Regression

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder

_FILES = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
_INPUTS = ("title", "text")


@dataclass(frozen=True)
class Outcome:
    """A figure that was published, the one that was measured, and how far they may be apart."""

    system: str
    measure: str
    expected: float
    measured: float
    tolerance: float
    source: str

    @property
    def passed(self) -> bool:
        """Whether they are no further apart, as far as four decimals tell."""
        return abs(self.measured - self.expected) <= self.tolerance + 1e-9


@dataclass(frozen=True)
class Reproduced:
    """Every figure of a collection, and the evaluation that it is from."""

    outcomes: Sequence[Outcome]
    evaluation: Evaluation

    @property
    def passed(self) -> bool:
        """Whether every figure came out."""
        return all(outcome.passed for outcome in self.outcomes)


def data_folder(regression: Regression, data: Path) -> Path:
    """The collection's BEIR folder: in ``data``, or ``data`` itself.

    Raises CollectionError with what is absent, and where it was looked for.
    """
    places = [data / regression.folder, *([data] if data.name == regression.folder else [])]
    for place in places:
        if not _absent(place):
            return place
    partly = next((place for place in places if place.is_dir()), None)
    if partly is not None:
        raise CollectionError(
            f"{partly} is not whole: it lacks {' and '.join(_absent(partly))} of {regression.title}"
        )
    looked = " and ".join(map(str, places))
    raise CollectionError(
        f"{regression.title} is not there: looked for {', '.join(_FILES)} in {looked}; get the BEIR"
        f" collection {regression.folder!r}, and name the folder it is in (--data)"
    )


def _absent(folder: Path) -> list[str]:
    return [
        name
        for name in _FILES
        if not (folder / name).is_file() and not (folder / f"{name}.gz").is_file()
    ]


def reproduce(
    client: Elasticsearch,
    regression: Regression,
    folder: Path,
    encoder: Encoder,
    output: Path,
    *,
    index: str | None = None,
    index_type: str = "flat",
    on_fed: Callable[[int], None] = lambda done: None,
    progress: Progress = lambda label, done, total: None,
) -> Reproduced:
    """Measures what is published of a collection, and compares.

    The index is made where it is not there, and fed; what it has already of the same text is not
    encoded again. Raises RequestError where nothing is published of the encoder or the index type
    has no tolerance, EncoderMismatch for an index of another, CollectionError, EvaluationError.
    """
    if encoder.manifest.name not in regression.encoders:
        raise RequestError(
            f"nothing is published of {encoder.manifest.name!r} on {regression.title}; there is"
            f" {', '.join(regression.encoders)} (--encoder)"
        )
    if index_type not in TOLERANCES:
        raise RequestError(
            f"index type {index_type!r} has no tolerance; those with one: {', '.join(TOLERANCES)}"
        )
    collection = open_collection(folder)
    opened = _fed(client, collection, folder, encoder, index, index_type, on_fed)
    runs = regression.runs_of(encoder.manifest.name)
    searcher = opened.searcher()
    evaluation = evaluate(
        collection,
        [run.system for run in runs],
        searcher,
        output,
        measures=dict.fromkeys(measure for run in runs for measure in run.expected),
        text_of=searcher.text_of,
        progress=progress,
    )
    write_report(evaluation, searcher.texts_of)
    stated = str(opened.field.mapping.get("index_options", {}).get("type", index_type))
    return Reproduced(compared(regression, encoder.manifest.name, stated, evaluation), evaluation)


def compared(
    regression: Regression, encoder: str, index_type: str, evaluation: Evaluation
) -> list[Outcome]:
    """What was published of an encoder beside what an evaluation gave."""
    return [
        Outcome(
            run.system,
            measure,
            expected,
            evaluation.systems[run.system][measure],
            run.within(index_type),
            run.source,
        )
        for run in regression.runs_of(encoder)
        for measure, expected in run.expected.items()
    ]


def _fed(
    client: Elasticsearch,
    collection: Collection,
    folder: Path,
    encoder: Encoder,
    index: str | None,
    index_type: str,
    on_fed: Callable[[int], None],
) -> Index:
    """The index, with every document of the collection."""
    name = index or f"reproduce-{collection.name}-{encoder.manifest.name}-{index_type}".lower()
    if index_exists(client, name):
        opened = Index.open(client, name, encoder)
        stated = opened.field.mapping.get("index_options", {}).get("type", index_type)
        if stated != index_type:
            raise RequestError(
                f"index {name!r} is of type {stated}, not {index_type}; name another (--index), or"
                f" measure it as it is (--index-type {stated})"
            )
    else:
        opened = Index.create(client, name, encoder, inputs=_INPUTS, index_type=index_type)
        opened = opened.encoded_by(encoder)
    report = opened.ingest(folder, replace=True, on_progress=on_fed)
    if report.failed:
        raise CollectionError(
            f"{report.failed:,} of {report.failed + report.indexed:,} documents could not be"
            f" indexed, the first: {report.failures[0]}"
        )
    if (held := opened.stats().documents) != report.indexed:
        raise CollectionError(
            f"index {name!r} holds {held:,} documents, and {collection.name} has"
            f" {report.indexed:,}; name another (--index)"
        )
    return opened
