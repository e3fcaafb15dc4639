"""A collection is read whole and right, or the line that is wrong is named."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from densehook.collections import open_collection
from densehook.errors import CollectionError, MissingExtra

CORPUS = [
    {"_id": "d1", "title": "One", "text": "first"},
    {"_id": "d2", "title": "", "text": "second"},
]
QUERIES = [
    {"_id": "001", "text": "which is first"},
    {"_id": "1", "text": "which is second"},
    {"_id": "unjudged", "text": "nobody asked"},
]
QRELS = "query-id\tcorpus-id\tscore\n1\td2\t1\n001\td1\t2\n001\td2\t0\n"


def jsonl(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    beir = tmp_path / "little"
    (beir / "qrels").mkdir(parents=True)
    (beir / "corpus.jsonl").write_bytes(jsonl(CORPUS))
    (beir / "queries.jsonl").write_bytes(jsonl(QUERIES))
    (beir / "qrels" / "test.tsv").write_text(QRELS)
    return beir


def test_a_beir_folder_gives_documents_judged_queries_and_qrels(folder: Path) -> None:
    collection = open_collection(folder)
    assert collection.name == "little"
    assert collection.queries == {"001": "which is first", "1": "which is second"}
    assert collection.qrels == {"1": {"d2": 1}, "001": {"d1": 2, "d2": 0}}
    for _ in range(2):  # a stream that starts anew
        assert [(document.id, document.fields) for document in collection.documents()] == [
            ("d1", {"title": "One", "text": "first"}),
            ("d2", {"title": "", "text": "second"}),
        ]


def test_compressed_files_are_read_too(folder: Path) -> None:
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()
    collection = open_collection(str(folder))
    assert len(collection.queries) == len(list(collection.documents())) == 2


def test_judgements_without_a_header_lose_no_line(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text(QRELS.split("\n", 1)[1])
    assert open_collection(folder).qrels == {"1": {"d2": 1}, "001": {"d1": 2, "d2": 0}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,d1,1", r"test.tsv:5: 1 columns"),
        ("1\td1", r"test.tsv:5: 2 columns"),
        ("1\td1\t", r"test.tsv:5: 2 columns"),
        ("1\t\t1", r"test.tsv:5: an id is empty"),
        ("1\t0\td1\t1", r"test.tsv:5: 4 columns, the rows before have 3"),
        ("1\td1\tscore", r"test.tsv:5: grade 'score' is not a whole number"),
        ("1\td1\t9999999999", r"test.tsv:5: grade '9999999999' is not"),
        ("1\td1\t1_0", r"test.tsv:5: grade '1_0' is not"),
        ("1\td1\tyes", r"test.tsv:5: grade 'yes' is not a whole number"),
        ("1\td1\t0.5", r"test.tsv:5: grade '0.5'"),
        ("1\td2\t3", r"test.tsv:5: query '1' and document 'd2' have grade 3, a line before .* 1"),
    ],
)
def test_a_bad_judgement_is_named_by_file_and_line(folder: Path, line: str, message: str) -> None:
    (folder / "qrels" / "test.tsv").write_text(QRELS + line + "\n")
    with pytest.raises(CollectionError, match=message):
        open_collection(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{not json}\n", r"queries.jsonl:4: "),
        (b'{"text": "no id"}\n', r"queries.jsonl:4: no _id"),
        (b'{"_id": "5", "text": "' + b"\xff" + b'"}\n', r"queries.jsonl:4: .*invalid start byte"),
        (b'{"_id": "1", "text": "again"}\n', r"queries.jsonl:4: query '1' is there a second time"),
    ],
)
def test_a_bad_query_is_named_by_file_and_line(folder: Path, line: bytes, message: str) -> None:
    with (folder / "queries.jsonl").open("ab") as file:
        file.write(line)
    with pytest.raises(CollectionError, match=message):
        open_collection(folder)


ROWS = {"1": {"d2": 1}, "001": {"d1": 2, "d2": 0}}
BEIR_ROWS = QRELS.split("\n", 1)[1]
TREC_ROWS = "1 0 d2 1\n001 Q0 d1 2\n001 0 d2 0\n"


@pytest.mark.parametrize(
    "text",
    [
        BEIR_ROWS,
        BEIR_ROWS.replace("\t", " "),
        BEIR_ROWS.replace("\n", ".0\n"),
        BEIR_ROWS.replace("\n", "\t\n"),
        BEIR_ROWS.replace("\n", "\n\n").rstrip(),
        QRELS.replace("\n", "\r\n"),
        "\ufeff" + QRELS,
        "\ufeff" + BEIR_ROWS,
        QRELS.replace("query-id\tcorpus-id\tscore", "qid docno Relevance"),
        TREC_ROWS,
        TREC_ROWS.replace(" ", "\t"),
        TREC_ROWS.replace(" ", "  "),
        "topic iteration docno rel\n" + TREC_ROWS,
    ],
)
def test_judgements_are_read_as_people_write_them(folder: Path, text: str) -> None:
    (folder / "qrels" / "test.tsv").write_bytes(text.encode())
    assert open_collection(folder).qrels == ROWS


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("q1\t4\tyes", "test.tsv:1: grade 'yes' is not a whole number"),
        ("q1\t4\t0.5", "test.tsv:1: grade '0.5' is not a whole number"),
        ("q1\tQ1\t4\t1", "test.tsv:1: the second of four columns is 'Q1'; in TREC's"),
        ("q1\t4\t1\tgood", "test.tsv:1: the second of four columns is '4'|grade 'good'"),
        ("q1 0 4 1 x", "test.tsv:1: 5 columns"),
    ],
)
def test_a_first_row_that_is_no_header_does_not_vanish(
    folder: Path, row: str, message: str
) -> None:
    (folder / "qrels" / "test.tsv").write_text(f"{row}\n{BEIR_ROWS}")
    with pytest.raises(CollectionError, match=message):
        open_collection(folder)


def test_judgements_that_are_no_utf8_are_named_by_line(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_bytes(QRELS.encode() + "é\td1\t1\n".encode("latin-1"))
    with pytest.raises(CollectionError, match=r"test.tsv:5: .*invalid continuation byte"):
        open_collection(folder)


def test_a_query_that_nobody_judged_needs_nothing(folder: Path) -> None:
    with (folder / "queries.jsonl").open("a") as file:
        file.write('{"_id": "5"}\n{"_id": "6", "text": ""}\n{"_id": "7", "text": null}\n')
        file.write('{"_id": "unjudged", "text": "again"}\n')
    assert list(open_collection(folder).queries) == ["001", "1"]


@pytest.mark.parametrize("text", ["", " \n", "\u00a0\u200b", None, 7])
def test_a_judged_query_without_text_is_one_line(folder: Path, text: object) -> None:
    rows = [QUERIES[0], {"_id": "1", "text": text}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(
        CollectionError, match=r"judges 1 queries that have no text.*'1' \(.*queries.jsonl:2\)"
    ) as error:
        open_collection(folder)
    assert "\n" not in str(error.value)


def test_a_bad_document_is_an_error_when_it_is_reached(folder: Path) -> None:
    with (folder / "corpus.jsonl").open("ab") as file:
        file.write(b"{broken\n")
    documents = open_collection(folder).documents()
    assert [next(documents).id, next(documents).id] == ["d1", "d2"]
    with pytest.raises(CollectionError, match=r"corpus.jsonl:3: .*an evaluation needs every line"):
        next(documents)


def test_a_judged_query_without_text_is_named(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text(QRELS + "ghost\td1\t1\n")
    with pytest.raises(CollectionError, match=r"judges 1 queries that have no text.*'ghost'"):
        open_collection(folder)


def test_a_collection_without_judgements_is_refused(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    with pytest.raises(CollectionError, match="little has no relevance judgements"):
        open_collection(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_what_a_beir_folder_lacks_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CollectionError, match=f"is no BEIR folder: it has no {name}"):
        open_collection(folder)


def test_neither_a_file_nor_a_missing_folder_is_a_collection(folder: Path) -> None:
    with pytest.raises(CollectionError, match="is a file; give the BEIR folder"):
        open_collection(folder / "corpus.jsonl")
    with pytest.raises(CollectionError, match="there is no folder"):
        open_collection(folder / "gone")
    with pytest.raises(CollectionError, match="there is no folder"):
        open_collection("./gone")
    with pytest.raises(CollectionError, match="cannot be opened: File name too long"):
        open_collection("x" * 5000)


def test_a_name_without_ir_datasets_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    with pytest.raises(MissingExtra, match=r"ir_datasets is not installed.*densehook\[evaluate\]"):
        open_collection("beir/scifact/test")
