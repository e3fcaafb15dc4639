"""Weights of tokens go into a sparse_vector field and come out as Lucene keeps them."""

from __future__ import annotations

import random
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from command_line import running_in, succeeded
from densehook.collections import read_run
from densehook.collections.impacts import Impacts, read_impacts, write_impacts
from densehook.elastic.impacts import import_impacts, search_impacts, stored_impacts
from densehook.errors import RequestError
from densehook.evaluation.anserini import MINIMUM_JAVA, anserini_jar
from densehook.java import find_java
from densehook.node import NodeState

TOKENS = ["cat", "##s", "u.s.", "é", "猫", "the", "dog", "1.0", "a b", "\\"]


def collection() -> list[Impacts]:
    chance = random.Random(7)
    rows = []
    for number in range(40):
        tokens = {"the", *chance.sample(TOKENS, 4)}
        weights = {
            token: chance.choice([chance.randint(1, 255), chance.random()]) for token in tokens
        }
        rows.append(Impacts(f"d{number}", f"text {number}", dict(sorted(weights.items()))))
    return rows


def as_lucene_keeps(weight: float) -> float:
    """The first nine significant bits."""
    (bits,) = struct.unpack(">I", struct.pack(">f", weight))
    (kept,) = struct.unpack(">f", struct.pack(">I", bits >> 15 << 15))
    return kept


def score(query: Mapping[str, float], row: Impacts) -> float:
    return sum(w * as_lucene_keeps(row.weights.get(token, 0)) for token, w in query.items())


def test_weights_are_kept(
    plugin_client: Elasticsearch, plugin_node: NodeState, plugin_index: str, tmp_path: Path
) -> None:
    rows = collection()
    write_impacts(tmp_path / "in.jsonl", rows)
    run = running_in(tmp_path, DENSEHOOK_ES_URL=plugin_node.url)
    said = succeeded(run("impacts", "import", plugin_index, "in.jsonl"))
    assert f"indexed 40 documents into {plugin_index}, 0 failed" in said
    found = {row.id: row for row in stored_impacts(plugin_client, plugin_index)}
    assert len(found) == 40
    for row in rows:
        kept = found[row.id].weights
        assert set(kept) == set(row.weights)
        for token, weight in row.weights.items():
            assert as_lucene_keeps(kept[token]) == as_lucene_keeps(weight), token
        assert found[row.id].contents == row.contents
    again = import_impacts(plugin_client, plugin_index, rows[:2])
    assert (again.indexed, len(again.failures)) == (0, 2)
    assert "document 'd0': [d0]: version conflict" in again.failures[0]
    succeeded(run("impacts", "export", plugin_index, "out.jsonl"))
    assert {row.id for row in read_impacts(tmp_path / "out.jsonl")} == set(found)
    with pytest.raises(RequestError, match=r"field 'contents' .* is mapped as text; impacts need"):
        import_impacts(plugin_client, plugin_index, rows, field="contents")
    with pytest.raises(RequestError, match="is not mapped; impacts need a field mapped as sparse_"):
        list(stored_impacts(plugin_client, plugin_index, field="weights"))


def test_a_search_sums_weight_times_weight(client: Elasticsearch, index: str) -> None:
    # the node of 9.5.3 that tests have lacks x-pack, and with it the query
    rows = collection()
    import_impacts(client, index, rows)
    queries = {"all": {"the": 2.0}, "two": {"猫": 3, "u.s.": 0.5}, "rare": {"##s": 1}, "none": {}}
    queries["unknown"] = {"elephant": 1.0}
    ranked = search_impacts(client, index, queries, depth=100)
    for name, query in queries.items():
        scores = {row.id: score(query, row) for row in rows}
        expected = {id_: value for id_, value in scores.items() if value}
        assert dict(ranked[name]) == pytest.approx(expected, rel=1e-5), name
        values = [scores[hit.id] for hit in ranked[name]]
        assert values == sorted(values, reverse=True)


def test_anserinis_impact_index_scores_what_is_exported_alike(
    client: Elasticsearch, index: str, tmp_path: Path
) -> None:
    plain = [token for token in TOKENS if token.isprintable() and not set(token) & {" ", "\\"}]
    chance = random.Random(11)
    rows = [
        Impacts(f"d{n}", f"text {n}", {t: chance.randint(1, 255) for t in chance.sample(plain, 4)})
        for n in range(60)
    ]
    import_impacts(client, index, rows)  # whole numbers up to 255 are kept to the digit
    (tmp_path / "in").mkdir()
    write_impacts(tmp_path / "in" / "out.jsonl", stored_impacts(client, index))
    queries = {"q1": {"the": 2}, "q2": {"猫": 3, "u.s.": 1}, "q3": {"##s": 1, "1.0": 2, "é": 1}}
    by_anserini(
        "index.IndexCollection",
        *("-collection", "JsonVectorCollection", "-generator", "DefaultLuceneDocumentGenerator"),
        *("-input", tmp_path / "in", "-index", tmp_path / "lucene", "-threads", 1),
    )
    lines = (
        f"{id_}\t{' '.join(token for token, times in query.items() for _ in range(times))}\n"
        for id_, query in queries.items()
    )
    (tmp_path / "topics.tsv").write_text("".join(lines))
    by_anserini(
        "search.SearchCollection",
        *("-index", tmp_path / "lucene", "-topics", tmp_path / "topics.tsv"),
        *("-topicReader", "TsvString", "-output", tmp_path / "run.txt"),
    )
    found = read_run(tmp_path / "run.txt")
    ranked = search_impacts(client, index, queries, depth=100)
    for id_, query in queries.items():
        scores = {hit.id: hit.score for hit in found[id_]}
        expected = {row.id: own for row in rows if (own := score(query, row))}
        assert scores == pytest.approx(expected, abs=1e-3)  # of equal ones Anserini lowers some
        assert dict(ranked[id_]) == pytest.approx(expected)


def by_anserini(program: str, *options: object) -> None:
    """Runs one of Anserini's programs on impacts, from Pyserini's package."""
    java = find_java(MINIMUM_JAVA) / "bin" / "java"
    command = [java, "--add-modules", "jdk.incubator.vector", "-cp", anserini_jar()]
    command += [f"io.anserini.{program}", *options, "-impact", "-pretokenized"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
