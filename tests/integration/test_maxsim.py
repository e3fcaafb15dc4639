"""Token vectors order what any search finds, here and in the cluster, and so through the gate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from elasticsearch import Elasticsearch

from command_line import running_in, succeeded
from conftest import serving
from densehook import Index
from densehook.bundle import Bundle
from densehook.collections import Collection, read_run
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.errors import RequestError
from densehook.export.texts import PASSAGES
from densehook.hooks import Reading, index_request
from densehook.index.asked import Asked
from densehook.index.searching import OfLists
from densehook.migration import Gate, Wanted, migrate
from densehook.multivector import maxsim
from tiny_collection import write_judged

if TYPE_CHECKING:
    from densehook.node import NodeState

DOCUMENTS = [{"_id": f"d{n}", "body": text, "n": n} for n, text in enumerate(PASSAGES[:20])]
QUERY = "how do vaccines work"
WORDS = "vaccine boils vitamin compiler lithium chlorophyll caffeine ice Pacific climate printed"
FIRSTS = ("bm25", "dense", "sparse", "hybrid")
KINDS = ["dense", "sparse", "multi"]
NO_TIES = {"weights": {"bm25": 1, "dense": 1.7, "sparse": 2.3}}
"""Of equal ones the node and Python may have another first."""


@pytest.fixture(scope="module")
def encoders(
    plugin_node: NodeState, m3_bundle: Bundle, pair_bundle: Callable[[str], Bundle]
) -> Iterator[dict[str, Encoder]]:
    """One of three kinds, and one of pairs, in service on the node."""
    with serving(plugin_node, m3_bundle, pair_bundle("bert")):
        yield {"three": load(m3_bundle.path), "pairs": load(pair_bundle("bert").path)}


@pytest.fixture
def there(plugin_client: Elasticsearch, plugin_index: str, encoders: dict[str, Encoder]) -> Index:
    index = Index.create(
        plugin_client,
        plugin_index,
        encoders["three"],
        inputs=["body"],
        kinds=KINDS,
        index_type=["flat", "float32"],
        in_cluster=True,
    )
    assert index.ingest(DOCUMENTS).indexed == len(DOCUMENTS)
    plugin_client.indices.refresh(index=plugin_index)
    return index


def assert_one(here: Any, there: Any) -> None:
    assert [hit.id for hit in here] == [hit.id for hit in there]
    scores = [hit.score for hit in there]
    assert [hit.score for hit in here] == pytest.approx(scores, rel=1e-3)


@pytest.mark.parametrize("first", FIRSTS)
def test_whatever_finds_them_is_ordered_alike_here_and_in_the_cluster(
    there: Index, encoders: dict[str, Encoder], first: str
) -> None:
    three = encoders["three"]
    here = there.encoded_by(three)
    fused = NO_TIES if first == "hybrid" else {}
    asked: dict[str, Any] = {"mode": "maxsim", "first": first, "window": 6, "size": 4, **fused}
    (one, other) = (each.search(WORDS, **asked) for each in (here, there))
    assert len(other) == 4 and all("tokens" not in hit.source for hit in one)
    assert_one(one, other)
    found = {hit.id for hit in there.search(WORDS, mode=first, size=6, window=6, **fused)}
    query = three.of_kind("multi").encode_queries(WORDS)
    bodies = {each["_id"]: each["body"] for each in DOCUMENTS}
    scores = {
        id_: maxsim(query, three.of_kind("multi").encode_documents(bodies[id_])) for id_ in found
    }
    best = sorted(scores.values(), reverse=True)[:4]
    assert [hit.score for hit in other] == pytest.approx(best, rel=1e-3)
    alone = Index.open(there.client, there.name, three, field="tokens")
    assert_one(alone.search(WORDS, **asked), other)
    only = {"range": {"n": {"lt": 5}}}
    filtered = [each.search(WORDS, filter=only, **asked) for each in (here, there)]
    assert {hit.id for hit in filtered[1]} <= {f"d{n}" for n in range(5)}
    assert_one(*filtered)


@pytest.mark.parametrize("mode", [*FIRSTS, "maxsim"])
def test_the_cluster_reranks_what_is_found_here(
    there: Index, encoders: dict[str, Encoder], mode: str
) -> None:
    pairs = encoders["pairs"]
    here = there.encoded_by(encoders["three"])
    more: dict[str, Any] = {"first": "hybrid", **NO_TIES} if mode == "maxsim" else {}
    asked: dict[str, Any] = {"mode": mode, "rerank_window": 5, "size": 5, "window": 8, **more}
    by_cluster = here.search(WORDS, rerank=pairs.manifest.name, **asked)
    assert_one(by_cluster, there.search(WORDS, rerank=pairs.manifest.name, **asked))
    assert_one(here.search(WORDS, rerank=pairs, **asked), by_cluster)
    found = {hit.id for hit in there.search(WORDS, mode=mode, size=5, window=8, **more)}
    assert {hit.id for hit in by_cluster} == found


def test_a_document_is_explained_by_the_window_that_it_is_in_or_not(
    there: Index, encoders: dict[str, Encoder]
) -> None:
    here = there.encoded_by(encoders["three"])
    asked: dict[str, Any] = {"mode": "maxsim", "window": 3, "size": 3}
    hits = there.search(WORDS, **asked)
    others = {hit.id for hit in there.search(WORDS, mode="bm25", size=20)} - {h.id for h in hits}
    for index in (here, there):
        told = index.explain(WORDS, hits[1].id, **asked)
        assert told is not None and told.parts[0].rank == 2
        assert told.parts[0].score == pytest.approx(hits[1].score, rel=1e-3)
        far = index.explain(WORDS, sorted(others)[0], **asked)
        assert far is not None and far.parts[0].rank is None
        assert far.parts[0].score > 0 and far.score == 0  # type: ignore[operator]
        assert index.explain(WORDS, "nobody", **asked) is None


def test_any_system_is_ordered_and_measured(
    there: Index, encoders: dict[str, Encoder], tmp_path: Path
) -> None:
    three = encoders["three"]
    rankings = []
    for each in (None, three):
        searcher = Searcher(there.client, there.name, each, "embedding", cluster_encodes=True)
        found = searcher.search({"q": WORDS}, "maxsim", 1000)["q"]
        assert [hit.id for hit in found] == [
            hit.id for hit in there.search(WORDS, mode="maxsim", size=20)
        ]
        rankings.append(searcher.rescored({"q": WORDS}, searcher.search({"q": WORDS}, "dense", 20)))
    assert [hit.id for hit in rankings[0]["q"]] == [hit.id for hit in rankings[1]["q"]]
    (address,) = there.client.transport.node_pool.all()
    run = running_in(tmp_path, DENSEHOOK_ES_URL=address.base_url)
    write_judged(tmp_path / "judged", {"q": WORDS}, {"q": ["d0"]})
    systems = ("--systems", "maxsim,dense+maxsim,rrf+maxsim", "--field", "embedding")
    succeeded(run("evaluate", "judged", "--index", there.name, *systems, "--output", "report"))
    for name in ("dense+maxsim", "rrf+maxsim"):
        found = read_run(tmp_path / "report" / "runs" / f"{name}.trec")["q"]
        assert [hit.id for hit in found] == [hit.id for hit in rankings[0]["q"]], name
    said = succeeded(
        run("search", there.name, WORDS, "--mode", "maxsim", "--first", "dense", "--json")
    )
    first = there.search(WORDS, mode="maxsim", first="dense")
    assert [hit["id"] for hit in json.loads(said)["hits"]] == [hit.id for hit in first]


def test_one_run_gives_all_that_a_search_takes(there: Index, encoders: dict[str, Encoder]) -> None:
    three = encoders["three"]
    index = there.encoded_by(three)
    (made,) = index.asking.vectors_of([QUERY], Asked(mode="maxsim", first="hybrid"))
    assert isinstance(made, OfLists) and set(made.outputs) == {"dense", "sparse", "maxsim"}
    alone = Index.open(there.client, there.name, three.of_kind("multi"), field="tokens")
    (again,) = alone.asking.vectors_of([QUERY], Asked(mode="maxsim", first="dense"))
    assert isinstance(again, OfLists) and set(again.outputs) == {"dense", "maxsim"}
    np.testing.assert_allclose(again.outputs["maxsim"], made.outputs["maxsim"], atol=1e-5)


# without the plugin


def judged(queries: dict[str, str], relevant: dict[str, list[str]]) -> Collection:
    qrels = {query: dict.fromkeys(ids, 1) for query, ids in relevant.items()}
    return Collection("little", lambda: iter(()), queries, qrels)


def test_a_field_of_token_vectors_moves_to_another_encoder_through_the_gate(
    client: Elasticsearch, index: str, make_late_bundle: Callable[[str], Bundle]
) -> None:
    old, new = (load(make_late_bundle(name).path) for name in ("colbert", "pylate"))
    made = Index.create(client, f"{index}-1", old, inputs=["body"], field="tokens")
    made.ingest(DOCUMENTS)
    client.indices.put_alias(index=f"{index}-1", name=index)
    collection = judged({"q": WORDS}, {"q": ["d0", "d1"]})
    try:
        done = migrate(client, index, Wanted(new), Gate(collection, max_loss=1, encoder=old))
        assert done.verdict is not None
        assert str(done.verdict).startswith("nDCG@10 of maxsim search, 1 queries")
        assert set(client.indices.get_alias(name=index)) == {done.new} or done.refused
    finally:
        for name in client.indices.get(index=f"{index}-*"):
            client.indices.delete(index=name)


def test_numbers_are_measured_by_queries_that_are_numbers(
    client: Elasticsearch, index: str, tmp_path: Path
) -> None:
    from tiny_numbers import CHANNELS, make_numbers_bundle

    steps = {"pooling": "mean", "normalise": True}
    old, new = (
        load(make_numbers_bundle(tmp_path / name, name, **stated).path)
        for name, stated in (("steps", steps), ("attended", {}))
    )
    draw = np.random.default_rng(7)
    series = [draw.normal(size=(8, CHANNELS)).tolist() for _ in range(12)]
    made = Index.create(client, f"{index}-1", old, inputs=["series"], modality="numbers")
    made.ingest([{"_id": f"s{n}", "series": each} for n, each in enumerate(series)])
    client.indices.put_alias(index=f"{index}-1", name=index)
    try:
        told = judged({"q": "cats"}, {"q": ["s0"]})
        with pytest.raises(
            RequestError, match="query 'q' is asked of numbers, and no list of them"
        ):
            migrate(client, index, Wanted(new), Gate(told, encoder=old))
        assert list(client.indices.get(index=f"{index}-*")) == [f"{index}-1"]
        asked = judged(
            {f"q{n}": json.dumps(series[n]) for n in (0, 5)}, {"q0": ["s0"], "q5": ["s5"]}
        )
        done = migrate(client, index, Wanted(new), Gate(asked, max_loss=1, encoder=old))
        assert not done.refused and done.verdict is not None
        assert (done.verdict.old, done.verdict.new) == (1, 1), "each finds itself first"
        opened = Index.open(client, index, new)
        (hit, *_) = opened.search(numbers=series[5])
        assert hit.id == "s5" and "series" not in hit.source
        assert opened.search(numbers=series[5], fields=["series"])[0].source["series"] == series[5]
    finally:
        for name in client.indices.get(index=f"{index}-*"):
            client.indices.delete(index=name)


def test_texts_find_images_and_none_of_their_base64_is_shown(
    client: Elasticsearch,
    index: str,
    clip_bundle: Bundle,
    pair_bundle: Callable[[str], Bundle],
    tmp_path: Path,
) -> None:
    from base64 import b64encode

    from densehook.export.images import file_of

    clip = load(clip_bundle.path)
    made = Index.create(client, index, clip, inputs=["photo"], modality="image", in_cluster=False)
    photos = [b64encode(file_of(n)).decode() for n in range(4)]
    made.ingest(
        [{"_id": f"p{n}", "photo": each, "said": f"no {n}"} for n, each in enumerate(photos)]
    )
    client.indices.refresh(index=index)
    (address,) = client.transport.node_pool.all()
    run = running_in(tmp_path, DENSEHOOK_ES_URL=address.base_url)
    shown = succeeded(
        run("search", index, "a cat", "--mode", "dense", "--encoder", str(clip_bundle.path))
    )
    assert "no 1" in shown and photos[1][:12] not in shown
    hits = made.search("a cat", mode="dense", highlight=True)
    assert {hit.id for hit in hits} == {f"p{n}" for n in range(4)}
    assert all("photo" not in hit.source for hit in hits)
    (hit, *_) = made.search("a cat", mode="dense", fields=["photo", "said"])
    assert hit.source["photo"] and hit.snippet == hit.source["said"]
    pairs = load(pair_bundle("bert").path)
    with pytest.raises(RequestError, match="is made of images, and no fields are named for BM25"):
        made.search("a cat", mode="dense", rerank=pairs)


def test_an_index_without_source_is_reranked_by_nobody(
    client: Elasticsearch, index: str, tiny: Encoder, pair_bundle: Callable[[str], Bundle]
) -> None:
    told = index_request(tiny.manifest, Reading(["body"]))
    mappings = {**told["mappings"], "_source": {"enabled": False}}
    client.indices.create(index=index, settings=told["settings"], mappings=mappings)
    made = Index.open(client, index, tiny)
    assert made.provenance.sourceless
    made.ingest(DOCUMENTS[:3])
    client.indices.refresh(index=index)
    assert made.search("vaccine", mode="dense")
    with pytest.raises(RequestError, match=r"keeps no _source .* to rerank by"):
        made.search("vaccine", mode="dense", rerank=load(pair_bundle("bert").path))
