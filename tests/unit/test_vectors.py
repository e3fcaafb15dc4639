"""Files of vectors: what is written is read again to the bit, and a bad one is one line."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.collections.vectors import (
    MadeBy,
    VectorBatch,
    open_vectors,
    shortest,
    write_vectors,
)
from densehook.errors import CollectionError

NAMES = ("v.jsonl", "v.jsonl.gz", "v.parquet", "v")
MAKER = MadeBy("tiny", "sha256:1234", ("title", "text"))
AWKWARD = np.array(
    [[0.1, 1 / 3, 1e-45, -0.0], [3.4028235e38, 1.17549435e-38, 16777216, 7.0385307e-26]],
    dtype=np.float32,
)

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


def batches(*makers: MadeBy | None) -> Iterator[VectorBatch]:
    for number, vector in enumerate(AWKWARD):
        maker = makers[number % len(makers)] if makers else None
        yield VectorBatch([f"d{number} é"], [f"text {number}\nof 猫"], vector[None], [maker])


@given(st.lists(floats, min_size=1, max_size=20))
def test_the_json_of_a_vector_is_the_shortest_that_gives_the_same_float32(
    values: list[float],
) -> None:
    vector = np.array(values, dtype=np.float32)
    written = json.dumps(shortest(vector))
    as_double = np.array(json.loads(written), dtype=np.float64)
    assert as_double.astype(np.float32).tobytes() == vector.tobytes()
    for text, number in zip(json.loads(written, parse_float=str), vector, strict=True):
        digits = len(str(text).lower().split("e")[0].replace("-", "").replace(".", "").strip("0"))
        fewer = [f"{number:.{n}e}" for n in range(max(0, digits - 1))]
        assert all(
            struct.pack("f", float(one)) != number.tobytes() for one in fewer if in_range(one)
        )


def in_range(text: str) -> bool:
    return abs(float(text)) <= float(np.finfo(np.float32).max)


@pytest.mark.parametrize("name", NAMES)
def test_vectors_come_back_to_the_bit_and_say_who_made_them(name: str, tmp_path: Path) -> None:
    write_vectors(tmp_path / name, batches(MAKER))
    read = open_vectors(tmp_path / name)
    for _ in range(2):  # as often as one likes
        rows = list(read.rows())
        assert [row.id for row in rows] == ["d0 é", "d1 é"]
        assert np.stack([row.vector for row in rows]).tobytes() == AWKWARD.tobytes()
    assert read.checked(4, unit=False) == ({"d0 é", "d1 é"}, {MAKER})
    with pytest.raises(CollectionError, match=r"v[.\w]* exists already; remove it, or name anot"):
        write_vectors(tmp_path / name, batches())
    assert [path.name for path in tmp_path.iterdir()] == [name]  # Anserini reads all of a folder


@pytest.mark.parametrize("name", NAMES)
def test_of_vectors_of_several_makers_each_line_keeps_its_own(name: str, tmp_path: Path) -> None:
    write_vectors(tmp_path / name, batches(MAKER, None))
    makers = [row.made_by for row in open_vectors(tmp_path / name).rows()]
    assert makers == ([MAKER, None] if "jsonl" in name else [None, None])


def test_a_file_is_in_the_words_of_pyserini_and_anserini(tmp_path: Path) -> None:
    for name in NAMES:
        write_vectors(tmp_path / name, batches())
    line = json.loads((tmp_path / "v.jsonl").read_text().splitlines()[0])
    text = "text 0\nof 猫"
    assert line == {
        "id": "d0 é",
        "docid": "d0 é",
        "contents": text,
        "vector": pytest.approx([0.1, 1 / 3, 1e-45, 0]),
    }
    table = pyarrow.parquet.read_table(tmp_path / "v.parquet")
    assert table.schema.names == ["docid", "contents", "vector"]
    assert table.column("contents")[0].as_py() == text
    index = faiss.read_index(str(tmp_path / "v" / "index"))
    assert (index.ntotal, index.d, index.metric_type) == (2, 4, faiss.METRIC_INNER_PRODUCT)
    assert (tmp_path / "v" / "docid").read_text() == "d0 é\nd1 é\n"
    assert sorted(path.name for path in (tmp_path / "v").iterdir()) == ["docid", "index"]
    assert gzip.decompress((tmp_path / "v.jsonl.gz").read_bytes()) == (
        (tmp_path / "v.jsonl").read_bytes()
    )


def test_pyserinis_and_anserinis_own_forms_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "encoded"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"docid": "a", "vector": [1, 0.5]}\n')
    (folder / "b.json.gz").write_bytes(
        gzip.compress(b'{"id": 7, "contents": "x", "vector": [2.5]}')
    )
    rows = list(open_vectors(folder).rows())
    assert [(row.id, row.vector.tolist()) for row in rows] == [("a", [1.0, 0.5]), ("7", [2.5])]
    for kind in (
        pyarrow.list_(pyarrow.float64()),
        pyarrow.list_(pyarrow.float32(), 2),
        pyarrow.large_list(pyarrow.float32()),
    ):
        table = pyarrow.table({"id": ["x"], "vector": pyarrow.array([[0.1, 2.0]], kind)})
        pyarrow.parquet.write_table(table, tmp_path / "one.parquet")
        (row,) = open_vectors(tmp_path / "one.parquet").rows()
        assert row.vector.tobytes() == np.array([0.1, 2], dtype=np.float32).tobytes()


def line_of(**row: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "bad.jsonl"
        path.write_text('{"id": "a", "vector": [1, 0]}\n\n' + json.dumps(row) + "\n")
        return path

    return make


def table_of(**columns: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / "bad.parquet")
        return folder / "bad.parquet"

    return make


def faiss_of(docid: str | None, index: faiss.Index | None) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "bad"
        path.mkdir()
        if index is not None:
            faiss.write_index(index, str(path / "index"))
        if docid is not None:
            (path / "docid").write_text(docid)
        return path

    return make


def text_of(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path if path.parent == folder else path.parent

    return make


def with_two() -> faiss.Index:
    index = faiss.IndexFlatIP(2)
    index.add(np.array([[1, 0], [0, 1]], dtype=np.float32))
    return index


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (line_of(id="b"), r"bad.jsonl:3: its vector is None; it must be a list of numbers"),
        (line_of(id="b", vector=[]), r":3: its vector is \[\]; it must be a list of numbers"),
        (line_of(id="b", vector=[1, "2"]), r":3: its vector is \[1, '2'\]; it must be a list"),
        (line_of(id="b", vector=[True, 1]), r":3: its vector is \[True, 1\]; it must be a list"),
        (line_of(id="b", vector={"cat": 1}), r":3: its vector is an object of weights, as of an"),
        (line_of(vector=[1, 0]), r"bad.jsonl:3: no _id, no id and no docid"),
        (line_of(id="a", vector=[0, 1]), r":3: 'a' has a vector already; keep one"),
        (line_of(id="b", vector=[1, 0, 0]), r":3: the vector of 'b' has 3 dims, and the field 2"),
        (line_of(id="b", vector=[1e39, 0]), r":3: the vector of 'b' holds a number that is not f"),
        (line_of(id="b", vector=[1, 1]), r":3: the vector of 'b' has length 1.4142, and a dot_"),
        (text_of("bad.jsonl", '{"id": "a"\n'), r"bad.jsonl:1: Expecting ',' delim"),
        (text_of("bad.jsonl", '{"id": "a", "vector": [NaN]}'), r"bad.jsonl:1: "),
        (text_of("bad.jsonl", ""), r"bad.jsonl holds no vectors"),
        (text_of("bad.jsonl.gz", "no gzip"), r"bad.jsonl.gz cannot be read: it is not gzip"),
        (text_of("bad.tsv", "a\t1"), r"bad.tsv is of no format that holds vectors; what is read"),
        (text_of("bad/x.txt", "a"), r"bad holds no vectors"),
        (text_of("bad.parquet", b"PAR1 and no more"), r"bad.parquet cannot be read to its end"),
        (table_of(vector=[[1.0, 0.0]]), r"bad.parquet has no column 'docid' or 'id'; it has 've"),
        (table_of(docid=["a"]), r"bad.parquet has no column 'vector'; it has 'docid'"),
        (table_of(docid=["a"], vector=["[1]"]), r"has a column 'vector' of string; it must hold"),
        (table_of(docid=["a", "b"], vector=[[1.0, 0], None]), r"row 2: document 'b' has no vect"),
        (table_of(docid=["a"], vector=[[1.0, None]]), r"row 1: the vector of 'a' holds a number"),
        (table_of(docid=[None], vector=[[1.0, 0]]), r"row 1: its id is None; it must be text"),
        (faiss_of("a\nb\n", None), r"bad is no index of Faiss: it lacks the file 'index'"),
        (faiss_of(None, with_two()), r"bad is no index of Faiss: it lacks the file 'docid'"),
        (faiss_of("a\n", with_two()), r"bad has 2 vectors and 1 lines in 'docid'; get it again"),
        (faiss_of("a\na\n", with_two()), r"docid:2: 'a' has a vector already; keep one"),
        (faiss_of("a\n", faiss.IndexHNSWFlat(2, 4)), r"index is of type IndexHNSWFlat; only a"),
        (lambda folder: folder / "nowhere", r"no vectors at .*nowhere: no such file or folder"),
    ],
)
def test_what_cannot_be_read_or_does_not_fit_is_one_line(
    make: Callable[[Path], Path], said: str, tmp_path: Path
) -> None:
    with pytest.raises(CollectionError, match=said) as caught:
        open_vectors(make(tmp_path)).checked(2, unit=True)
    assert "\n" not in str(caught.value)


def test_a_damaged_index_of_faiss_is_one_line(tmp_path: Path) -> None:
    path = faiss_of("a\nb\n", with_two())(tmp_path)
    (path / "index").write_bytes((path / "index").read_bytes()[:-3])
    with pytest.raises(CollectionError, match=r"index cannot be read: ") as caught:
        list(open_vectors(path).rows())
    assert "\n" not in str(caught.value)


def test_files_of_several_formats_are_not_guessed_at(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.jsonl", batches())
    write_vectors(tmp_path / "v.parquet", batches())
    with pytest.raises(CollectionError, match="holds files of several formats; give one of them"):
        open_vectors(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_writing_that_fails_leaves_nothing(name: str, tmp_path: Path) -> None:
    def broken() -> Iterator[VectorBatch]:
        yield from batches()
        raise CollectionError("the cluster went away")

    with pytest.raises(CollectionError, match="the cluster went away"):
        write_vectors(tmp_path / "made" / name, broken())
    assert list((tmp_path / "made").iterdir()) == []


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=r"v.csv is a name of no format; write NAME.jsonl,"):
        write_vectors(tmp_path / "v.csv", batches())
    two_lines = VectorBatch(["a\nb"], [""], AWKWARD[:1], [None])
    with pytest.raises(CollectionError, match=r"id 'a\\nb' cannot stand in 'docid'"):
        write_vectors(tmp_path / "v", iter([two_lines]))
    with pytest.raises(CollectionError, match="there is no vector to write"):
        write_vectors(tmp_path / "v", iter([]))
    (tmp_path / "file").write_text("")
    with pytest.raises(CollectionError, match=r"v.jsonl cannot be written: "):
        write_vectors(tmp_path / "file" / "v.jsonl", batches())


@pytest.mark.parametrize(
    "content", [1, [], {"encoder": "a"}, {"encoder": 1, "fingerprint": "", "input": []}]
)
def test_a_note_of_the_maker_that_is_none_is_one_line(content: object, tmp_path: Path) -> None:
    path = line_of(id="b", vector=[1, 0], made_by=content)(tmp_path)
    with pytest.raises(CollectionError, match=r"bad.jsonl:3: made_by does not say who made the v"):
        open_vectors(path).checked(2, unit=True)
    write_vectors(tmp_path / "v", batches(MAKER))
    (tmp_path / "v" / "densehook.json").write_text(json.dumps(content) + "}")
    with pytest.raises(CollectionError, match=r"densehook.json: made_by is no JSON: "):
        list(open_vectors(tmp_path / "v").rows())
    table = pyarrow.table({"id": ["x"], "vector": [[0.1, 2.0]]})
    kept = table.replace_schema_metadata({"made_by": json.dumps(content)})
    pyarrow.parquet.write_table(kept, tmp_path / "v.parquet")
    with pytest.raises(CollectionError, match=r"v.parquet: made_by does not say who made the vec"):
        list(open_vectors(tmp_path / "v.parquet").rows())
