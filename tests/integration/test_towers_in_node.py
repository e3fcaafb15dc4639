"""Two towers, and graphs that others exported, in the node: as here, and listed as they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch

from conftest import serving
from densehook.bundle import QUERIES, Bundle
from densehook.collections import Sample
from densehook.elastic.cluster import encoders_of, reload_encoders
from densehook.encode import Encoder, load
from densehook.export import find_files, import_bundle, imported_recipe
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.export.variants import build_variant
from densehook.hooks import Reading, index_request
from densehook.hooks.kinds.dense import parsed
from densehook.index import Index
from densehook.node import NodeState
from densehook.tune import pair_bundles

DOCUMENTS = [{"_id": str(n), "text": text} for n, text in enumerate(PASSAGES)]


@pytest.fixture(scope="module")
def towers(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("towers")
    small = build_variant(tiny_bundle, "int8-static", folder / "small", PASSAGES)
    queries = {f"q{n}": text for n, text in enumerate(QUESTIONS)}
    corpus = Sample("passages", [d["_id"] for d in DOCUMENTS], PASSAGES, queries, {}, len(PASSAGES))
    return pair_bundles(tiny_bundle.path, small.path, folder / "towers", corpus).bundle


@pytest.fixture(scope="module")
def imported(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The tiny encoder's graph, as if somebody else had exported it."""
    folder = tmp_path_factory.mktemp("imported")
    files = find_files(tiny_bundle.path)
    recipe = imported_recipe(tiny_bundle.path, name="imported", max_tokens=64)
    return import_bundle(files, recipe, folder / "imported")


@pytest.fixture(scope="module")
def es(
    plugin_node: NodeState, tiny_bundle: Bundle, towers: Bundle, imported: Bundle
) -> Iterator[Elasticsearch]:
    """A node that has both, and the document tower alone."""
    with serving(plugin_node, tiny_bundle, towers, imported) as client:
        yield client


def encoded(es: Elasticsearch, encoder: str, role: str) -> np.ndarray:
    body = {"encoder": encoder, "role": role, "texts": [*PASSAGES[:8], *QUESTIONS[:4]]}
    headers = {"accept": "application/json", "content-type": "application/json"}
    answer = es.perform_request("POST", "/_densehook/_encode", headers=headers, body=body)
    return np.array([each["vector"] for each in answer["texts"]])


@pytest.mark.parametrize("role", ["query", "document"])
def test_each_role_has_its_tower(es: Elasticsearch, towers: Bundle, role: str) -> None:
    here = load(towers.path).encode_counted([*PASSAGES[:8], *QUESTIONS[:4]], role).vectors
    np.testing.assert_allclose(encoded(es, "towers", role), here, atol=1e-5)


def test_a_node_says_the_space_and_that_nothing_proves_a_graph(
    es: Elasticsearch, towers: Bundle, tiny_bundle: Bundle, imported: Bundle
) -> None:
    found = {each.name: each for each in encoders_of(es) or ()}
    assert found["towers"].fingerprint == towers.manifest.fingerprint
    assert found["towers"].space == tiny_bundle.manifest.fingerprint
    assert found["tiny-bert"].space == found["tiny-bert"].fingerprint
    assert (found["imported"].proof, found["towers"].proof) == ("none", "")
    here = load(imported.path).encode_documents(PASSAGES[:8])
    np.testing.assert_allclose(encoded(es, "imported", "document")[:8], here, atol=1e-5)


def test_an_index_of_one_encoder_is_searched_by_a_pair_with_it(
    es: Elasticsearch, plugin_index: str, towers: Bundle, tiny_bundle: Bundle
) -> None:
    made = Index.create(es, plugin_index, load(tiny_bundle.path), inputs=["text"], in_cluster=True)
    assert made.ingest(DOCUMENTS).indexed == len(DOCUMENTS)
    meta = es.indices.get_mapping(index=plugin_index)[plugin_index]["mappings"]["_meta"]
    meta["densehook"]["fields"]["embedding"]["encoder"] = "towers"
    es.indices.put_mapping(index=plugin_index, meta=meta)
    both = load(towers.path)
    found = es.search(
        index=plugin_index,
        query={"dense": {"field": "embedding", "text": QUESTIONS[0], "k": 5}},
        size=5,
    )["hits"]["hits"]
    scores = load(tiny_bundle.path).encode_documents(PASSAGES) @ both.encode_queries(QUESTIONS[0])
    assert [hit["_id"] for hit in found] == [str(n) for n in np.argsort(-scores)[:5]]
    es.index(index=plugin_index, id="new", document={"text": PASSAGES[3]}, refresh=True)
    stored = es.get(index=plugin_index, id="new", source_includes=["densehook"])["_source"]
    assert stored["densehook"]["embedding"]["fingerprint"] == tiny_bundle.manifest.fingerprint
    assert parsed_vector(es, plugin_index, "new") == pytest.approx(
        list(both.encode_documents(PASSAGES[3])), abs=1e-5
    )


def parsed_vector(es: Elasticsearch, index: str, id_: str) -> list[float]:
    hits = es.search(index=index, query={"ids": {"values": [id_]}}, fields=["embedding"])
    return list(parsed(hits["hits"]["hits"][0]["fields"]["embedding"]) or ())


def test_a_bundle_without_its_tower_is_refused_by_the_node(
    plugin_node: NodeState, es: Elasticsearch, towers: Bundle
) -> None:
    folder = plugin_node.config / "densehook" / "towers"
    shutil.rmtree(folder / QUERIES)
    (folder / "encoder.json").write_text((folder / "encoder.json").read_text() + "\n")
    try:
        said = {each.name: each for each in reload_encoders(es)}["towers"].reason
        assert said is not None and "it has no encoder.json" in said
    finally:
        shutil.copytree(towers.path / QUERIES, folder / QUERIES)
        for path in (folder / QUERIES, *(folder / QUERIES).iterdir()):
            path.chmod(0o755)
        (folder / "encoder.json").write_text((towers.path / "encoder.json").read_text())
        reload_encoders(es)


def test_an_encoder_of_another_space_is_refused_a_mapping(
    es: Elasticsearch, minilm: Encoder, towers: Bundle
) -> None:
    body = index_request(minilm.manifest, Reading(["text"]))
    body["mappings"]["_meta"]["densehook"]["fields"]["embedding"]["encoder"] = "towers"
    with pytest.raises(BadRequestError, match=r"encoder \[towers\] is in service here with"):
        es.indices.create(index="elsewhere", mappings=body["mappings"], settings=body["settings"])
