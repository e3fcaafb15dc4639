"""Impact vectors in files: what is no document with weights is one line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from densehook.collections.impacts import Impacts, read_impacts, write_impacts
from densehook.errors import CollectionError

ROWS = [
    Impacts("d1", "cats sleep", {"cat": 12, "##s": 0.5}),
    Impacts("d2", "猫\nand dogs", {"猫": 255, "u.s.": 1}),
]


def test_documents_come_back_as_they_were(tmp_path: Path) -> None:
    assert write_impacts(tmp_path / "i.jsonl", ROWS) == 2
    assert [row._replace(origin="") for row in read_impacts(tmp_path / "i.jsonl")] == ROWS
    first = json.loads((tmp_path / "i.jsonl").read_text().splitlines()[0])
    assert first == {"id": "d1", "contents": "cats sleep", "vector": {"cat": 12, "##s": 0.5}}
    with pytest.raises(CollectionError, match=r"i.jsonl exists already; remove it, or name ano"):
        write_impacts(tmp_path / "i.jsonl", ROWS)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl.gz").write_bytes(
        gzip.compress(b'{"docid": 2, "vector": {"a": 0, "b": 1}}')
    )
    (tmp_path / "a.json").write_text('{"id": "1", "vector": {"a": 3}}\n')
    (tmp_path / "readme.txt").write_text("not one")
    rows = list(read_impacts(tmp_path))
    assert [(row.id, row.weights, row.zeros) for row in rows] == [
        ("1", {"a": 3}, 0),
        ("2", {"b": 1}, 1),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "a"}', "its vector is None; an impact vector is an object with a weight for each"),
        ('{"id": "a", "vector": [1, 2]}', r"its vector is \[1, 2\]; an impact vector is an object"),
        ('{"id": "a", "vector": {"t": "1"}}', "token 't' has the weight '1'; a weight is a number"),
        ('{"id": "a", "vector": {"t": true}}', "token 't' has the weight True; a weight is a numb"),
        ('{"id": "a", "vector": {"t": -1}}', "token 't' has the weight -1; a weight is a number f"),
        ('{"id": "a", "vector": {"": 1}}', "token '' has the weight 1; a weight is a number from"),
        ('{"id": "a", "vector": {"t": 1, "t": 2}}', "key 't' stands twice in one object"),
        ('{"id": "ok", "vector": {"t": 1}}', "id 'ok' is there already; keep one"),
        ('{"vector": {"t": 1}}', "no _id, no id and no docid"),
        ('{"id": "a", "contents": 1, "vector": {"t": 1}}', "contents is 1; it must be text"),
        ('{"id": "a"', "Expecting"),
    ],
)
def test_a_bad_line_is_named(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "ok", "vector": {"t": 1}}\n' + line + "\n")
    with pytest.raises(CollectionError, match=f"bad.jsonl:2: .*{said}") as caught:
        list(read_impacts(path))
    assert "\n" not in str(caught.value)


def test_what_holds_none_and_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=r"no impacts at .*nowhere: no such file or folder"):
        list(read_impacts(tmp_path / "nowhere"))
    with pytest.raises(CollectionError, match="holds no impacts"):
        list(read_impacts(tmp_path))
    with pytest.raises(CollectionError, match=r"i.parquet is a name of no format; write NAME.js"):
        write_impacts(tmp_path / "i.parquet", ROWS)

    def broken():
        yield ROWS[0]
        raise CollectionError("the cluster went away")

    with pytest.raises(CollectionError, match="the cluster went away"):
        write_impacts(tmp_path / "i.jsonl", broken())
    assert list(tmp_path.iterdir()) == []
