"""Documents come from whatever holds rows; what is no document is a value that names its row."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.collections import BadLine, documents_from
from densehook.errors import CollectionError
from densehook.types import Document

ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "One", "text": "first"},
    {"id": "b", "title": "Two", "text": "second"},
]
DOCUMENTS = [
    Document("a", {"title": "One", "text": "first"}, "row 1"),
    Document("b", {"title": "Two", "text": "second"}, "row 2"),
]


class PolarsLike:
    """What of a polars frame is used: its columns, and its rows as dicts."""

    columns = ("id", "title", "text")

    def iter_rows(self, *, named: bool) -> Iterator[dict[str, Any]]:
        assert named
        yield from ROWS


KINDS: dict[str, Callable[[], Any]] = {
    "dicts": lambda: ROWS,
    "generator": lambda: (row for row in ROWS),
    "pandas": lambda: pd.DataFrame(ROWS),
    "pandas-index": lambda: pd.DataFrame(ROWS).set_index("id"),
    "polars-like": PolarsLike,
    "arrow-table": lambda: pa.Table.from_pylist(ROWS),
    "arrow-batch-dataset": lambda: pa.dataset.dataset(pa.Table.from_pylist(ROWS)),
    "hugging-face": lambda: datasets.Dataset.from_list(ROWS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_rows_gives_the_same_documents(kind: str) -> None:
    assert list(documents_from(KINDS[kind]())) == DOCUMENTS


@pytest.mark.parametrize("kind", ["pandas", "polars-like", "arrow-table", "hugging-face"])
def test_tables_know_their_columns_and_what_leaves_no_id_or_two_of_one_name(kind: str) -> None:
    documents = documents_from(KINDS[kind](), rename={"text": "body"})
    assert documents.columns == ("id", "title", "body")
    for wrong, said in (
        ({"id": "key"}, "has no column 'key' with ids; it has 'id', 'title', 'text': "),
        ({"rename": {"body": "text"}}, "has no column 'body' to rename; it has 'id', "),
        ({"rename": {"title": "text"}}, "has 2 columns 'text'"),
    ):
        with pytest.raises(CollectionError, match=said) as error:
            documents_from(KINDS[kind](), **wrong)
        assert "\n" not in str(error.value)


def test_ids_of_every_kind_of_whole_number_are_text_and_anything_else_names_its_row() -> None:
    ids = [7, np.int64(8), np.uint8(9), "x", True, 1.5, None, "", np.float32(1), [1]]
    rows = [{"id": each, "text": "t"} for each in ids] + [{"text": "t"}]
    *good, a, b, c, d, e, f, g = documents_from(rows)
    assert [item.id for item in good if isinstance(item, Document)] == ["7", "8", "9", "x"]
    assert [str(bad) for bad in (a, b, c, d, e, f, g)] == [
        "row 5: id is True; it must be a string or a whole number",
        "row 6: id is 1.5; it must be a string or a whole number",
        "row 7: id is None; it must be a string or a whole number",
        "row 8: id is ''; it must be a string or a whole number",
        "row 9: id is 1.0; it must be a string or a whole number",
        "row 10: id is [1]; it must be a string or a whole number",
        "row 11: no _id, no id and no docid",
    ]


def test_the_first_of_the_usual_names_is_the_id_and_a_named_field_is_before_all() -> None:
    row = {"docid": "3", "id": "2", "_id": "1", "pmid": "4"}
    assert list(documents_from([row])) == [
        Document("1", {"docid": "3", "id": "2", "pmid": "4"}, "row 1")
    ]
    (named,) = documents_from([row], id="pmid")
    assert isinstance(named, Document)
    assert named.id == "4"
    (lacking,) = documents_from([row], id="url")
    assert str(lacking) == "row 1: no url"


def test_fields_are_renamed_and_even_swapped_but_never_lost() -> None:
    row = {"id": 1, "a": "A", "b": "B"}
    assert list(documents_from([row], rename={"a": "b", "b": "a"})) == [
        Document("1", {"b": "A", "a": "B"}, "row 1")
    ]
    (clash,) = documents_from([row], rename={"a": "b"})
    assert str(clash) == "row 1: field 'b' is there already; nothing can be renamed to it"
    (by_old,) = documents_from([row], rename={"a": "key"}, id="a")
    assert by_old == Document("A", {"id": 1, "b": "B"}, "row 1")
    with pytest.raises(CollectionError, match="2 fields are to be renamed 'c'"):
        documents_from([row], rename={"a": "c", "b": "c"})
    document = Document("x", {"a": 1}, "here")
    assert list(documents_from([document], rename={"a": "c"})) == [Document("x", {"c": 1}, "here")]


def test_documents_and_bad_lines_pass_as_they_are() -> None:
    items = [Document("x", {"v": 1}, "there"), BadLine("file:3", "torn")]
    assert list(documents_from(items)) == items
    made = documents_from(ROWS, make_ids=True)
    assert documents_from(made) is made


def test_two_fields_of_one_name_are_one_too_many() -> None:
    (bad,) = documents_from([{"id": 1, 2: "a", "2": "b"}])
    assert str(bad) == "row 1: field '2' is there twice"


def test_what_is_missing_in_a_table_is_left_out() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "n": [1.5, math.nan],
            "i": pd.array([1, None], dtype="Int64"),
            "at": pd.to_datetime(["2020-05-01", None]),
            "t": [None, "text"],
        }
    )
    assert list(documents_from(frame)) == [
        Document("a", {"n": 1.5, "i": 1, "at": "2020-05-01T00:00:00"}, "row 1"),
        Document("b", {"t": "text"}, "row 2"),
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.arange(3, dtype=np.float32), [0.0, 1.0, 2.0]),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (datetime.date(2020, 5, 1), "2020-05-01"),
        ((1, {"a": np.int8(2)}), [1, {"a": 2}]),
        (np.datetime64("2020-05-01T10:00:00", "ns"), "2020-05-01T10:00:00"),
        (np.array(["2020-05-01"], "datetime64[ns]"), ["2020-05-01T00:00:00"]),
        (None, None),
    ],
)
def test_values_become_those_of_json(value: Any, written: Any) -> None:
    (document,) = documents_from([{"id": 1, "v": value}])
    assert isinstance(document, Document)
    assert document.fields == {"v": written}
    assert type(document.fields["v"]) is type(written)


@pytest.mark.parametrize(
    "value",
    [
        datetime.date(2020, 5, 1),
        decimal.Decimal("1.5"),
        uuid.UUID(int=1),
        np.float32(0.5),
        (np.int8(2), {"a": np.arange(2)}),
        math.nan,
    ],
)
def test_a_document_has_the_values_that_its_row_has(value: Any) -> None:
    (row,) = documents_from([{"id": 1, "v": value}])
    assert isinstance(row, Document)
    (document,) = documents_from([Document("1", {"v": value}, "there")])
    assert document == Document("1", row.fields, "there")
    assert json.dumps(document.fields) == json.dumps(row.fields)


def test_a_document_that_json_cannot_hold_is_a_bad_line() -> None:
    documents = [Document("1", {"v": b"a"}), Document("2", {"v": b"a"}, "there"), Document("3")]
    assert [str(item) for item in documents_from(documents)][:2] == [
        "row 1: field 'v' holds a value of type bytes, which JSON cannot hold",
        "there: field 'v' holds a value of type bytes, which JSON cannot hold",
    ]


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"bytes", "field 'v' holds a value of type bytes, which JSON cannot hold"),
        (
            np.timedelta64(3, "ns"),
            "field 'v' holds a value of type timedelta, which JSON cannot hold",
        ),
        (object(), "field 'v' holds a value of type object, which JSON cannot hold"),
        (math.inf, "field 'v' holds inf, which is no number in JSON"),
        ([1.0, math.nan], "field 'v' holds nan, which is no number in JSON"),
        (np.array([1.0, np.nan]), "field 'v' holds nan, which is no number in JSON"),
        ("\ud800", "field 'v' holds a lone surrogate, which no UTF-8 can hold"),
        (nested(1500), "field 'v' is nested too deeply"),
    ],
)
def test_a_value_that_json_cannot_hold_names_row_and_field_and_the_rest_goes_on(
    value: Any, said: str
) -> None:
    first, bad, last = documents_from([{"id": 1}, {"id": 2, "v": value}, {"id": 3}])
    assert (first, last) == (Document("1", {}, "row 1"), Document("3", {}, "row 3"))
    assert str(bad) == f"row 2: {said}"


def test_what_is_no_row_names_its_place() -> None:
    assert [str(item) for item in documents_from([1, "id"])] == [
        "row 1: a document is a dict, this is a int",
        "row 2: a document is a dict, this is a str",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (3, "documents cannot be read from a int"),
        (b"a.jsonl", "documents cannot be read from a bytes"),
        (None, "documents cannot be read from a NoneType"),
        (Document("x"), "documents cannot be read from a Document"),
        ({"id": 1}, "a dict with 'id' is no documents"),
        (
            datasets.DatasetDict(
                {"train": datasets.Dataset.from_list(ROWS), "test": datasets.Dataset.from_list([])}
            ),
            "a DatasetDict with 'train', 'test' is no documents; give one of what it holds",
        ),
        (pd.DataFrame([[1, 2]], columns=["id", "id"]), "has 2 columns 'id'"),
    ],
)
def test_what_holds_no_rows_is_one_line(source: Any, said: str) -> None:
    with pytest.raises(CollectionError, match=re.escape(said)) as error:
        documents_from(source)
    assert "\n" not in str(error.value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "ü", "title"]), json_values))
def test_an_id_made_of_the_content_is_that_of_the_content_alone(fields: dict[str, Any]) -> None:
    first, again, other = documents_from(
        [fields, dict(reversed(fields.items())), {**fields, "more": 1}], make_ids=True
    )
    assert isinstance(first, Document)
    assert isinstance(again, Document)
    assert isinstance(other, Document)
    assert first.fields == fields
    assert re.fullmatch("[0-9a-f]{32}", first.id)
    assert first.id == again.id != other.id


def test_ids_are_made_only_where_there_is_none() -> None:
    kept, made, bad = documents_from([{"id": "x"}, {"t": 1}, {"id": 1.5}], make_ids=True)
    assert isinstance(kept, Document)
    assert isinstance(made, Document)
    assert kept.id == "x"
    assert made.id == "4834945f7bf91f82efc5cf881d902ec1"  # SHA-256 of {"t":1}
    assert str(bad) == "row 3: id is 1.5; it must be a string or a whole number"


def test_a_path_is_read_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"pk": 1, "body": "t"}\n{"body": "u"}\n')
    for source in (path, str(path)):
        assert list(documents_from(source, id="pk", rename={"body": "text"})) == [
            Document("1", {"text": "t"}, f"{path}:1"),
            BadLine(f"{path}:2", "no pk"),
        ]
