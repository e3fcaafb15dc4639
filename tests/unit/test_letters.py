"""Letters of what could not be indexed are read again, as they are or mended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from densehook.collections import BadLine, read_letters
from densehook.elastic.bulk import Refusal
from densehook.errors import CollectionError
from densehook.ingest import Failure
from densehook.types import Document


def letters(path: Path, *rows: dict[str, Any] | str) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_a_document_comes_back_whole(tmp_path: Path) -> None:
    document = Document("a\u2028é", {"text": "wäter", "lang": ["en"], "n": 1.5}, "corpus.jsonl:7")
    path = letters(tmp_path / "dead", Failure.of(document, "no day").letter())
    (read,) = read_letters(path, rename={"text": "body"})
    assert read == Document(document.id, document.fields, f"{path}:1")


@pytest.mark.parametrize(
    ("status", "again"), [(400, False), (409, False), (413, False), (429, True), (503, True)]
)
def test_a_second_try_may_do_where_the_cluster_was_at_fault(status: int, again: bool) -> None:
    failure = Failure.refused(Document("a"), Refusal(status, {"reason": "full", "type": "t"}))
    assert json.loads(failure.letter())["again"] is again


def test_a_mended_line_is_read_as_the_source_was(tmp_path: Path) -> None:
    path = letters(
        tmp_path / "dead",
        {"id": "", "reason": "r", "line": '{"pmid": 7, "body": "water"}'},
        {"id": "8", "reason": "r", "line": "{torn", "document": {"text": "ice"}},
    )
    read = list(read_letters(path, id="pmid", rename={"body": "text"}))
    assert read == [
        Document("7", {"text": "water"}, f"{path}:1"),
        Document("8", {"text": "ice"}, f"{path}:2"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{torn", "Expecting property name"),
        ({"line": "{torn"}, "Expecting property name"),
        ({"line": '{"text": "no id"}'}, "no _id, no id and no docid"),
        ({"document": {"text": "water"}}, "id is null; it must be a string"),
        ({"id": 7, "document": {"text": "water"}}, "id is 7; it must be a string"),
        ({"id": "a", "reason": "r"}, "no document and no line; give a file that ingest --failures"),
        ('["a"]', "a document is a JSON object, this is a list"),
    ],
)
def test_a_letter_that_holds_no_document_is_named(
    tmp_path: Path, row: dict[str, Any] | str, reason: str
) -> None:
    path = letters(tmp_path / "dead", {"id": "a", "document": {}}, row)
    good, bad = read_letters(path)
    assert good == Document("a", {}, f"{path}:1")
    assert isinstance(bad, BadLine)
    assert bad.origin == f"{path}:2"
    assert reason in bad.reason
    # once more it is the same, and no document
    again = letters(tmp_path / "again", Failure.unread(bad).letter())
    (still,) = read_letters(again)
    assert isinstance(still, BadLine)
    assert still.reason == bad.reason
    (still,) = read_letters(letters(tmp_path / "more", Failure.unread(still).letter()))
    assert isinstance(still, BadLine)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="there is no file"):
        list(read_letters(tmp_path / "none"))


def test_the_longest_line_fits_into_its_letter(tmp_path: Path) -> None:
    text = '"' * 2**19  # each is escaped, in the letter
    failure = Failure.of(Document("a", {"text": text}), "r")
    (read,) = read_letters(letters(tmp_path / "dead", failure.letter()))
    assert read.fields == {"text": text}  # type: ignore[union-attr]
