"""Runs are called as their files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from densehook.cli.measure import read_runs


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("run.v1.2", "run.v1.2"),
        ("run.v1.2.trec", "run.v1.2"),
        ("run.v1.2.trec.gz", "run.v1.2"),
        ("input.team.gz", "input.team"),
        ("BM25.TXT", "BM25"),
        ("bm25.k1=0.9", "bm25.k1=0.9"),
        (".trec", ".trec"),
        ("trec", "trec"),
    ],
)
def test_only_the_ending_of_a_file_is_no_part_of_its_name(
    tmp_path: Path, file: str, name: str
) -> None:
    line = b"q Q0 d 1 2.0 t\n"
    (tmp_path / file).write_bytes(gzip.compress(line) if file.endswith(".gz") else line)
    assert list(read_runs([str(tmp_path / file)])) == [name]
