"""Opens a retrieval dataset of Hugging Face's hub that lies in a folder: see ``hub_files``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import CollectionError
from ..files import Meter
from ..types import DocId, Document, Qrels, QueryId
from .collection import Collection, Query, judged_queries
from .documents import Documents
from .hub_files import CORPUS, QRELS, QUERIES, Config, Hub, Splits
from .qrels import Judgements, read_qrels
from .readers import format_of
from .rows import BadLine, Naming, Row
from .tables import Table

_QUERY_FIELDS = ("query-id", "query_id", "qid")
_DOCUMENT_FIELDS = ("corpus-id", "corpus_id", "doc-id", "doc_id", "docid", "pid")
_GRADE_FIELDS = ("score", "relevance", "label", "rel", "grade")
_TEXT_FIELDS = ("text", "query")


def open_hub(hub: Hub, split: str = "test", languages: Sequence[str] = ()) -> Collection:
    """The dataset, or some of its languages: each is then a kind of queries.

    Documents are those of all of them. Raises CollectionError with file and row of what cannot be
    read, for a split or a language that is not there, and where an id is in two languages.
    """
    wanted = _languages(hub, languages)
    name = hub.folder.resolve().name
    queries: dict[QueryId, str] = {}
    qrels: dict[QueryId, Mapping[DocId, int]] = {}
    kinds: dict[QueryId, str] = {}
    for language in wanted:
        judged = _qrels_of(hub, split, language)
        files = _of_split(hub.configs[Config(QUERIES, language)], split)
        called = f"{name} ({language})" if language else name
        known = judged_queries(called, _queries(files), judged)
        for query in known:
            if query in kinds:
                raise CollectionError(
                    f"query {query!r} is in {kinds[query]} and in {language}; measure one language"
                    f" at a time, in an index of its own: --language {language}"
                )
            kinds[query] = language
        queries |= known
        qrels |= judged
    if len(wanted) == 1:
        kinds = {}
    # languages may share one corpus
    corpora = {each if Config(CORPUS, each) in hub.configs else "" for each in wanted}
    parts = {
        each: _of_split(hub.configs[config], split)
        for each in dict.fromkeys([*wanted, ""])
        if each in corpora and (config := Config(CORPUS, each)) in hub.configs
    }
    if len(parts) < len(corpora):
        return Collection(
            name, lambda: _no_documents(hub.folder), queries, qrels, kinds, False, kinds_alike=True
        )
    return Collection(name, lambda: _documents(parts), queries, qrels, kinds, kinds_alike=True)


def _languages(hub: Hub, asked: Sequence[str]) -> Sequence[str]:
    there = hub.languages
    unknown = [each for each in asked if each not in there]
    if unknown:
        has = ", ".join(filter(None, there))
        raise CollectionError(
            f"{hub.folder} has no language {unknown[0]!r}; it has "
            + (has or "one, which has no name: leave --language out")
        )
    # one without a name beside others is the judgements of all of them
    return list(dict.fromkeys(asked)) or [each for each in there if each] or there


def _of_split(splits: Splits, split: str) -> Sequence[Path]:
    """The files of a split, or all where there is none of that name."""
    return splits.get(split) or [file for files in splits.values() for file in files]


def _qrels_of(hub: Hub, split: str, language: str) -> Qrels:
    splits = hub.configs[Config(QRELS, language)]
    if split not in splits:
        of = f" of {language}" if language else ""
        raise CollectionError(
            f"{hub.folder} has no split {split!r}{of}; it has {', '.join(splits)}: name one"
        )
    judgements = Judgements()
    for file in splits[split]:
        if format_of(file).name == "TSV":
            for query, judged in read_qrels(file).items():
                for document, grade in judged.items():
                    judgements.add(query, document, grade, str(file))
            continue
        for row in _rows(file):
            judgements.add(*_judgement(row), row.origin)
    return judgements.qrels


def _rows(file: Path) -> Iterator[Row]:
    for row in format_of(file).open(file, Meter()).rows:
        if isinstance(row, BadLine):
            raise CollectionError(f"{row}; an evaluation needs every row")
        if isinstance(row, Row):
            yield row


def _judgement(row: Row) -> tuple[QueryId, DocId, int]:
    query = _id_in(row, _QUERY_FIELDS)
    document = _id_in(row, _DOCUMENT_FIELDS)
    grade = _field(row, _GRADE_FIELDS)
    try:
        whole = None if isinstance(grade, bool) else float(grade)
    except (TypeError, ValueError):
        whole = None
    if whole is None or not whole.is_integer():
        raise CollectionError(f"{row.origin}: grade {grade!r} is not a whole number")
    return query, document, int(whole)


def _id_in(row: Row, names: Sequence[str]) -> str:
    value = _field(row, names)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise CollectionError(
            f"{row.origin}: {names[0]} is {value!r}; it must be a string or a whole number"
        )
    return str(value)


def _field(row: Row, names: Sequence[str]) -> Any:
    for name in names:
        if name in row.fields:
            return row.fields[name]
    there = ", ".join(map(repr, row.fields)) or "nothing"
    raise CollectionError(f"{row.origin}: a judgement has {names[0]!r}; this has {there}")


def _queries(files: Sequence[Path]) -> Iterator[Query]:
    for document in _read(files):
        texts = (document.fields.get(name) for name in _TEXT_FIELDS)
        text = next((each for each in texts if isinstance(each, str)), "")
        yield Query(document.id, text, document.origin)


def _documents(parts: Mapping[str, Sequence[Path]]) -> Iterator[Document]:
    """All documents; of several languages none may have an id of another's."""
    if len(parts) == 1:
        yield from _read(next(iter(parts.values())))
        return
    seen: dict[DocId, str] = {}
    for language, files in parts.items():
        for document in _read(files):
            if seen.setdefault(document.id, language) != language:
                raise CollectionError(
                    f"document {document.id!r} is in {seen[document.id]} and in {language}; measure"
                    f" one language at a time, in an index of its own: --language {language}"
                )
            yield document


def _read(files: Sequence[Path]) -> Iterator[Document]:
    def tables() -> Iterator[Table]:
        for file in files:
            yield format_of(file).open(file, Meter())

    for document in Documents(tables(), Naming()):
        if isinstance(document, BadLine):
            raise CollectionError(f"{document}; an evaluation needs every row")
        yield document


def _no_documents(folder: Path) -> Iterator[Document]:
    raise CollectionError(
        f"{folder} has no corpus of all that is measured, which this needs; get it too"
    )
