"""The fusion in the node's plugin is this one: both are held to the same files of cases.

JUnit reads it too (FusionTest). Run this file to write it again after a change of the arithmetic.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from densehook.fusion import (
    FEATURES,
    NORMALIZERS,
    LearnedWeights,
    Seen,
    linear_combination,
    reciprocal_rank_fusion,
)
from densehook.types import ScoredDoc

CASES = (
    Path(__file__).parents[2]
    / "plugin/elasticsearch/src/test/resources/org/densehook/fusion/cases.json"
)
LEARNED = CASES.with_name("learned.json")
TEXTS = ["", "cats", " two\u00a0words\t", "a b\u200b c \u3000d", "é 文档 😀 42-a", "word " * 40]
DOCUMENTS = "abcdefghijklmnopqrstuvwxyz"


def fused(case: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each document's score, and its parts as [rank, normalised, contribution], null if nothing."""
    lists = [[ScoredDoc(id_, score) for id_, score in ranking] for ranking in case["lists"]]
    weights = case["weights"]
    if "rank_constant" in case:
        hits = reciprocal_rank_fusion(lists, rank_constant=case["rank_constant"], weights=weights)
    else:
        hits = linear_combination(lists, normalizer=case["normalizer"], weights=weights)
    return {
        hit.id: [
            hit.score,
            [
                [part.rank, part.normalised, part.contribution]
                if part.rank or part.normalised is not None
                else None
                for part in hit.parts
            ],
        ]
        for hit in hits
    }


def stored() -> list[dict[str, Any]]:
    return json.loads(CASES.read_text())


@pytest.mark.parametrize("case", stored())
def test_each_stored_case_is_what_python_gives(case: Mapping[str, Any]) -> None:
    assert fused(case) == case["fused"]


def test_every_normalizer_is_among_the_stored_cases() -> None:
    assert {case.get("normalizer") for case in stored()} == {*NORMALIZERS, None}


def inputs(seed: int) -> Iterator[dict[str, Any]]:
    """Lists whose scores tie often, or seldom, or never differ; each fused in every way."""
    source = random.Random(seed)
    scores = [
        lambda: source.randrange(6) / 7,
        lambda: source.uniform(-1e3, 1e3),
        lambda: 0.1,
        lambda: source.randrange(3) * 5e-324,
    ][seed % 4]
    lists = []
    for _ in range(1 + source.randrange(4)):
        found = source.sample(DOCUMENTS, source.randrange(12))
        ranking = [(id_, scores()) for id_ in found]
        lists.append(sorted(ranking, key=lambda hit: hit[1], reverse=True))
    weights = [source.choice([0.0, 1.0, source.random() * 3]) for _ in lists]
    yield {"rank_constant": source.choice([0, 1, 60]), "lists": lists, "weights": weights}
    for normalizer in NORMALIZERS:
        yield {"normalizer": normalizer, "lists": lists, "weights": weights}


def weighed(case: Mapping[str, Any]) -> dict[str, Any]:
    """What a model makes of a query: the features it looks at, and dense search's share."""
    lists = [[ScoredDoc(id_, score) for id_, score in ranking] for ranking in case["lists"]]
    model, seen = LearnedWeights.parse(case["model"]), Seen(case["text"], *lists)
    features = model.features(seen)
    return {"features": features, "share": model.share(features)}


@pytest.mark.parametrize("case", json.loads(LEARNED.read_text()))
def test_each_stored_weight_is_what_python_gives(case: Mapping[str, Any]) -> None:
    assert weighed(case) == {name: case[name] for name in ("features", "share")}


def queries(seed: int) -> dict[str, Any]:
    """A query, its lists and a model of some or all features."""
    source = random.Random(seed)
    lists = []
    for scale in (20.0, 1.0):
        found = source.sample(DOCUMENTS, source.choice([0, 1, 5, 10, 26]))
        ranking = [(id_, source.choice([0.0, source.random() * scale])) for id_ in found]
        lists.append(sorted(ranking, key=lambda hit: hit[1], reverse=True))
    names = source.sample([*FEATURES], source.choice([0, 2, len(FEATURES)]))
    model = {
        "fusion": "linear",
        "normalizer": "tmm",
        "intercept": source.gauss(0, 1),
        "features": {
            name: {
                "mean": source.gauss(0, 3),
                "deviation": source.uniform(0.01, 3),
                "coefficient": source.gauss(0, 1),
            }
            for name in names
        },
    }
    return {"text": TEXTS[seed % len(TEXTS)], "lists": lists, "model": model}


if __name__ == "__main__":
    asked = [queries(seed) for seed in range(36)]
    lines = ",\n".join(json.dumps({**case, **weighed(case)}) for case in asked)
    LEARNED.write_text(f"[\n{lines}\n]\n")
    made = [{**case, "fused": fused(case)} for seed in range(16) for case in inputs(seed)]
    CASES.parent.mkdir(parents=True, exist_ok=True)
    CASES.write_text("[\n" + ",\n".join(map(json.dumps, made)) + "\n]\n")
