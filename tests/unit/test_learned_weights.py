"""Learned weights: what they look at, what is kept, and that other queries measure them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from densehook.collections import Collection, judgements_alone
from densehook.errors import RequestError
from densehook.evaluation.optimising import choose_by_folds, try_settings
from densehook.evaluation.querywise import compared, learn, learn_by_folds, learn_on, weighted_run
from densehook.fusion import FEATURES, Factor, LearnedWeights, Part, Seen
from densehook.fusion.learned import word_count
from densehook.hooks import read_provenance, with_weights
from densehook.index.explained import explained_parts, learned_features
from densehook.types import Ranking, Run, ScoredDoc

MODEL = LearnedWeights("linear", 0.5, {"length": Factor(1.0, 2.0, 1.5)}, normalizer="tmm")


def ranking(*scores: float, prefix: str = "d") -> Ranking:
    return [ScoredDoc(f"{prefix}{n}", score) for n, score in enumerate(scores)]


def test_words_stand_between_what_shows_nothing() -> None:
    assert [word_count(text) for text in ("", " ", "a", " a\u00a0b\u200bc ", "don't stop")] == [
        *(0, 0, 1, 3, 2)
    ]


def test_each_feature_is_what_its_name_says() -> None:
    words = ranking(*(20.0 - n for n in range(12)))
    vectors = [*ranking(0.9, 0.8), ScoredDoc("x", 0.6)]
    found = {name: of(Seen("four words of text", words, vectors)) for name, of in FEATURES.items()}
    assert found == pytest.approx(
        {
            "length": 2.0,
            "rarity": 5.0,
            "overlap": 0.2,
            "bm25_spread": 9 / 20,
            "dense_spread": 0.3 / 0.9,
            "dense_top": 0.9,
        }
    )
    nothing = {name: of(Seen("", [], [])) for name, of in FEATURES.items()}
    assert set(nothing.values()) == {0.0}


def test_the_share_rises_with_the_level_and_stays_between_nothing_and_all() -> None:
    shares = [MODEL.share({"length": length}) for length in (-1e9, 0.0, 1.0, 4.0, 1e9)]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    seen = Seen("four words of text", ranking(3.0), ranking(0.5))
    assert sum(MODEL.weights(seen)) == 1
    assert LearnedWeights("rrf", 0.0, {}, rank_constant=60).weights(seen) == (0.5, 0.5)


def test_what_is_kept_is_read_again_from_the_mapping() -> None:
    field = {"input": ["text"], "encoder": "e", "fingerprint": "sha256:0"}
    meta = {"owner": "us", "densehook": {"bm25": "text", "fields": {"v": field, "w": field}}}
    kept = with_weights(meta, "v", MODEL)
    assert kept["owner"] == "us"
    assert kept["densehook"]["fields"]["w"] == field
    fields = read_provenance("i", json.loads(json.dumps({"_meta": kept}))).vector_fields
    assert fields["v"].weights == MODEL
    with pytest.raises(RequestError, match="field 'w' of index 'i' has no learned weights; learn"):
        fields["w"].require_weights("i")
    ruined = with_weights(meta, "v", MODEL)
    del ruined["densehook"]["fields"]["v"]["weights"]["intercept"]
    assert read_provenance("i", {"_meta": ruined}).vector_fields["v"].weights is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fusion": "sum"}, r"\[fusion\] is 'sum'; it must be one of rrf, linear"),
        ({"normalizer": "l2"}, r"\[normalizer\] is 'l2'; it must be one of minmax, "),
        ({"rank_constant": 60}, r"\[rank_constant\] is not of fusion linear; leave it out"),
        ({"fusion": "rrf"}, r"\[normalizer\] is not of fusion rrf; leave it out"),
        ({"intercept": None}, r"\[intercept\] is None; it must be a number"),
        ({"weight": 1}, "has 'weight'; known are fusion, "),
        ({"features": []}, r"\[features\] is \[\]; it must be an object of length, "),
        ({"features": {"hue": {}}}, r"\[features\] has 'hue'; known are length, "),
        (
            {"features": {"length": {"mean": "a", "deviation": 1, "coefficient": 1}}},
            r"\[mean\] of \[features.length\] is 'a'; it must be a number",
        ),
        (
            {"features": {"length": {"mean": 1, "deviation": 0, "coefficient": 1}}},
            r"\[features.length\] has the deviation 0.0; it must be above 0",
        ),
    ],
)
def test_a_model_that_is_wrong_is_refused_in_one_line(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        LearnedWeights.parse({**MODEL.as_json(), **changed})
    with pytest.raises(RequestError, match="is 3; it must be an object"):
        LearnedWeights.parse(3)


def both_kinds(queries: int, told_by_length: bool) -> tuple[Collection, dict[str, Run]]:
    """Queries of one word, which BM25 knows best, and of nine, which dense search does.

    Without ``told_by_length`` chance decides which text a query has.
    """
    chance = random.Random(5)
    texts, qrels = {}, {}
    runs: dict[str, dict[str, list[ScoredDoc]]] = {"bm25": {}, "dense": {}}
    for number in range(queries):
        query, by_words = f"q{number:03}", number % 2 == 0
        is_short = by_words if told_by_length else chance.random() < 0.5
        texts[query] = "word" if is_short else "nine words of text that say what is meant"
        good, bad = ("bm25", "dense") if by_words else ("dense", "bm25")
        fill = [f"x{n}" for n in range(20)]
        for name, first in ((good, f"a-{query}"), (bad, f"z-{query}")):
            chance.shuffle(fill)
            runs[name][query] = [ScoredDoc(i, 9.0 - at / 4) for at, i in enumerate([first, *fill])]
        qrels[query] = {f"a-{query}": 1, f"z-{query}": 0}
    return replace(judgements_alone("kinds", qrels), queries=texts), dict(runs)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer settings to try."""
    from densehook.evaluation import settings

    monkeypatch.setattr(settings, "WINDOWS", (100,))
    monkeypatch.setattr(settings, "RANK_CONSTANTS", (60,))
    monkeypatch.setattr(settings, "NORMALIZED", ("minmax",))
    monkeypatch.setattr(settings, "SHARES", ())


