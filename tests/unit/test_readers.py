"""Files as they come: each format gives the documents it holds, or says what is wrong and where."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densehook import files
from densehook.collections import BadLine, read_documents
from densehook.errors import CollectionError, DensehookError, MissingExtra
from densehook.types import Document

Rows = Sequence[Mapping[str, str]]


def to_csv(path: Path, rows: Rows, **options: Any) -> None:
    encoding = options.pop("encoding", "utf-8")
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, ["id", "title", "text"], restval="", **options)
        writer.writeheader()
        writer.writerows(rows)


def to_jsonl(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def to_gz(write: Callable[[Path, Rows], None]) -> Callable[[Path, Rows], None]:
    def gzipped(path: Path, rows: Rows) -> None:
        plain = path.with_suffix("")
        write(plain, rows)
        path.write_bytes(gzip.compress(plain.read_bytes()))

    return gzipped


def to_stream(path: Path, rows: Rows) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


def to_pretty_json(path: Path, rows: Rows) -> None:
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False), encoding="utf-8-sig")


def excel(path: Path, rows: Rows) -> None:
    """As Excel saves "CSV UTF-8" where the decimal mark is a comma."""
    to_csv(path, rows, delimiter=";", lineterminator="\r\n", encoding="utf-8-sig")


WRITERS: dict[str, Callable[[Path, Rows], None]] = {
    "a.jsonl": to_jsonl,
    "a.jsonl.gz": to_gz(to_jsonl),
    "lines.json": to_jsonl,
    "a.json": lambda path, rows: path.write_text(json.dumps(rows)),
    "pretty.json": to_pretty_json,
    "a.json.gz": to_gz(to_pretty_json),
    "a.csv": to_csv,
    "excel.csv": excel,
    "a.csv.gz": to_gz(to_csv),
    "a.tsv": lambda path, rows: to_csv(path, rows, delimiter="\t"),
    "quoted.tsv": lambda path, rows: to_csv(path, rows, delimiter="\t", quoting=csv.QUOTE_ALL),
    # with "\n" alone pandas leaves a carriage return in a cell without quotes
    "pandas.csv": lambda path, rows: pd.DataFrame(rows).to_csv(
        path, index=False, lineterminator="\r\n"
    ),
    "pandas.json": lambda path, rows: pd.DataFrame(rows).to_json(path, orient="records"),
    "pandas.parquet": lambda path, rows: pd.DataFrame(rows).to_parquet(path),
    "groups.parquet": lambda path, rows: pa.parquet.write_table(
        pa.Table.from_pylist(rows), path, row_group_size=2
    ),
    "a.feather": lambda path, rows: pa.feather.write_feather(pa.Table.from_pylist(rows), path),
    "stream.arrow": to_stream,
    "parquet-without-its-name": lambda path, rows: pa.parquet.write_table(
        pa.Table.from_pylist(rows), path
    ),
    "jsonl-without-its-name": to_jsonl,
}
TABLES = [name for name in WRITERS if name.endswith((".csv", ".tsv", ".parquet", ".feather"))]

ROWS: list[dict[str, str]] = [
    {"id": str(number), "title": f"Title {number}", "text": f'Text «{number}», "quoted"\nline'}
    for number in range(5)
]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
filled = text.filter(bool)
rows = st.lists(
    st.fixed_dictionaries({"id": filled, "title": filled, "text": filled}), min_size=1, max_size=5
)


def values(path: Path, **naming: Any) -> list[tuple[str, Any]]:
    """Ids and fields of a file in which every row is a document."""
    found = list(read_documents(path, **naming))
    assert all(isinstance(item, Document) for item in found), found
    return [(item.id, item.fields) for item in found if isinstance(item, Document)]


def expected(rows: Rows) -> list[tuple[str, Any]]:
    return [(row["id"], {"title": row["title"], "text": row["text"]}) for row in rows]


def refusal(path: Path | str, **naming: Any) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(DensehookError) as error:
        list(read_documents(path, **naming))
    assert "\n" not in str(error.value)
    return str(error.value)


def shown(path: Path, **naming: Any) -> list[str]:
    """Ids, and what is said of rows that are no documents, without the folder."""
    return [
        item.id if isinstance(item, Document) else str(item).removeprefix(f"{path.parent}/")
        for item in read_documents(path, **naming)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=20)
@given(rows=rows)
def test_what_other_programs_write_is_read_as_they_meant_it(
    folder: Path, name: str, rows: Rows
) -> None:
    path = folder / name
    WRITERS[name](path, rows)
    assert values(path) == expected(rows)


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_read_once_as_a_stream_and_the_meter_says_how_far(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    many = [
        {"id": str(n), "title": "t", "text": hashlib.shake_256(b"%d" % n).hexdigest(150)}
        for n in range(3000)
    ]
    WRITERS[name](path, many)
    documents = read_documents(path)
    size = path.stat().st_size
    assert documents.meter.total == size
    seen = [documents.meter.read for _ in documents]
    assert len(seen) == len(many)
    assert seen == sorted(seen)
    # an Arrow file that was written in one batch is read in one
    assert name == "a.feather" or seen[0] < size / 2
    assert documents.meter.read == size


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv"])
def test_memory_is_that_of_a_few_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, [{"id": str(n), "title": "t", "text": "x" * 5000} for n in range(1000)])
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_documents(path)) == 1000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 4


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_before_anything_is_written_what_it_lacks(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, ROWS)
    documents = read_documents(path, rename={"text": "body"})
    assert documents.columns == ("id", "title", "body")
    documents.require_any(["missing", "body.inner"])
    with pytest.raises(CollectionError) as error:
        documents.require_any(["abstract", "text"])
    assert str(error.value).startswith(
        f"{path} has no column 'abstract' or 'text'; it has 'id', 'title', 'body': rename"
    )
    said = refusal(path, id="pmid")
    assert said.startswith(f"{path} has no column 'pmid' with ids; it has 'id', 'title', 'text': ")
    assert "has no column 'body' to rename" in refusal(path, rename={"body": "text"})
    assert "has 2 columns 'text'" in refusal(path, rename={"title": "text"})
    assert len(values(path, rename={"id": "key"}, make_ids=True)) == len(ROWS)


# JSON arrays


@pytest.mark.parametrize(
    ("content", "read", "reason"),
    [
        ('[{"id": 1}, {"id": 2}', ["1", "2"], "it ends before its array does"),
        ('[{"id": 1}, {"id": 2', ["1"], "it ends before its array does"),
        ('[{"id": 1}, {"id": "un', ["1"], "it ends before its array does"),
        ('[{"id": 1},', ["1"], "it ends before its array does"),
        ("[", [], "it ends before its array does"),
        ('[{"id": 1}] more', ["1"], "behind its array comes more"),
        ('[{"id": 1}][{"id": 2}]', ["1"], "behind its array comes more"),
        ('[{"id": 1} {"id": 2}]', ["1"], "'{' comes where ']' must"),
        ('[{"id": 1},]', ["1"], "Expecting value"),
        ('[{"id": 1}, {"id": tru}, {"id": 3}]', ["1"], "Expecting value"),
        ('[{"id": 1}, ' + "[" * 100_000, ["1"], "it is nested too deeply"),
    ],
)
def test_a_broken_array_gives_what_is_before_the_break_and_names_the_element(
    tmp_path: Path, content: str, read: list[str], reason: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    documents = read_documents(path)
    found: list[str] = []
    with pytest.raises(CollectionError) as error:
        found.extend(item.id for item in documents if isinstance(item, Document))
    assert found == read
    assert str(error.value) == (
        f"{path} cannot be read to its end: in or behind item {len(read) + 1} the JSON breaks:"
        f" {reason}"
    )


def test_an_element_that_is_no_document_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    elements: list[bytes] = [
        b'{"id": "first"}',
        b'{"id": 1.5}',
        b"[1]",
        b"12",
        b'"text"',
        b'{"id": 1, "id": 2}',
        b'{"id": 1, "n": NaN}',
        b'{"id": 1, "n": 1e999}',
        b'{"id": "\\ud800"}',
        b'{"id": "\xff"}',
        b"{}",
        b'{"id": "last"}',
    ]
    path.write_bytes(b" [" + b" ,\r\n".join(elements) + b"]\n\n")
    first, *bad, last = shown(path)
    assert (first, last) == ("first", "last")
    reasons = (
        "item 2: id is 1.5; it must be a string or a whole number",
        "item 3: a document is a JSON object, this is a list",
        "item 4: a document is a JSON object, this is a int",
        "item 5: a document is a JSON object, this is a str",
        "item 6: key 'id' stands twice in one object",
        "item 7: NaN is not JSON",
        "item 8: 1e999 is too large a number",
        "item 9: .*surrogates not allowed",
        "item 10: it is not UTF-8 text",
        "item 11: no _id, no id and no docid",
    )
    for said, reason in zip(bad, reasons, strict=True):
        assert re.fullmatch(f"a.json {reason}", said)


@settings(max_examples=50)
@given(
    elements=st.lists(
        st.dictionaries(st.sampled_from(["a", "é", '"', "["]), st.none() | st.floats(0, 9) | text)
    ),
    size=st.integers(1, 40),
)
def test_an_array_reads_the_same_wherever_the_chunks_end(
    folder: Path, elements: list[dict[str, Any]], size: int
) -> None:
    path = folder / "chunks.json"
    path.write_text(json.dumps(elements, ensure_ascii=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("densehook.collections.readers.json_array._CHUNK", size)
        found = [fields for _, fields in values(path, make_ids=True)] if elements else []
    assert found == elements


def test_an_element_too_long_is_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1 << 17)
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"id": "1"}, {"id": "2", "text": "x" * 1_000_000}]))
    assert "in or behind item 2 the JSON breaks: it ends before" in refusal(path)


def test_json_that_is_no_array_and_no_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": [{"id": 1}]}, indent=1))
    assert "is neither an array of documents nor has it one on each line" in refusal(path)
    for content in ("", " ", "12", "<html>"):
        path.write_text(content)
        assert refusal(path) == f"{path} is no JSON array; give one of objects, or one on each line"
    path.write_text("[]")
    assert values(path) == []


# CSV and TSV


def test_a_row_of_another_width_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,a\n2,b,c\n3\n\n,\n4,"d\ne"\n5,e,,\n"6"x,f\n7,g\n')
    assert shown(path) == [
        "1",
        "a.csv:3: it has 3 cells, the header names 2 columns; a cell with the delimiter, a quote or"
        " a line's end in it is to be quoted",
        "a.csv:4: it has 1 cell, the header names 2 columns; a cell with the delimiter, a quote or"
        " a line's end in it is to be quoted",
        "4",
        "5",
        "a.csv:10: no row of CSV: ',' expected after '\"'",
        "7",
    ]


def test_a_quote_that_is_never_closed_says_what_it_swallows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,a\n2,"b\n3,c\n4,d\n')
    assert shown(path) == [
        "1",
        "a.csv:3: a quote opened in this row is never closed; it takes in the 2 lines after it",
    ]


def test_cells_are_text_as_written_and_an_empty_one_is_no_field(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,n,text\n007,1.50,\n8,," x "\n')
    assert values(path) == [("007", {"n": "1.50"}), ("8", {"text": " x "})]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"id;title, long;text\r\n1;a, b;c\r\n", ("id", "title, long", "text")),
        (b"\xef\xbb\xbfid;text\r\n1;c\r\n", ("id", "text")),
        (b'"id";"text"\r\n"1";"c"\r\n', ("id", "text")),
        (b"sep=|\r\nid|text\r\n1|c\r\n", ("id", "text")),
        (b"id\ttext\n1\tc\n", ("id", "text")),
        (b" id , text \n1,c\n", ("id", "text")),
        (b"id,text,,\n1,c,,\n", ("id", "text")),
        (b"id\n1\n", ("id",)),
        (b",id,text\n0,1,c\n", ("column_1", "id", "text")),
        (b"\n,,\nid,,text\n1,,c\n", ("id", "column_2", "text")),
    ],
)
def test_what_spreadsheets_write_is_recognised(
    tmp_path: Path, content: bytes, columns: tuple[str, ...]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    documents = read_documents(path)
    assert documents.columns == columns
    (document,) = documents
    assert isinstance(document, Document)
    assert document.id == "1"
    assert "text" not in columns or document.fields["text"] == "c"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,text,id\n1,a,2\n", "has 2 columns 'id'; give each its own name"),
        (b",,\n", "is empty; its first row must name the columns"),
        (b"", "is empty; its first row must name the columns"),
        (b"\n\n", "is empty; its first row must name the columns"),
        (b"1," + b"long " * 99, "it has '1', 'long long long long long long long long …'"),
        (b",".join(b"c%d" % n for n in range(50)), ", 'c19', and 30 more: name the one"),
        (
            b"1,first text\n2,second\n",
            "has no column '_id' or 'id' or 'docid' with ids; it has '1'",
        ),
        ("id,text\n1,ü\n".encode("utf-16"), "cannot be read: it is UTF-16 text; write it as UTF-8"),
        (b"id,\xfcber\n1,a\n", r":1: b'\xfcber' is not UTF-8 text; save the file as UTF-8"),
        (
            b"id,text\r1,a\r2,b\r",
            ":1: no row of CSV: a carriage return ends a line alone, or is in",
        ),
        (b'id,"text\n1,a\n', ":1: a quote opened in this row is never closed"),
    ],
)
def test_a_header_that_is_none_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert said in refusal(path)


def test_bytes_that_are_no_utf8_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,text\n1,Käse\n2,Brot\n".encode("latin-1"))
    assert shown(path) == [r"a.csv:2: b'K\xe4se' is not UTF-8 text; save the file as UTF-8", "2"]


def test_a_frame_written_with_its_row_numbers_keeps_them_under_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame(ROWS).to_csv(path)
    assert values(path) == [
        (id_, {**fields, "column_1": str(number)})
        for number, (id_, fields) in enumerate(expected(ROWS))
    ]


def test_a_text_longer_than_the_csv_module_expects_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    long = "word " * 60_000
    to_csv(path, [{"id": "1", "title": "t", "text": long}], delimiter="\t")
    assert values(path) == [("1", {"title": "t", "text": long})]


# Parquet and Arrow


@pytest.mark.parametrize("name", ["groups.parquet", "a.feather", "stream.arrow"])
@settings(max_examples=25)
@given(kept=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_off_is_refused_or_found_out(folder: Path, name: str, kept: float) -> None:
    path = folder / name
    WRITERS[name](path, ROWS)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert str(path) in refusal(path)


@pytest.mark.parametrize("name", ["groups.parquet", "a.feather", "stream.arrow"])
def test_what_only_claims_to_be_arrow_or_parquet_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for content in (b"", b"id,text\n", b"{}" * 100, b"\xff" * 100):
        path.write_bytes(content)
        assert refusal(path).startswith(f"{path} ")


def test_values_of_columns_become_those_of_json_and_nulls_no_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    moment = pd.Timestamp("2020-05-01T12:00:00")
    table = pa.table(
        {
            "docid": pa.array([1, 2], pa.int64()),
            "at": pa.array([moment, None], pa.timestamp("us")),
            "tags": pa.array([["a", "b"], []], pa.list_(pa.string())),
            "vector": pa.array([[0.5, 1.0], None], pa.list_(pa.float32(), 2)),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
            "who": pa.array([{"name": "n", "age": 3}, None]),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "score": pa.array([float("nan"), 1.5]),
        }
    )
    pa.parquet.write_table(table, path)
    assert values(path) == [
        (
            "1",
            {
                "at": "2020-05-01T12:00:00",
                "tags": ["a", "b"],
                "vector": [0.5, 1.0],
                "kind": "x",
                "who": {"name": "n", "age": 3},
                "map": {"k": 1},
            },
        ),
        ("2", {"tags": [], "kind": "y", "score": 1.5}),
    ]


def test_a_value_that_json_cannot_hold_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"id": ["a", "b"], "raw": [b"\x00", None]}), path)
    assert shown(path) == [
        "a.parquet row 1: field 'raw' holds a value of type bytes, which JSON cannot hold",
        "b",
    ]


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.parquet", "a.arrow"):
        (tmp_path / name).write_bytes(b"")
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pyarrow", None)
            with pytest.raises(MissingExtra, match=r"pip install 'densehook\[files\]'"):
                read_documents(tmp_path / name)


# folders


def test_a_folder_of_texts_is_a_document_a_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.txt").write_text("hidden")
    (tmp_path / "a.txt").write_text("# no heading here")
    (tmp_path / "sub" / "b.md").write_text("intro\n```\n# code\n```\n## The *title* ##\nbody\n")
    (tmp_path / "sub" / "c.md").write_bytes("\ufeffwithout\r\n".encode())
    (tmp_path / "sub" / "d.txt.gz").write_bytes(gzip.compress(b"packed"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    assert values(tmp_path) == [
        ("a.txt", {"title": "a", "text": "# no heading here"}),
        (
            "sub/b.md",
            {
                "title": "The *title*",
                "text": "intro\n```\n# code\n```\n## The *title* ##\nbody\n",
            },
        ),
        ("sub/c.md", {"title": "c", "text": "without\r\n"}),
        ("sub/d.txt.gz", {"title": "d", "text": "packed"}),
    ]
    assert [id_ for id_, _ in values(tmp_path / "sub" / "*.md")] == ["b.md", "c.md"]


def test_a_text_that_cannot_be_read_is_named_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1000)
    (tmp_path / "a.txt").write_bytes("text".encode("utf-16"))
    (tmp_path / "b.txt").write_bytes(b"\xff")
    (tmp_path / "c.txt").write_text("x" * 1001)
    (tmp_path / "d.txt").write_text("x" * 1000)
    (tmp_path / "e.txt.gz").write_bytes(gzip.compress(b"text")[:-4])
    assert [said.removeprefix(f"{tmp_path.name}/") for said in shown(tmp_path)] == [
        "a.txt: cannot be read: it is UTF-16 text; write it as UTF-8",
        "b.txt: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte; write it as"
        " UTF-8",
        "c.txt: it is longer than 1,000 bytes",
        "d.txt",
        "e.txt.gz: cannot be read to its end: Compressed file ended before the end-of-stream marker"
        " was reached",
    ]


def test_a_dataset_saved_by_hugging_face_is_read_and_its_splits_are_named(tmp_path: Path) -> None:
    saved = datasets.Dataset.from_list(ROWS)
    saved.save_to_disk(str(tmp_path / "one"), num_shards=2)
    assert values(tmp_path / "one") == expected(ROWS)
    datasets.DatasetDict({"train": saved, "test": saved}).save_to_disk(str(tmp_path / "both"))
    assert refusal(tmp_path / "both").endswith(
        f"is a dataset of the splits train, test; give the folder of one: {tmp_path}/both/train"
    )
    assert values(tmp_path / "both" / "test") == expected(ROWS)
    datasets.DatasetDict({"train": saved}).save_to_disk(str(tmp_path / "alone"))
    assert values(tmp_path / "alone") == expected(ROWS)
    (tmp_path / "one" / "data-00001-of-00002.arrow").unlink()
    assert "is not whole: it lacks data-00001-of-00002.arrow" in refusal(tmp_path / "one")
    (tmp_path / "one" / "state.json").write_text("{")
    assert f"{tmp_path}/one/state.json cannot be read: " in refusal(tmp_path / "one")
    for other in ("[]", '{"_data_files": 3}', '{"_data_files": ["data"]}'):  # somebody else's
        (tmp_path / "one" / "state.json").write_text(other)
        assert values(tmp_path / "one") == expected(ROWS[:3])


def test_a_snapshot_of_the_hub_is_its_data_and_a_split_is_chosen_by_name(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number, part in enumerate((ROWS[:2], ROWS[2:])):
        name = f"train-{number:05}-of-00002.parquet"
        pa.parquet.write_table(pa.Table.from_pylist(part), data / name)
    (tmp_path / "README.md").write_text("# About")
    (tmp_path / "dataset_infos.json").write_text("{}")
    (tmp_path / ".gitattributes").write_text("")
    assert values(tmp_path) == expected(ROWS)
    pa.parquet.write_table(pa.Table.from_pylist(ROWS[:1]), data / "test-00000-of-00001.parquet")
    assert refusal(tmp_path).endswith(
        "holds files that do not belong together (1 data/test-*, 2 data/train-*); say which:"
        f" '{tmp_path}/data/test-*'"
    )
    assert values(data / "test-*") == expected(ROWS[:1])
    assert values(tmp_path / "*" / "train-*") == expected(ROWS)


def test_a_folder_whose_files_do_not_belong_together_asks_which(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv.gz", "v1.2.csv"):
        WRITERS["a.csv.gz" if name.endswith("gz") else "a.csv"](tmp_path / name, ROWS[:1])
    (tmp_path / "b.csv").unlink()
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "notes.txt").write_text("beside")
    assert values(tmp_path) == expected(ROWS[:1]) * 3
    WRITERS["groups.parquet"](tmp_path / "c.parquet", ROWS)
    assert "(1 *.parquet*, 3 *.csv*); say which: " in refusal(tmp_path)
    assert values(tmp_path / "*.csv*") == expected(ROWS[:1]) * 3


@pytest.mark.parametrize("names", [("train.csv", "test.csv"), ("x-train.csv", "x-dev.csv.gz")])
def test_splits_in_a_file_each_are_not_mixed(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        WRITERS["a.csv.gz" if name.endswith("gz") else "a.csv"](tmp_path / name, ROWS)
    (tmp_path / "x-dev.csv").unlink(missing_ok=True)
    said = refusal(tmp_path)
    assert all(f"1 {name}" in said for name in names)
    assert values(tmp_path / names[0]) == expected(ROWS)


def test_json_beside_texts_asks_which(tmp_path: Path) -> None:
    WRITERS["a.json"](tmp_path / "a.json", ROWS)
    (tmp_path / "README.md").write_text("about")
    assert values(tmp_path) == expected(ROWS)
    (tmp_path / "note.md").write_text("a note")
    assert "(1 *.json*, 1 *.md*); say which: " in refusal(tmp_path)


def test_columns_are_those_of_each_file_of_a_folder(tmp_path: Path) -> None:
    to_csv(tmp_path / "a.csv", ROWS)
    (tmp_path / "b.csv").write_text("key,text\n1,a\n")
    documents = read_documents(tmp_path)
    assert [next(documents) for _ in ROWS]
    with pytest.raises(CollectionError, match=r"b\.csv has no column '_id' or 'id' or 'docid'"):
        next(documents)


# what is no file that can be read


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"PK\x03\x04", "is a .xlsx file, which is not read: save the sheet as CSV"),
        ("a.pdf", b"%PDF-1.7", "is a .pdf file, which is not read: take the text out of it"),
        ("a.txt", b"some text", "is a .txt file, which is not read: give the folder it is in"),
        ("a.bin", b"\x00\x01", "is a .bin file, which is not read; what is read: .jsonl, .json"),
        ("a", b"text", "is of a format that nobody can tell, which is not read; what is read: "),
        ("a.zip", b"PK\x03\x04", "cannot be read: it is a zip archive; unpack it first"),
        ("a.csv", b"BZh91AY", "cannot be read: it is compressed with bzip2; decompress it first"),
        ("a.parquet.gz", gzip.compress(b"PAR1", mtime=0), "is a Parquet file"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path} ")
    assert said in refusal(path)


def test_what_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal("gone.csv") == "no documents at gone.csv: no such file or folder"
    assert refusal(tmp_path / "*.csv") == (
        f"no documents at {tmp_path}/*.csv: no file is called like that"
    )
    assert f"no documents at {tmp_path}/a**b: " in refusal(tmp_path / "a**b")
    assert "no file is called like that" in refusal("no/such/[name]")
    assert "and ir_datasets knows no dataset of that name" in refusal("no/such/name")
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    assert refusal("no/such/name") == "no documents at no/such/name: no such file or folder"


# standard input


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_jsonl_of_no_known_size(pack: Callable[[bytes], bytes]) -> None:
    script = (
        "from densehook.collections import read_documents\n"
        "documents = read_documents('-')\n"
        "print(documents.meter.total, *documents, documents.meter.read > 0, sep='\\n')"
    )
    content = pack(b'\xef\xbb\xbf{"id": 1}\r\n\r\n{"x": 1}\r\n')
    done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True)
    assert done.stdout.decode().splitlines() == [
        "None",
        str(Document("1", {}, "standard input:1")),
        str(BadLine("standard input:3", "no _id, no id and no docid")),
        "True",
    ], done.stderr
