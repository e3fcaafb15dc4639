"""Integrations as far as they go without a cluster, and without the tools that are not here."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.integrations.__main__ import ENVIRONMENTS, MOST_LINES, PLACES, TEMPLATE
from benchmarks.integrations.examples import PAGE, examples
from elasticsearch.dsl import Q, Search

from conftest import ROOT
from densehook import integrations
from densehook.bundle import Bundle
from densehook.encode import Encoder
from densehook.errors import EncoderMismatch, MissingTool, RequestError
from densehook.hooks import read_provenance
from densehook.integrations.dsl import Dense, Hybrid
from densehook.integrations.vectorstore import AsyncDensehookStrategy, DensehookStrategy

FIELDS = {"text_field": "text", "vector_field": "vector"}
TERM = {"term": {"lang": "en"}}
TOOLS = {
    "haystack": ("haystack", "haystack-ai"),
    "langchain": ("langchain_core", "langchain-core"),
    "llama_index": ("llama_index", "llama-index-core"),
    "mteb": ("mteb", "mteb"),
    "pyserini": ("pyserini", "pyserini"),
    "sentence_transformers": ("sentence_transformers", "sentence-transformers"),
}


@pytest.mark.parametrize("name", TOOLS)
def test_without_its_tool_an_integration_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, package = TOOLS[name]
    for known in [each for each in sys.modules if f"{each}.".startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, known)
    monkeypatch.setitem(sys.modules, module, None)
    full = f"{integrations.__name__}.{name}"
    monkeypatch.delitem(sys.modules, full, raising=False)
    with pytest.raises(MissingTool, match=f"^{module}[\\w.]* is not installed, .*{full}") as said:
        importlib.import_module(full)
    assert str(said.value).endswith(f"pip install {package}")
    assert isinstance(said.value, ImportError)


def test_the_page_shows_each_integration_in_few_lines_and_says_what_it_ran_with() -> None:
    page = PAGE.read_text()
    shown = examples(page)
    for each in shown:
        compile(each.code, each.tool, "exec")
        assert each.tool in PLACES
        assert each.lines <= MOST_LINES or each.tool == TEMPLATE, each.tool
    assert {each.tool for each in shown} == set(PLACES)
    table = page.split("| --- | --- | --- | --- |")[1].split("\n\n")[0]
    for pinned in (each for some in ENVIRONMENTS.values() for each in some if "==" in each):
        package, _, version = pinned.partition("==")
        stated = re.search(rf"\| {re.escape(package)} ([\d., ]+) \|", table)
        assert stated is None or version in stated[1].split(", "), pinned
    modules = {path.stem for path in Path(integrations.__file__).parent.glob("[a-z]*.py")}
    for module in modules - {"encoders", "needing"}:
        assert f"`{module}`" in table, module


def query(strategy: DensehookStrategy | AsyncDensehookStrategy, **asked: object) -> dict:
    given = {"query": "cats", "query_vector": None, "k": 3, "num_candidates": 50, **FIELDS}
    return strategy.es_query(**{**given, **asked})  # type: ignore[arg-type]


def test_a_strategy_asks_for_what_an_index_does(tiny_bundle: Bundle) -> None:
    name = tiny_bundle.manifest.name
    strategy = DensehookStrategy(tiny_bundle.path, mode="dense")
    knn = query(strategy, filter=[TERM])["knn"]
    assert knn["query_vector_builder"] == {"densehook": {"text": "cats", "encoder": name}}
    assert (knn["k"], knn["num_candidates"], knn["filter"]) == (3, 200, [TERM])
    assert query(strategy, num_candidates=900)["knn"]["num_candidates"] == 900
    assert query(strategy, query_vector=[1.0])["knn"]["query_vector"] == [1.0]
    bm25 = query(DensehookStrategy(tiny_bundle.path, mode="bm25"))
    assert bm25["query"] == {"match": {"text": "cats"}}
    assert "size" not in bm25  # which the store says itself


@pytest.mark.parametrize("vector", [None, [1.0]])
def test_a_hybrid_strategy_fuses_in_the_cluster(
    tiny_bundle: Bundle, vector: list[float] | None
) -> None:
    weights = {"dense": 2.0}
    strategy = DensehookStrategy(tiny_bundle.path, fusion="linear", weights=weights)
    hybrid = query(strategy, query_vector=vector, filter=[TERM])["retriever"]["hybrid"]
    bm25, dense = hybrid["retrievers"]
    assert (hybrid["fusion"], hybrid["filter"]) == ("linear", [TERM])
    assert bm25 == {"standard": {"query": {"match": {"text": "cats"}}}}
    assert dense["weight"] == 2.0
    asked = dense["retriever"]["knn"]
    assert asked.get("query_vector") == vector
    assert ("query_vector_builder" in asked) == (vector is None)
    # a vector without a text, as for maximal marginal relevance, is all there is to search by
    alone = query(strategy, query=None, query_vector=[1.0])
    assert list(alone["knn"]["query_vector"]) == [1.0]


def test_the_index_of_a_strategy_says_whose_vectors_it_has(tiny_bundle: Bundle) -> None:
    manifest = tiny_bundle.manifest
    for in_cluster in (True, False):
        strategy = DensehookStrategy(tiny_bundle.path, in_cluster=in_cluster, index_type="flat")
        mappings, settings = strategy.es_mappings_settings(num_dimensions=None, **FIELDS)
        nested = {
            "index": {"densehook": {"embed": str(settings.get("index.densehook.embed")).lower()}}
        }
        provenance = read_provenance("i", mappings, nested)
        assert provenance.vector_field("vector").fingerprint == manifest.fingerprint
        assert provenance.vector_field("vector").inputs == ("text",)
        assert provenance.require_bm25() == ("text",)
        assert provenance.in_cluster == in_cluster == (not strategy.needs_inference())
        assert mappings["properties"]["vector"]["index_options"] == {"type": "flat"}
        assert "dynamic" not in mappings  # filters of the stores are on metadata.x.keyword


def test_what_a_strategy_cannot_do_it_says(tiny_bundle: Bundle) -> None:
    here = AsyncDensehookStrategy(tiny_bundle.path, in_cluster=False)
    with pytest.raises(RequestError, match="the store has no embedding to make the query's vector"):
        query(here)
    with pytest.raises(EncoderMismatch, match="gives 32 dims, the store's embedding 7; give"):
        here.es_mappings_settings(num_dimensions=7, **FIELDS)
    with pytest.raises(RequestError, match="the query ' ' has no text"):
        query(here, query=" ")
    with pytest.raises(RequestError, match="mode 'sparse' is unknown"):
        DensehookStrategy(tiny_bundle.path, mode="sparse")
    with pytest.raises(RequestError, match="index type 'ivf' is unknown; known: hnsw"):
        DensehookStrategy(tiny_bundle.path, index_type="ivf")
    assert asyncio.iscoroutinefunction(here.before_index_creation)


def test_a_dsl_search_holds_the_query_and_the_retriever() -> None:
    dense = Dense(field="vector", text="cats", k=3, filter=Q("term", lang="en"))
    body = {"dense": {"field": "vector", "text": "cats", "k": 3, "filter": [TERM]}}
    assert dense.to_dict() == body
    assert Q("dense", field="vector", text="cats", k=3, filter=TERM) == dense
    assert Search().query(dense & Q("match", a="b")).to_dict()["query"]["bool"]["must"][0] == body
    lists = [{"standard": {"query": Q("match", a="b")}}, {"standard": {"query": dense}}]
    search = Search().extra(retriever=Hybrid(retrievers=lists, filter=[Q("term", lang="en")]))
    expected = [{"standard": {"query": {"match": {"a": "b"}}}}, {"standard": {"query": body}}]
    assert search[5:15].to_dict() == {
        "retriever": {"hybrid": {"retrievers": expected, "filter": [TERM]}},
        "from": 5,
        "size": 10,
    }


def test_an_evaluator_of_sentence_transformers_measures_an_encoder(tiny: Encoder) -> None:
    evaluation = pytest.importorskip("sentence_transformers.sentence_transformer.evaluation")
    import torch

    from densehook.integrations.sentence_transformers import DensehookModel

    model = DensehookModel(tiny)
    corpus = {"v": "Vaccines train immunity.", "c": "Cats sleep all day."}
    queries = {f"q-{id_}": text for id_, text in corpus.items()}
    relevant = {f"q-{id_}": {id_} for id_ in corpus}
    measured = evaluation.InformationRetrievalEvaluator(queries, corpus, relevant)(model)
    assert measured[f"{model.similarity_fn_name}_ndcg@10"] == 1.0
    pairs = [*corpus.values()], [*corpus.values()][::-1]
    measured = evaluation.EmbeddingSimilarityEvaluator(*pairs, [0.1, 0.2])(model)
    assert f"pearson_{model.similarity_fn_name}" in measured

    texts = [*corpus.values()]
    expected = tiny.encode_queries(texts)
    tensor = model.encode_query(texts, convert_to_tensor=True)
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_array_equal(tensor.numpy(), expected)
    np.testing.assert_array_equal(model.encode_query(texts), expected)
    rows = model.encode_query(texts, convert_to_numpy=False)
    assert [row.tolist() for row in rows] == expected.tolist()
    np.testing.assert_allclose(
        model.similarity(tensor, tensor), tiny.similarity(expected, expected), atol=1e-6
    )
    with pytest.raises(RequestError, match="cannot have precision='int8'"):
        model.encode(texts, precision="int8")


PROGRAM = """
import os, sys
import numpy as np
import densehook
from densehook.errors import RequestError
from densehook.integrations.pyserini import DensehookDocumentEncoder, DensehookQueryEncoder
from pyserini.encode import DocumentEncoder, QueryEncoder
assert "OPENAI_API_KEY" not in os.environ
encoder = densehook.load(sys.argv[1])
queries, documents = DensehookQueryEncoder(encoder), DensehookDocumentEncoder(encoder)
assert isinstance(queries, QueryEncoder) and isinstance(documents, DocumentEncoder)
np.testing.assert_array_equal(queries.encode("a cat"), encoder.encode_queries("a cat"))
plain = documents.encode(["a cat", "a dog"], max_length=512, fp16=False, add_sep=False)
np.testing.assert_array_equal(plain, encoder.encode_documents(["a cat", "a dog"]))
titled = documents.encode(["a cat"], titles=["Pets"])
np.testing.assert_array_equal(titled, encoder.encode_documents(["Pets a cat"]))
try:
    documents.encode(["a cat"], fp16=True)
except RequestError as refused:
    assert "cannot have fp16=True" in str(refused)
else:
    raise SystemExit("fp16 was not refused")
"""


def test_pyserini_takes_an_encoder_for_its_own(tiny_bundle: Bundle) -> None:
    pytest.importorskip("pyserini")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugin")}
    environment.pop("OPENAI_API_KEY", None)
    done = subprocess.run(  # it starts a JVM
        [sys.executable, "-c", PROGRAM, tiny_bundle.path],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
