"""Whatever is wrong with a file: each line is a value or reported, and nothing else is raised."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from densehook.collections import (
    BadLine,
    open_collection,
    read_documents,
    read_qrels,
    read_run,
)
from densehook.errors import CollectionError
from densehook.files import text_lines
from densehook.types import Document

FILES_MAGIC = (
    b"BZh",
    b"\xfd7z",
    b"\x28\xb5",
    b"PK",
    b"PAR1",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\x1f\x8b",
)
GOOD = [f'{{"_id": "{n}", "title": "T{n}", "text": "{"words é " * (n % 7)}"}}' for n in range(40)]

damage = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "double"]),
        st.integers(0, 10_000),
        st.binary(min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def spoiled(content: bytes, steps: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, extra in steps:
        at = place % (len(content) or 1)
        if kind == "flip" and content:
            content = content[:at] + bytes([content[at] ^ (extra[0] or 1)]) + content[at + 1 :]
        elif kind == "cut":
            content = content[:at]
        elif kind == "insert":
            content = content[:at] + extra + content[at:]
        else:
            content = content[:at] + content[at // 2 :]
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


def shown(content: bytes) -> dict[int, bytes]:
    """The lines that hold something, by number."""
    lines = [line.removeprefix(b"\xef\xbb\xbf").strip() for line in content.split(b"\n")]
    return {number: line for number, line in enumerate(lines, start=1) if line}


@given(steps=damage, ends=st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_every_line_of_documents_is_a_document_or_a_bad_line(
    folder: Path, steps: list[tuple[str, int, bytes]], ends: str
) -> None:
    content = spoiled(ends.join(GOOD).encode(), steps)
    path = folder / "a.jsonl"
    path.write_bytes(content)
    if content.startswith(FILES_MAGIC):
        return
    found = list(read_documents(path))
    lines = shown(content)
    assert len(found) == len(lines)
    intact = {line.encode() for line in GOOD}
    for (number, line), item in zip(lines.items(), found, strict=True):
        if isinstance(item, BadLine):
            assert item.origin == f"{path}:{number}"
            assert line not in intact
            assert "\n" not in str(item)
        else:
            row = json.loads(line)
            assert item.origin == f"{path}:{number}"
            assert item.id in (row.get("_id"), str(row.get("id")), str(row.get("_id")))


@given(content=st.binary(max_size=300))
def test_no_bytes_at_all_stop_the_reader(folder: Path, content: bytes) -> None:
    path = folder / "any.jsonl"
    path.write_bytes(content)
    if not content.startswith(FILES_MAGIC):
        assert all(isinstance(item, BadLine | Document) for item in read_documents(path))


ARCHIVE = gzip.compress("\n".join(GOOD * 20).encode())


@given(steps=damage)
def test_a_damaged_archive_is_read_whole_or_refused(
    folder: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    content = spoiled(ARCHIVE, steps)
    path = folder / "a.jsonl.gz"
    path.write_bytes(content)
    try:
        found = list(read_documents(path))
    except CollectionError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:  # the damage is where gzip keeps a name and a date
        assert len(found) == len(GOOD) * 20
        assert not any(isinstance(item, BadLine) for item in found)


words = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=6)
judgements = st.dictionaries(st.tuples(words, words), st.integers(-2, 4), min_size=1, max_size=12)


@given(
    judged=judgements,
    header=st.sampled_from(["", "query-id\tcorpus-id\tscore", "qid 0 docno rel"]),
    parted=st.sampled_from(["\t", " ", "   "]),
    ends=st.sampled_from(["\n", "\r\n", "\n\n", "\t\n"]),
    grade=st.sampled_from(["{}", "{}.0", "{}."]),
    trec=st.booleans(),
    bom=st.booleans(),
    packed=st.booleans(),
)
def test_judgements_written_in_any_way_are_all_there(
    folder: Path,
    judged: dict[tuple[str, str], int],
    header: str,
    parted: str,
    ends: str,
    grade: str,
    trec: bool,
    bom: bool,
    packed: bool,
) -> None:
    rows = [
        parted.join([query, *(["0"] if trec else []), document, grade.format(value)])
        for (query, document), value in judged.items()
    ]
    if header and (len(header.split()) == 4) == trec:
        rows.insert(0, header)
    content = ends.join(rows).encode("utf-8-sig" if bom else "utf-8")
    path = folder / "qrels"
    path.write_bytes(gzip.compress(content) if packed else content)
    found = read_qrels(path)
    assert {(q, d): g for q, row in found.items() for d, g in row.items()} == judged


ROWS = "".join(f"q{n % 5}\td{n}\t{n % 3}\n" for n in range(30)).encode()


@example(steps=[("insert", 0, b"\x00\x0b")])  # white space, but none that parts columns
@given(steps=damage)
def test_no_judgement_of_a_damaged_file_is_lost_without_a_word(
    folder: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    content = spoiled(ROWS, steps)
    path = folder / "damaged-qrels"
    path.write_bytes(content)
    found = rows_or_error(path, read_qrels)
    if found is not None:
        for line in shown(content).values():
            row = line.decode()
            columns = row.split("\t") if "\t" in row else row.split()
            query, *_, document, grade = (column.strip() for column in columns)
            assert found[query][document] == float(grade)


RUN = "".join(f"q{n % 5} Q0 d{n} {n} {1 / (n + 1)!r} tag\n" for n in range(30)).encode()


@given(steps=damage)
def test_no_line_of_a_damaged_run_is_lost_without_a_word(
    folder: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    content = spoiled(RUN, steps)
    path = folder / "run"
    path.write_bytes(content)
    found = rows_or_error(path, read_run)
    if found is not None:
        assert sum(map(len, found.values())) == len(shown(content))


@given(steps=damage)
def test_texts_are_read_or_the_line_is_named(
    folder: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    content = spoiled("\n".join(["some words", "é and ü", "more"] * 9).encode(), steps)
    path = folder / "texts"
    path.write_bytes(content)
    found = rows_or_error(path, lambda path: dict(text_lines(path)))
    if found is not None:
        assert list(found) == list(shown(content))


def rows_or_error(path: Path, read: Callable[[Path], Any]) -> Any:
    try:
        return read(path)
    except CollectionError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
        return None


@settings(max_examples=40)
@given(
    name=st.sampled_from(["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"]),
    steps=damage,
    packed=st.booleans(),
)
def test_a_collection_opens_whole_or_says_which_file_is_wrong(
    folder: Path, name: str, steps: list[tuple[str, int, bytes]], packed: bool
) -> None:
    beir = folder / "beir"
    (beir / "qrels").mkdir(parents=True, exist_ok=True)
    whole = {
        "corpus.jsonl": "\n".join(GOOD).encode(),
        "queries.jsonl": b'{"_id": "q", "text": "which"}\n{"_id": "unjudged"}\n',
        "qrels/test.tsv": b"query-id\tcorpus-id\tscore\nq\t1\t1\nq\t2\t0\n",
    }
    for each, content in whole.items():
        for file in (beir / each, beir / f"{each}.gz"):
            file.unlink(missing_ok=True)
        written = gzip.compress(content) if packed else content
        target = beir / (f"{each}.gz" if packed else each)
        target.write_bytes(spoiled(written, steps) if each == name else written)
    try:
        collection = open_collection(beir)
        documents = list(collection.documents())
    except CollectionError as error:
        assert "\n" not in str(error)
    else:
        assert documents
        assert all(collection.queries[query].strip() for query in collection.qrels)
