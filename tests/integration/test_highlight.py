"""The highlighter `densehook` in real nodes: what of a text is most like the query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from densehook import Index
from densehook.chunk import ChunkRule
from densehook.encode import Encoder

WHALES = "Whales breathe air 🐋. They sleep with half of the brain. A blue whale eats krill."
BREAD = (
    "Flour and water make a dough. Yeast lets it rise for an hour. Salt is added at the end."
    " The crust turns brown in a hot oven."
)
KRILL, YEAST = "A blue whale eats krill.", "Yeast lets it rise for an hour."
ROWS = [
    {"_id": "whales", "title": "🐳 The sea", "text": [WHALES[:20], WHALES[20:]]},
    {"_id": "bread", "title": "The kitchen and its oven", "text": BREAD},
    {"_id": "empty", "title": "", "text": " "},
]
QUERY, EATS = "yeast makes the dough rise", "what do whales eat"

CHUNKS, WHOLE = "highlight-chunks", "highlight-whole"


@pytest.fixture(scope="module")
def client(plugin_client: Elasticsearch, minilm: Encoder) -> Iterator[Elasticsearch]:
    """An index of chunks, one of whole documents, of the same texts."""
    for name, rule in ((CHUNKS, ChunkRule("sentence", 14, 0)), (WHOLE, None)):
        plugin_client.indices.delete(index=name, ignore_unavailable=True)
        index = Index.create(
            plugin_client, name, minilm, inputs=["title", "text"], in_cluster=True, chunk=rule
        )
        report = index.ingest(ROWS)
        assert (report.indexed, report.failed) == (3, 0)
    yield plugin_client
    plugin_client.indices.delete(index=f"{CHUNKS},{WHOLE}")


def highlights(
    client: Elasticsearch, index: str, field: str = "text", size: int = 10, **body: Any
) -> dict[str, list[str]]:
    """What of a field is shown of each hit, which is one piece unless more are asked for."""
    own = {"number_of_fragments": 1, **body.pop("highlighter", {})}
    highlight = {"fields": {field: {"type": "densehook", **own}}}
    answer = client.search(index=index, highlight=highlight, size=size, source=False, **body)
    shown = {hit["_id"]: hit.get("highlight", {}) for hit in answer["hits"]["hits"]}
    return {id_: pieces[field] for id_, pieces in shown.items() if field in pieces}


def asking(text: str, **more: Any) -> dict[str, Any]:
    return {"options": {"text": text}, **more}


@pytest.mark.parametrize("index", [CHUNKS, WHOLE])
def test_what_is_most_like_the_text_is_shown(client: Elasticsearch, index: str) -> None:
    everything: dict[str, Any] = {"match_all": {}}
    found = highlights(client, index, query=everything, highlighter=asking(QUERY))
    assert found["bread"] == [YEAST]
    assert set(found) == {"bread", "whales"}  # nothing of what has no text
    found = highlights(client, index, query=everything, highlighter=asking(EATS))
    assert found["whales"] == [KRILL]
    several = asking(QUERY, number_of_fragments=3)
    in_order = highlights(client, index, query=everything, highlighter=several)["bread"]
    assert len(in_order) == 3
    assert in_order == sorted(in_order, key=BREAD.index)
    by_score = asking(QUERY, number_of_fragments=3, order="score")
    best = highlights(client, index, query=everything, highlighter=by_score)["bread"]
    assert best[0] == YEAST
    assert sorted(best) == sorted(in_order)
    # each field shows its own text, though a chunk may be of two
    titles = highlights(client, index, "title", query=everything, highlighter=asking("kitchen"))
    assert titles["bread"][0] in "The kitchen and its oven"
    assert titles["whales"] == ["🐳 The sea"]


@pytest.mark.parametrize("index", [CHUNKS, WHOLE])
def test_it_shows_what_the_search_is_for_beneath_any_of_them(
    client: Elasticsearch, index: str
) -> None:
    field = "passages.vector" if index == CHUNKS else "embedding"
    dense = {"dense": {"field": field, "text": QUERY}}
    for body in (
        {"query": dense},
        {"query": {"bool": {"must": {"match_all": {}}, "should": dense}}},
        {"retriever": {"hybrid": {"query": QUERY}}},
        {"retriever": {"hybrid": {"query": QUERY, "fields": ["text", field]}}},
        {"retriever": {"hybrid": {"retrievers": [{"standard": {"query": dense}}]}}},
    ):
        assert highlights(client, index, **body, size=1) == {"bread": [YEAST]}
    # another text than that of the search
    other = highlights(client, index, query=dense, highlighter=asking("what colour has it"))
    assert other["bread"] == ["The crust turns brown in a hot oven."]


def test_each_object_of_a_list_shows_its_own_text(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    index = Index.create(
        plugin_client,
        plugin_index,
        minilm,
        inputs=["talk.by", "talk.text"],
        in_cluster=True,
        chunk=ChunkRule("given", 32),
    )
    talk = [{"by": "Ada", "text": WHALES}, {"by": "Bo"}, {"by": "Cy", "text": BREAD}]
    assert index.ingest([{"_id": "a", "talk": talk}]).failed == 0
    everything: dict[str, Any] = {"match_all": {}}
    shown = highlights(
        plugin_client, plugin_index, "talk.text", query=everything, highlighter=asking(EATS)
    )
    assert shown["a"][0].endswith(KRILL) and shown["a"][0] in WHALES
    by = highlights(
        plugin_client, plugin_index, "talk.by", query=everything, highlighter=asking("Bo")
    )
    assert by == {"a": ["Bo"]}


def test_words_and_passages_are_shown_side_by_side(client: Elasticsearch) -> None:
    fields: dict[str, Any] = {"text": {"type": "densehook", "number_of_fragments": 1}, "title": {}}
    searches: list[Any] = [
        {},
        {
            "query": {"match": {"title": "kitchen"}},
            "highlight": {"fields": fields, "options": {"text": QUERY}},
        },
    ]
    answer = client.msearch(index=f"{CHUNKS}", searches=searches)["responses"][0]
    (hit,) = answer["hits"]["hits"]
    assert hit["highlight"] == {"text": [YEAST], "title": ["The <em>kitchen</em> and its oven"]}


def test_sentences_that_are_encoded_for_it_are_bounded(client: Elasticsearch) -> None:
    options = {"options": {"text": EATS, "max_sentences": 1}}
    found = highlights(client, WHOLE, query={"match_all": {}}, highlighter=options)
    assert found["bread"] == ["Flour and water make a dough."]


def test_sentences_that_do_not_come_in_time_are_left_out(client: Elasticsearch) -> None:
    found = {"query": {"match_all": {}}, "highlighter": asking(EATS)}
    assert highlights(client, WHOLE, **found)["whales"] == [KRILL]  # and the text's vector is known
    try:
        client.cluster.put_settings(persistent={"densehook.query.max_wait": "1ms"})
        assert highlights(client, WHOLE, **found) == {}
        assert highlights(client, CHUNKS, **found)["whales"] == [KRILL]
    finally:
        client.cluster.put_settings(persistent={"densehook.query.max_wait": None})


def test_what_cannot_be_shown_is_said_in_a_line(client: Elasticsearch) -> None:
    everything: dict[str, Any] = {"match_all": {}}
    dense = [{"dense": {"field": "embedding", "text": text}} for text in (QUERY, EATS)]
    refused: list[tuple[str, dict[str, Any], str]] = [
        (WHOLE, {"query": everything}, "needs a text: .* since the search has none in"),
        (WHOLE, {"query": {"bool": {"should": dense}}}, "since the search has several in"),
        (
            f"{WHOLE},{CHUNKS}",
            {"query": everything, "highlighter": asking(QUERY)},
            r"of \[text\] needs a vector field: .*, one of \[embedding, passages.vector\]",
        ),
        (
            WHOLE,
            {"query": everything, "highlighter": {"options": {"txt": QUERY}}},
            r"unknown option \[txt\]; known are \[field, text, max_sentences\]",
        ),
        (
            WHOLE,
            {"query": everything, "highlighter": {"options": {"text": QUERY, "field": "v"}}},
            r"says which encoder made field \[v\]",
        ),
        (
            WHOLE,
            {"query": everything, "highlighter": asking(QUERY, highlight_query=everything)},
            r"takes no \[highlight_query\]; give the \[text\]",
        ),
        (
            WHOLE,
            {"query": everything, "highlighter": {"options": {"text": " "}}},
            r"has \[text\] \[ \] in its \[options\]",
        ),
    ]
    for index, body, message in refused:
        with pytest.raises(BadRequestError, match=message):
            highlights(client, index, **body)
