"""A collection's figures come out of an index that is made, fed and used again; or they do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from command_line import running_in
from densehook.bundle import Bundle
from densehook.encode import Encoder
from densehook.errors import CollectionError, RequestError
from densehook.reproduce import read_regression, reproduce
from tiny_collection import write_beir

pytest.importorskip("pyserini", reason="Pyserini is not installed")

FIGURES = """
title = "Small"
folder = "small"

[[run]]
system = "dense"
encoder = "{encoder}"
expected = {{ "RR@10" = {value} }}
source = "what an evaluation of this index gave"
"""


def test_what_is_expected_comes_out_or_fails(
    client: Elasticsearch,
    node_url: str,
    index: str,
    tiny: Encoder,
    tiny_bundle: Bundle,
    tmp_path: Path,
) -> None:
    folder = write_beir(tmp_path / "small")
    figures = tmp_path / "small.toml"

    def expecting(value: float) -> str:
        figures.write_text(FIGURES.format(encoder=tiny.manifest.name, value=value))
        return str(figures)

    wrong = read_regression(expecting(0.123))
    out = tmp_path / "out"
    done = reproduce(client, wrong, folder, tiny, out, index=index)
    (outcome,) = done.outcomes
    assert (outcome.expected, outcome.passed, done.passed) == (0.123, False, False)
    assert 0 < outcome.measured <= 1
    assert (out / "report.html").is_file()
    run = running_in(tmp_path, DENSEHOOK_ES_URL=node_url)
    command = ("reproduce", expecting(outcome.measured), "--data", ".", "--index", index)
    right = run(*command, "--encoder", tiny_bundle.path)
    assert right.returncode == 0, right.stderr
    assert f"dense   RR@10      {outcome.measured:.4f}    {outcome.measured:.4f}  0.0010  PASS" in (
        right.stdout
    )
    assert "[1] what an evaluation of this index gave" in right.stdout
    expecting(0.123)
    failed = run(*command, "--encoder", tiny_bundle.path)
    assert (failed.returncode, "FAIL" in failed.stdout) == (1, True)
    assert "1 of 1 figures did not come out" in failed.stderr
    absent = run("reproduce", "scifact", "--data", "nowhere")
    assert absent.returncode == 1
    assert "BEIR SciFact is not there: looked for corpus.jsonl, queries.jsonl" in absent.stderr
    with pytest.raises(RequestError, match="is of type flat, not hnsw; name another"):
        reproduce(client, wrong, folder, tiny, out, index=index, index_type="hnsw")
    with pytest.raises(RequestError, match="index type 'bbq_hnsw' has no tolerance; those with"):
        reproduce(client, wrong, folder, tiny, out, index=index, index_type="bbq_hnsw")
    with pytest.raises(RequestError, match=r"nothing is published of .* on BEIR SciFact; there is"):
        reproduce(client, read_regression("scifact"), folder, tiny, out)
    client.index(index=index, id="more", document={"text": "not of this collection"}, refresh=True)
    with pytest.raises(CollectionError, match=rf"{index}' holds \d+ documents, and small has \d+;"):
        reproduce(client, wrong, folder, tiny, out, index=index)