def verdict(told_by_length: bool) -> tuple[str, float]:
    """Of learned against the best fixed weights, both on held-out folds."""
    from densehook.evaluation import measure_queries

    collection, runs = both_kinds(40, told_by_length)
    tried = try_settings(collection, runs, "RR@10")
    _, fixed = choose_by_folds(collection, runs, "RR@10", tried)
    learned = learn_by_folds(collection, list(runs.values()), tried, 5)
    assert list(learned.run) == list(collection.qrels)
    by_learned, by_fixed = (
        measure_queries(run, collection.qrels, ["RR@10"]) for run in (learned.run, fixed)
    )
    difference = compared(by_learned, by_fixed, "RR@10")
    return difference.verdict, difference.mean


def test_weights_that_the_query_tells_are_better_than_fixed_ones(few: None) -> None:
    assert verdict(told_by_length=True) == ("better", pytest.approx(0.25, abs=0.05))


def test_weights_that_nothing_tells_are_not(few: None) -> None:
    assert verdict(told_by_length=False)[0] != "better"


def test_a_model_of_one_split_weighs_the_queries_of_another(few: None) -> None:
    dev, runs = both_kinds(40, told_by_length=True)
    tried = try_settings(dev, runs, "RR@10")
    learned = learn_on(dev, list(runs.values()), tried, dev, list(runs.values()))
    assert "z" not in {hits[0].id[:1] for hits in learned.run.values()}
    again = LearnedWeights.parse(json.loads(json.dumps(learned.model.as_json())))
    assert again == learned.model, "what is kept loses no digit"
    assert weighted_run(dev, list(runs.values()), again, list(dev.qrels)) == learned.run


def test_where_all_weights_are_alike_nothing_is_learned(few: None) -> None:
    dev, runs = both_kinds(12, told_by_length=True)
    same = {"bm25": runs["dense"], "dense": runs["dense"]}
    model = learn(dev, list(same.values()), try_settings(dev, same, "RR@10"), sorted(dev.qrels))
    assert {factor.coefficient for factor in model.factors.values()} == {0.0}


def test_a_hit_that_the_node_weighed_says_of_what() -> None:
    """The texts are those of FusedScore and LearnedWeights in the plugin."""
    lists = [
        "list [0] [BM25 on [title, text]]: rank [2], score [1.5], normalised by tmm to [0.5],"
        " weight [0.25], contribution [0.125]",
        "list [1] [kNN on [embedding]]: did not return this document; weight [0.75],"
        " contribution [0.0]",
    ]
    told = "fused rank [1], sum [0.125]: sum of weight * normalised score, dense share [0.75]"
    why = f"{told} learned from length [1.5], dense_top [0.25], over [2] lists"
    explanation = {"description": why, "details": [{"description": each} for each in lists]}
    raw = {"_id": "d", "_score": 0.125, "_explanation": explanation}
    assert learned_features(raw) == {"length": 1.5, "dense_top": 0.25}
    assert explained_parts(raw, ("bm25", "dense")) == {
        "bm25": Part(2, 1.5, 0.5, 0.25, 0.125),
        "dense": Part(None, None, None, 0.75, 0.0),
    }
