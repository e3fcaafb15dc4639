"""Two towers of one space: documents as the large encoder makes them, queries by the small one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from elasticsearch import Elasticsearch
from typer.testing import CliRunner

import densehook
from densehook.bundle import QUERIES, Bundle, read_bundle, write_manifest
from densehook.cli.app import app
from densehook.collections import Sample
from densehook.encode import Engine, load
from densehook.errors import BundleError, ExportError, GateError, SelfTestError
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.export.variants import build_variant
from densehook.tune import pair_bundles

IDS = [str(n) for n in range(len(PASSAGES))]
CORPUS = Sample(
    name="passages",
    ids=IDS,
    documents=list(PASSAGES),
    queries={f"q{n}": text for n, text in enumerate(QUESTIONS)},
    qrels={f"q{n}": {IDS[n]: 1} for n in range(len(QUESTIONS))},
    of=len(PASSAGES),
)


@pytest.fixture(scope="module")
def small(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Another graph that gives nearly the vectors of the tiny bundle."""
    output = tmp_path_factory.mktemp("small") / "small"
    return build_variant(tiny_bundle, "int8-static", output, PASSAGES)


@pytest.fixture(scope="module")
def towers(tiny_bundle: Bundle, small: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    output = tmp_path_factory.mktemp("towers") / "towers"
    return pair_bundles(tiny_bundle.path, small.path, output, CORPUS).bundle


def test_documents_are_the_one_s_and_queries_the_other_s(
    towers: Bundle, tiny_bundle: Bundle, small: Bundle
) -> None:
    both, large, little = load(towers.path), load(tiny_bundle.path), load(small.path)
    for texts in (PASSAGES, QUESTIONS):
        documents = large.encode_documents(texts)
        queries = little.encode_queries(texts)
        np.testing.assert_array_equal(both.encode_documents(texts), documents)
        np.testing.assert_array_equal(both.encode_queries(texts), queries)
        assert not np.array_equal(queries, large.encode_queries(texts))
        np.testing.assert_array_equal(both.encode_each(texts, "query").vectors, queries)
        np.testing.assert_array_equal(both.encode_counted(texts, "document").vectors, documents)
        streamed = [vector for _, vector in both.encode_stream(enumerate(texts), "query")]
        np.testing.assert_array_equal(np.stack(streamed), queries)
    with Engine(towers) as engine:
        one = little.encode_queries(["water"])[0]
        np.testing.assert_allclose(engine.encode_query("water"), one, atol=1e-6)


def test_the_space_is_that_of_the_documents_whatever_tower_queries_have(
    towers: Bundle, tiny_bundle: Bundle, small: Bundle
) -> None:
    manifest = towers.manifest
    assert manifest.space == tiny_bundle.manifest.fingerprint == tiny_bundle.manifest.space
    assert manifest.fingerprint not in (manifest.space, small.manifest.fingerprint)
    assert manifest.queries == small.manifest.fingerprint
    assert read_bundle(towers.path).manifest == manifest
    assert replace(manifest, queries="sha256:other").space == manifest.space


def test_what_the_second_tower_costs_is_measured_and_kept(
    tiny_bundle: Bundle, small: Bundle, tmp_path: Path
) -> None:
    made = pair_bundles(tiny_bundle.path, small.path, tmp_path / "b", CORPUS, name="both")
    assert made.cosine > 0.9
    assert made.alone is not None and made.paired is not None
    said = json.loads((tmp_path / "b" / "parity.json").read_text())
    assert said["towers"]["ndcg@10"] == {"alone": made.alone, "paired": made.paired}
    assert said["lowest_cosine"] > 0.99  # the document tower's own proof
    assert made.bundle.manifest.name == "both"


def test_encoders_of_two_spaces_are_no_pair(
    tiny_bundle: Bundle,
    other_tiny_bundle: Bundle,
    minilm_bundle: Bundle,
    towers: Bundle,
    tmp_path: Path,
) -> None:
    output = tmp_path / "none"
    with pytest.raises(GateError, match=r"are not of one space: their vectors of one query have"):
        pair_bundles(tiny_bundle.path, other_tiny_bundle.path, output, CORPUS)
    with pytest.raises(BundleError, match=r"dense of 32 dims .* dense of 384 dims: they cannot be"):
        pair_bundles(tiny_bundle.path, minilm_bundle.path, output, CORPUS)
    with pytest.raises(ExportError, match="has a tower for queries already"):
        pair_bundles(towers.path, tiny_bundle.path, output, CORPUS)
    with pytest.raises(BundleError, match="has a tower for queries itself"):
        pair_bundles(tiny_bundle.path, towers.path, output, CORPUS)
    with pytest.raises(ExportError, match="itself, or holds it"):
        pair_bundles(tiny_bundle.path, towers.path, towers.path.parent, CORPUS)
    assert not output.exists()


def test_a_damaged_tower_is_refused(
    towers: Bundle, other_tiny_bundle: Bundle, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(towers.path, tmp_path / "copy"))
    shutil.rmtree(copy / QUERIES)
    with pytest.raises(BundleError, match=r"no bundle at .*queries: encoder.json is missing"):
        load(copy)
    shutil.copytree(other_tiny_bundle.path, copy / QUERIES)
    with pytest.raises(BundleError, match=r"queries is sha256:\w+, the manifest says sha256:\w+"):
        load(copy)
    queries = other_tiny_bundle.manifest.fingerprint
    write_manifest(copy, replace(towers.manifest, queries=queries), towers.manifest.files)
    with pytest.raises(SelfTestError, match=r"the tokenizer gives|cosine"):
        load(copy)


def test_an_index_of_the_documents_encoder_is_searched_by_both_towers(
    client: Elasticsearch, index: str, towers: Bundle, tiny_bundle: Bundle, small: Bundle
) -> None:
    made = densehook.Index.create(client, index, load(tiny_bundle.path), inputs=["text"])
    made.ingest([{"_id": id_, "text": text} for id_, text in zip(IDS, PASSAGES, strict=True)])
    both = densehook.Index.open(client, index, load(towers.path))
    found = [hit.id for hit in both.search(QUESTIONS[0], mode="dense", size=5)]
    vectors = load(tiny_bundle.path).encode_documents(PASSAGES)
    query = load(small.path).encode_queries(QUESTIONS[0])
    expected = [IDS[place] for place in np.argsort(-(vectors @ query), kind="stable")[:5]]
    assert found == expected
    again = both.ingest([{"_id": "new", "text": PASSAGES[0]}])
    assert again.indexed == 1


def test_the_command_says_what_it_measured(
    tiny_bundle: Bundle, small: Bundle, tmp_path: Path, make_judged: Callable[[Path], Path]
) -> None:
    arguments = ["pair", str(tiny_bundle.path), str(small.path), str(tmp_path / "both")]
    arguments += ["--collection", str(make_judged(tmp_path / "judged"))]
    done = CliRunner().invoke(app(["pair"]), arguments)
    assert done.exit_code == 0, done.output
    assert "both: both, 32 dims, documents as sha256:" in done.output
    assert "cosine of both towers' vectors of one query: " in done.output
    assert "with the first for both," in done.output


@pytest.fixture
def make_judged() -> Callable[[Path], Path]:
    """Writes the passages and questions as a BEIR folder."""

    def make(folder: Path) -> Path:
        (folder / "qrels").mkdir(parents=True)
        documents = [{"_id": i, "text": t} for i, t in zip(IDS, PASSAGES, strict=True)]
        queries = [{"_id": q, "text": t} for q, t in CORPUS.queries.items()]
        for name, rows in (("corpus", documents), ("queries", queries)):
            (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        judged = [f"{q}\t{d}\t1\n" for q, own in CORPUS.qrels.items() for d in own]
        (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))
        return folder

    return make
