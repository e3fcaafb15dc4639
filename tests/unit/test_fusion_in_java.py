"""The fusion in the node's plugin is this one: both are held to the same file of cases.

JUnit reads it too (FusionTest). Run this file to write it again after a change of the arithmetic.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from densehook.fusion import NORMALIZERS, linear_combination, reciprocal_rank_fusion
from densehook.types import ScoredDoc

CASES = (
    Path(__file__).parents[2]
    / "plugin/elasticsearch/src/test/resources/org/densehook/fusion/cases.json"
)
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


if __name__ == "__main__":
    made = [{**case, "fused": fused(case)} for seed in range(16) for case in inputs(seed)]
    CASES.parent.mkdir(parents=True, exist_ok=True)
    CASES.write_text("[\n" + ",\n".join(map(json.dumps, made)) + "\n]\n")
