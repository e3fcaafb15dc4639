"""Documents are read as a stream; a bad line is named and the rest goes on."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import os
import re
from pathlib import Path

import pytest

from densehook import files
from densehook.collections import BadLine, read_documents, read_run
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
        ('{"title": "t"}', "no _id, no id and no docid"),
        ('{"_id": ""}', "_id is ''; it must be a string or a whole number"),
        ('{"_id": true}', "_id is True; it must be"),
        ('{"_id": 1.5}', r"_id is 1\.5; it must be"),
        ('{"_id": "x", "n": NaN}', "NaN is not JSON"),
        (b'{"_id": "\xff"}', "invalid start byte"),
        ('{"_id": "x", "t": "\\ud800"}', "surrogates not allowed"),
        ('{"_id": "x", "t": ' + "[" * 100_000 + "}", "nested too deeply"),
        ('{"_id": "x", "t": ' + "[" * 600 + "]" * 600 + "}", "nested too deeply"),
        ('{"_id": null}', "_id is None; it must be"),
        ('{"_id": ["x"]}', r"_id is \['x'\]; it must be"),
        ('{"_id": "x", "n": -Infinity}', "-Infinity is not JSON"),
        ('{"_id": "x", "n": 1e999}', "1e999 is too large a number"),
        ('{"_id": "x", "_id": "y"}', "key '_id' stands twice in one object"),
        ('{"_id": "x", "o": {"a": 1, "b": 2, "a": 3}}', "key 'a' stands twice in one object"),
        ('{"_id": "x"} {"_id": "y"}', "Extra data"),
        ('{"_id": "x", "t": "a\x0bb"}', "Invalid control character"),
        (b"\x00" * 512, "Expecting value"),
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
    assert bad.origin == f"{path}:2"
    assert re.search(reason, bad.reason)
    assert str(bad).startswith(f"{path}:2: ")


def test_a_surrogate_pair_is_an_ordinary_character(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"_id": "1", "t": "\\ud83d\\ude42"}')
    assert list(read_documents(path)) == [Document("1", {"t": "🙂"}, f"{path}:1")]


def test_as_much_nesting_as_anyone_needs_is_read(tmp_path: Path) -> None:
    rows = ", ".join(['{"a": [1, {"b": []}]}'] * 1000)
    deep = "[" * 400 + "]" * 400
    path = write(tmp_path / "a.jsonl", f'{{"_id": "1", "wide": [{rows}], "deep": {deep}}}')
    assert [type(d) for d in read_documents(path)] == [Document]


def test_blank_lines_count_for_nothing_and_a_last_line_needs_no_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf\r\n{"_id": "1"}\r\n \t\r\n\n{"_id": "2"}')
    assert [(d.id, d.origin) for d in read_documents(path) if isinstance(d, Document)] == [
        ("1", f"{path}:2"),
        ("2", f"{path}:5"),
    ]


def test_a_line_too_long_is_named_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1 << 20)
    long = f'{{"_id": "2", "t": "{"x" * 3_000_000}"}}'
    path = write(tmp_path / "a.jsonl", '{"_id": "1"}', long, '{"_id": "3"}')
    first, bad, last = read_documents(path)
    assert isinstance(first, Document)
    assert str(bad) == f"{path}:2: the line is longer than 1,048,576 bytes"
    assert last == Document("3", {}, f"{path}:3")


def test_a_byte_order_mark_is_not_content(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b'\xef\xbb\xbf{"_id": "1"}')
    assert [type(d) for d in read_documents(path)] == [Document]


def test_reading_is_lazy(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *(f'{{"_id": {n}}}' for n in range(100_000)))
    assert len(list(itertools.islice(read_documents(path), 3))) == 3


GOOD = "".join(f'{{"_id": "{n}", "t": "{n * 7919 % 1000}"}}\n' for n in range(3000)).encode()
ARCHIVE = gzip.compress(GOOD, mtime=0)


def damaged_block(archive: bytes) -> bytes:
    return archive[:2000] + b"\xff" * 200 + archive[2200:]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ARCHIVE[:-20], "cannot be read to its end: Compressed file ended before"),
        (ARCHIVE[:12], "cannot be read to its end: Compressed file ended before"),
        (ARCHIVE[:-8] + b"\0\0\0\0" + ARCHIVE[-4:], "cannot be read to its end: CRC check failed"),
        (ARCHIVE[:-4] + b"\0\0\0\0", "cannot be read to its end: Incorrect length"),
        (damaged_block(ARCHIVE), "cannot be read to its end: "),
        (ARCHIVE + b"more", "cannot be read to its end: behind the end of its gzip stream is"),
        (GOOD, "cannot be read: it is not gzip, whatever its name says"),
        (b"", "cannot be read: it is empty"),
        (b"\x1f", "cannot be read: it is not gzip"),
        (gzip.compress("{}".encode("utf-16"), mtime=0), "cannot be read: it is UTF-16 text"),
    ],
)
def test_a_damaged_archive_is_an_error_that_names_the_file(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(CollectionError, match=re.escape(f"{path} {reason}")) as error:
        list(read_documents(path))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=f"^there is no file {tmp_path / 'a.trec'}$"):
        read_run(tmp_path / "a.trec")
    with pytest.raises(CollectionError, match=f"^{tmp_path} cannot be opened: Is a directory$"):
        read_run(tmp_path)


def test_archives_behind_each_other_and_one_named_otherwise_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(ARCHIVE + gzip.compress(b'{"_id": "last"}') + b"\0" * 512)
    *most, last = read_documents(path)
    assert (len(most), last) == (3000, Document("last", {}, f"{path}:3001"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bz2.compress(GOOD), "is compressed with bzip2; decompress it first"),
        (lzma.compress(GOOD), "is compressed with xz; decompress it first"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "is compressed with zstd; decompress it first"),
        (GOOD.decode().encode("utf-16"), "is UTF-16 text; write it as UTF-8"),
    ],
)
def test_what_is_no_text_is_one_error_and_not_one_a_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(CollectionError, match=re.escape(f"{path} cannot be read: it {reason}")):
        list(read_documents(path))


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="no such file or folder"):
        list(read_documents(tmp_path / "none"))
    with pytest.raises(CollectionError, match=r"holds none of \.jsonl"):
        list(read_documents(tmp_path))
    with pytest.raises(CollectionError, match="it is no file and no folder"):
        list(read_documents(Path(os.devnull)))
    with pytest.raises(CollectionError, match="File name too long"):
        list(read_documents(tmp_path / ("x" * 5000)))
    (tmp_path / "b.jsonl").mkdir()
    with pytest.raises(CollectionError, match=r"b\.jsonl cannot be opened: Is a directory"):
        list(read_documents(tmp_path))
