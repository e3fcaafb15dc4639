"""An index from Python's public face alone: made, filled, searched, explained, emptied."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import AsyncElasticsearch, Elasticsearch

import densehook
from densehook.elastic.indices import keep_weights
from densehook.elastic.naming import unmapped
from densehook.encode import Encoder
from densehook.errors import EncoderMismatch, IndexNotFound, RequestError
from densehook.fusion import FEATURES, Factor, LearnedWeights
from densehook.node import NodeState

ROWS: list[dict[str, Any]] = [
    {"_id": "cats", "title": "Cats", "text": "They sleep most of the day.", "lang": "en"},
    {
        "_id": "young",
        "title": "Kittens",
        "text": "Young cats play all night.",
        "lang": "en",
        "n": 2,
    },
    {"_id": "shots", "title": "Vaccines", "text": "They train the immune system."},
    {"_id": "money", "title": "Markets", "text": "Shares fell again on Monday.", "lang": "en"},
    {"_id": "chats", "title": "Chats", "text": "Les chats dorment toute la journée.", "lang": "fr"},
]
QUERY = "young cats at night"


@pytest.fixture(scope="module")
def here(plugin_client: Elasticsearch, minilm: Encoder) -> Iterator[densehook.Index]:
    """An index whose texts are encoded in this process."""
    index = densehook.Index.create(
        plugin_client,
        "index-here",
        minilm,
        inputs=["title", "text"],
        index_type="flat",
        in_cluster=False,
    )
    assert index.ingest(ROWS).indexed == len(ROWS)
    yield index
    index.drop()


@pytest.fixture(scope="module")
def inside(plugin_client: Elasticsearch, minilm: Encoder) -> Iterator[densehook.Index]:
    """An index whose texts the node encodes; that it can is found out when it is made."""
    index = densehook.Index.create(
        plugin_client, "index-inside", minilm, inputs=["title", "text"], index_type="flat"
    )
    assert index.encoder is None
    assert index.ingest(ROWS).indexed == len(ROWS)
    yield index
    index.drop()


@pytest.fixture(params=["here", "inside"])
def index(
    request: pytest.FixtureRequest, here: densehook.Index, inside: densehook.Index
) -> densehook.Index:
    return here if request.param == "here" else inside


def ids(hits: densehook.Hits) -> list[str]:
    return [hit.id for hit in hits]


@contextmanager
def requests_of(client: Any) -> Iterator[list[str]]:
    """The requests that a client makes meanwhile."""
    made: list[str] = []
    transport = client.transport
    perform = transport.perform_request

    def counted(method: str, target: str, **more: Any) -> Any:
        made.append(f"{method} {target}")
        return perform(method, target, **more)

    transport.perform_request = counted
    try:
        yield made
    finally:
        transport.perform_request = perform


def test_seven_lines_from_import_to_a_printed_hit() -> None:
    lines = (densehook.__doc__ or "").split("\n\n")[1].splitlines()
    code = [line for line in lines if line.strip()]
    assert len(code) <= 7


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_a_search_is_one_request_and_brings_what_is_shown(
    index: densehook.Index, mode: str
) -> None:
    with requests_of(index.client) as made:
        hits = index.search(QUERY, mode=mode)
    assert len(made) == 1
    assert hits[0].id == "young"
    assert hits[0].source == {k: v for k, v in ROWS[1].items() if k != "_id"}
    assert str(hits[0]).startswith(f"{hits[0].score:.4f}  young  Kittens")


def test_many_texts_are_one_request_too(index: densehook.Index) -> None:
    with requests_of(index.client) as made:
        found = index.msearch([QUERY, "stock exchange"], mode="dense", size=1)
    assert len(made) == 1
    assert [hits.query for hits in found] == [QUERY, "stock exchange"]
    assert [hits[0].id for hits in found] == ["young", "money"]


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_a_filter_is_heeded_before_neighbours_are_looked_for(
    index: densehook.Index, mode: str
) -> None:
    french = {"term": {"lang": "fr"}}
    assert ids(index.search("cats", mode="dense", filter=french, size=1, num_candidates=1)) == [
        "chats"
    ]
    hits = index.search("cats chats", mode=mode, filter=[french, {"exists": {"field": "title"}}])
    assert ids(hits) == ["chats"]


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_pages_follow_one_another(index: densehook.Index, mode: str) -> None:
    whole = ids(index.search("cats they", mode=mode, size=5))
    pages = [index.search("cats they", mode=mode, size=2, from_=start) for start in (0, 2, 4)]
    assert [id_ for page in pages for id_ in ids(page)] == whole


def test_both_ways_give_one_ranking(here: densehook.Index, inside: densehook.Index) -> None:
    linear: dict[str, Any] = {"fusion": "linear", "normalizer": "l2_norm"}
    bounded: dict[str, Any] = {"fusion": "linear", "normalizer": "tmm"}
    bounded["min_scores"] = {"dense": here.search(QUERY, mode="dense")[1].score - 1e-4}
    for options in ({}, {"rank_constant": 5}, linear, {"weights": {"bm25": 0.2}}, bounded):
        mine, nodes = here.search(QUERY, **options), inside.search(QUERY, **options)
        assert ids(mine)[:2] == ids(nodes)[:2]
        assert [h.score for h in mine][:2] == pytest.approx([h.score for h in nodes][:2], 1e-5)


def test_learned_weights_are_kept_and_weigh_alike_here_and_in_the_node(
    here: densehook.Index, inside: densehook.Index
) -> None:
    """Last of what is asked of these indices: they keep the weights."""
    with pytest.raises(RequestError, match="has no learned weights; learn them with"):
        inside.search(QUERY, weights="learned")
    factors = {name: Factor(0.3, 0.7, 0.2 * n) for n, name in enumerate(FEATURES, start=1)}
    learned = LearnedWeights("linear", -0.4, factors, normalizer="tmm")
    found = []
    for index in (here, inside):
        keep_weights(index.client, index.name, index.field.name, learned)
        opened = densehook.Index.open(index.client, index.name, index.encoder)
        assert opened.field.weights == learned
        assert opened.provenance.bm25_fields == index.provenance.bm25_fields
        found.append(opened.search("young cats play", weights="learned", explain=True))
    mine, nodes = found
    assert mine.features == pytest.approx(nodes.features, 1e-5)
    assert list(mine.features) == [*FEATURES]
    share = learned.share(mine.features)
    for hit in (*mine, *nodes):
        weights = [part.weight for part in hit.parts.values()]
        assert weights == pytest.approx([1 - share, share], 1e-5)
    assert ids(mine)[:2] == ids(nodes)[:2]
    assert [h.score for h in mine][:2] == pytest.approx([h.score for h in nodes][:2], 1e-5)


def test_hits_of_a_list_below_its_minimum_score_are_left_out(index: densehook.Index) -> None:
    scores = [hit.score for hit in index.search(QUERY, mode="dense")]
    least = {"dense": (scores[1] + scores[2]) / 2, "bm25": 1000.0}
    assert len(index.search(QUERY, mode="dense", min_scores=least)) == 2
    hits = index.search(QUERY, min_scores=least, explain=True)
    assert [hit.parts["dense"].rank for hit in hits] == [1, 2]
    assert [hit.parts["bm25"].rank for hit in hits] == [None, None]
    why = index.explain(QUERY, "young", min_scores={"dense": 1.0})
    assert why is not None
    assert why.parts[1].rank is None
    assert why.parts[1].score is not None, "a document that is left out has its score all the same"


def test_a_fused_hit_says_what_each_list_gave(index: densehook.Index) -> None:
    hits = index.search(QUERY, explain=True, weights={"dense": 2})
    for hit in hits:
        assert sum(part.contribution for part in hit.parts.values()) == pytest.approx(hit.score)
    first = hits[0].parts
    assert (first["bm25"].rank, first["dense"].rank, first["dense"].weight) == (1, 1, 2.0)
    assert first["bm25"].score is not None
    assert any(hit.parts["bm25"].rank is None for hit in hits)


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_one_document_is_explained_wherever_it_stands(index: densehook.Index, mode: str) -> None:
    why = index.explain(QUERY, "young", mode=mode)
    assert why is not None
    assert [part.rank for part in why.parts] == [1] * (2 if mode == "hybrid" else 1)
    assert why.score == pytest.approx(index.search(QUERY, mode=mode)[0].score, 1e-5)


def test_a_document_outside_the_window_has_its_score_and_no_rank(index: densehook.Index) -> None:
    why = index.explain(QUERY, "money", window=1, size=1)
    assert why is not None
    bm25, dense = why.parts
    assert (bm25.rank, bm25.score, dense.rank, why.score) == (None, None, None, 0)
    assert dense.score is not None
    assert index.explain(QUERY, "nobody") is None


def test_fields_and_highlights_are_as_asked(index: densehook.Index) -> None:
    hit = index.search(QUERY, fields=["title"], highlight=True)[0]
    assert hit.source == {"title": "Kittens"}
    assert "<em>" in " ".join(hit.highlights["text"])
    assert index.search(QUERY, fields=[])[0].source == {}


def test_a_notebook_shows_a_table_that_no_text_can_break(index: densehook.Index) -> None:
    table = index.search("cats <b>")._repr_html_()
    assert "<caption>cats &lt;b&gt;</caption>" in table
    assert len(re.findall("<tr>", table)) == 1 + len(index.search("cats <b>"))


def test_documents_are_got_and_deleted(index: densehook.Index) -> None:
    index.ingest([{"_id": "gone", "title": "Gone", "text": "soon"}])
    found = index.get("gone")
    assert found is not None and found.fields == {"title": "Gone", "text": "soon"}
    before = index.stats()
    assert before.with_vector == before.documents == len(ROWS) + 1
    assert index.delete(["gone", "never"]) == 1
    assert index.get("gone") is None
    assert index.stats().documents == len(ROWS)


def test_texts_that_are_cut_are_counted_wherever_they_are_encoded(
    index: densehook.Index, minilm: Encoder
) -> None:
    texts = {"long": "words " * 400, "short": "few words"}
    report = index.ingest([{"_id": id_, "text": text} for id_, text in texts.items()])
    index.delete(list(texts))
    (tokens,) = minilm.tokenize([texts["long"]], "document")
    counted = report.encoded if index.encoder is not None else report.in_cluster
    assert counted is not None and tokens.lost > 0
    assert (counted.texts, counted.truncated_texts) == (2, 1)
    assert counted.lost_tokens == tokens.lost
    assert (report.in_cluster is None) == (index.encoder is not None)


def test_a_document_is_marked_whole_whether_or_not_a_query_finds_it(index: densehook.Index) -> None:
    hit = index.marked("young", "cats sleep at night")
    assert hit is not None
    assert hit.highlights["text"] == ["Young <em>cats</em> play all <em>night</em>."]
    assert hit.source == {key: value for key, value in ROWS[1].items() if key != "_id"}
    other = index.marked("money", "cats sleep")
    assert other is not None and not other.highlights and other.source["title"] == "Markets"
    assert index.marked("nobody", "cats") is None


def test_names_that_no_field_has_are_said_with_near_ones(
    index: densehook.Index, plugin_client: Elasticsearch
) -> None:
    asked = ["lang", "langg", "_id", "te*", "zz*", "langg"]
    near, far = unmapped(plugin_client, index.name, asked)
    assert near == f"index {index.name!r} maps no field 'langg'; is 'lang' meant?"
    assert far.startswith(f"index {index.name!r} maps no field 'zz*'; it maps ")
    assert "'lang'" in far and "'_" not in far
    with requests_of(plugin_client) as made:
        assert unmapped(plugin_client, index.name, []) == []
    assert not made


def test_what_is_not_indexed_is_in_the_report(index: densehook.Index) -> None:
    report = index.ingest([{"title": "no id"}, {"_id": "cats", "title": "Cats again"}])
    assert (report.indexed, report.failed) == (0, 2)
    assert "row 1" in str(report.failures[0])
    assert "in the index already" in str(report.failures[1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"mode": "smells"},
            "mode 'smells' is unknown; known: bm25, dense, sparse, maxsim, hybrid",
        ),
        ({"fusion": "rff"}, "fusion 'rff' is unknown"),
        ({"size": -1}, "size is -1; it must be from 0 to 10,000"),
        ({"size": 20, "from_": 9_990}, "from_ is 9990"),
        ({"window": 5}, "window is 5, hits up to 10 are wanted"),
        ({"weights": {"knn": 1}}, "a list of weights 'knn' is unknown; known: bm25, dense"),
        ({"weights": {"bm25": -1}}, "the weight of bm25 is -1"),
        ({"normalizer": "minmax"}, "normalizer is of linear"),
        ({"fusion": "linear", "rank_constant": 5}, "rank_constant is of rrf"),
        ({"filter": "lang:en"}, "no query; write it like"),
        ({"k": 5}, "nothing is called 'k' here; known: mode, size"),
    ],
)
def test_what_cannot_be_asked_is_one_line(here: densehook.Index, options: Any, said: str) -> None:
    with pytest.raises(RequestError, match=re.escape(said)):
        here.search(QUERY, **options)


def test_a_query_of_blanks_is_refused(index: densehook.Index) -> None:
    with pytest.raises(RequestError, match="has no text to search for"):
        index.search(" \u00a0\n")


def test_an_index_is_opened_without_its_encoder_where_the_cluster_has_it(
    here: densehook.Index, tiny: Encoder
) -> None:
    opened = densehook.Index.open(here.client, here.name)
    for mode in ("bm25", "dense", "hybrid"):
        assert opened.search(QUERY, mode=mode)[0].id == "young"
    with pytest.raises(RequestError, match="give the encoder 'all-minilm-l6-v2'"):
        opened.ingest(ROWS, replace=True)
    with pytest.raises(EncoderMismatch):
        densehook.Index.open(here.client, here.name, tiny)
    with pytest.raises(IndexNotFound):
        densehook.Index.open(here.client, "no-such-index")


def test_a_searcher_gives_texts_and_says_what_the_index_lacks(index: densehook.Index) -> None:
    searcher = index.searcher()
    assert searcher.texts_of(["young", "gone"]) == {"young": "Kittens Young cats play all night."}
    assert searcher.lacking(["young", "gone", "cats"]) == ["gone"]
    assert searcher.lacking([]) == []


def test_the_same_for_a_program_that_awaits(
    plugin_node: NodeState, here: densehook.Index, minilm: Encoder
) -> None:
    async def awaited() -> None:
        async with AsyncElasticsearch(plugin_node.url) as client:
            made = await densehook.AsyncIndex.create(
                client, "awaited", minilm, inputs=["text"], in_cluster=False
            )
            try:
                assert (await made.ingest(ROWS)).indexed == len(ROWS)
                with requests_of(client) as sent:
                    hits = await made.search(QUERY)
                assert len(sent) == 1
                assert hits[0].id == "young"
                assert [len(each) for each in await made.msearch([QUERY, "x"], size=2)] == [2, 2]
                why = await made.explain(QUERY, "young")
                assert why is not None and why.score == pytest.approx(hits[0].score)
                assert (await made.stats()).with_vector == len(ROWS)
                assert await made.delete("cats") == 1
                assert await made.get("cats") is None
            finally:
                await made.drop()
            with pytest.raises(RequestError, match="AsyncIndex"):
                densehook.Index.open(client, here.name)  # type: ignore[arg-type]
            with pytest.raises(RequestError, match=r"densehook\.Index"):
                await densehook.AsyncIndex.open(here.client, here.name)  # type: ignore[arg-type]

    asyncio.run(awaited())


def test_a_collection_is_measured_through_the_face(here: densehook.Index, tmp_path: Path) -> None:
    beir = tmp_path / "beir"
    (beir / "qrels").mkdir(parents=True)
    (beir / "corpus.jsonl").write_text('{"_id": "young", "text": "x"}\n')
    (beir / "queries.jsonl").write_text(f'{{"_id": "q", "text": "{QUERY}"}}\n')
    (beir / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tyoung\t1\n")
    scores = densehook.evaluate(beir, here, ["bm25", "rrf"], tmp_path / "out")
    assert scores.systems["rrf"]["nDCG@10"] == 1.0
