"""Documents are read as a stream; a bad line is named and the rest goes on."""

from __future__ import annotations

import gzip
import itertools
import re
from pathlib import Path

import pytest

from densehook.elastic.documents import BadLine, count_documents, read_documents
from densehook.errors import CollectionError
from densehook.types import Document


def write(path: Path, *lines: str | bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join((x.encode() if isinstance(x, str) else x) + b"\n" for x in lines))
    return path


def test_the_id_comes_from_either_key_and_the_rest_are_fields(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        '{"_id": "x", "title": "T", "text": "t"}',
        '{"id": 7, "n": {"a": [1]}}',
    )
    assert list(read_documents(path)) == [
        Document("x", {"title": "T", "text": "t"}, f"{path}:1"),
        Document("7", {"n": {"a": [1]}}, f"{path}:2"),
    ]


def test_gzip_reads_as_plain(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"_id": "x"}\n\n{"_id": "y"}\n'))
    assert [d.id for d in read_documents(path) if isinstance(d, Document)] == ["x", "y"]
    assert count_documents(path) == 2


def test_a_beir_folder_gives_its_corpus_and_not_its_queries(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl", '{"_id": "d"}')
    write(tmp_path / "queries.jsonl", '{"_id": "q"}')
    assert [d.id for d in read_documents(tmp_path) if isinstance(d, Document)] == ["d"]


def test_a_folder_gives_its_files_in_order_of_name(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", '{"_id": "2"}')
    write(tmp_path / "a.jsonl", '{"_id": "1"}')
    assert [d.id for d in read_documents(tmp_path) if isinstance(d, Document)] == ["1", "2"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"_id": "x"', "Expecting ',' delimiter"),
        ("[1, 2]", "a document is a JSON object, this is a list"),
        ('{"title": "t"}', "no _id and no id"),
        ('{"_id": ""}', "_id is ''; it must be a string or a whole number"),
        ('{"_id": true}', "_id is True; it must be"),
        ('{"_id": 1.5}', r"_id is 1\.5; it must be"),
        ('{"_id": "x", "n": NaN}', "NaN is not JSON"),
        (b'{"_id": "\xff"}', "invalid start byte"),
        ('{"_id": "x", "t": "\\ud800"}', "surrogates not allowed"),
        ('{"_id": "x", "t": ' + "[" * 100_000 + "}", "nested too deeply"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(
    tmp_path: Path, line: str | bytes, reason: str
) -> None:
    path = write(tmp_path / "a.jsonl", '{"_id": "1"}', line, '{"_id": "3"}')
    first, bad, last = read_documents(path)
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert isinstance(bad, BadLine)
    assert (bad.line, bad.path) == (2, path)
    assert re.search(reason, bad.reason)
    assert str(bad).startswith(f"{path}:2: ")


def test_a_surrogate_pair_is_an_ordinary_character(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"_id": "1", "t": "\\ud83d\\ude42"}')
    assert list(read_documents(path)) == [Document("1", {"t": "🙂"}, f"{path}:1")]


def test_a_byte_order_mark_is_not_content(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b'\xef\xbb\xbf{"_id": "1"}')
    assert [type(d) for d in read_documents(path)] == [Document]


def test_reading_is_lazy(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *(f'{{"_id": {n}}}' for n in range(100_000)))
    assert len(list(itertools.islice(read_documents(path), 3))) == 3


def test_a_truncated_archive_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"_id": "x"}\n' * 10_000)[:-20])
    with pytest.raises(CollectionError, match=r"a\.jsonl\.gz cannot be read to its end"):
        list(read_documents(path))


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="there is no such file or folder"):
        list(read_documents(tmp_path / "none"))
    with pytest.raises(CollectionError, match=r"holds no \.jsonl"):
        list(read_documents(tmp_path))
