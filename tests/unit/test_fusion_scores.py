"""Our fusion gives the scores that pyserini.fusion gave, whatever becomes of that package.

``pyserini_fusion.json`` holds lists and what Pyserini's own functions made of them. Run this file
where Pyserini is installed to make it again:

    python tests/unit/test_fusion_scores.py
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from densehook.fusion import FUSIONS
from densehook.types import ScoredDoc

SCORES = Path(__file__).with_name("pyserini_fusion.json")


def stored() -> list[dict[str, Any]]:
    return json.loads(SCORES.read_text())["cases"]


@pytest.mark.parametrize("case", stored())
def test_every_score_and_every_place_is_what_pyserini_gave(case: Mapping[str, Any]) -> None:
    lists = [[ScoredDoc(*hit) for hit in ranking] for ranking in case["lists"]]
    fused = FUSIONS[case["method"]](lists)
    assert [[hit.id, hit.score] for hit in fused] == case["fused"]


def test_the_stored_scores_are_of_every_fusion_and_of_hard_cases() -> None:
    cases = stored()
    assert {case["method"] for case in cases} == set(FUSIONS)
    fused = [[score for _, score in case["fused"]] for case in cases]
    assert any(len(set(scores)) < len(scores) for scores in fused)  # ties in the sum
    lists = [ranking for case in cases for ranking in case["lists"]]
    assert any(len({score for _, score in ranking}) == 1 < len(ranking) for ranking in lists)
    assert any(score < 0 for ranking in lists for _, score in ranking)
    assert any(not ranking for ranking in lists)


def _lists() -> Iterator[list[list[tuple[str, float]]]]:
    yield [[("a", 1.0)], [("b", 1.0)]]
    yield [[("b", 0.5), ("a", 0.5), ("c", 2.25)], [("d", 8.0), ("a", 7.75), ("c", 7.75)]]
    yield [[("b", 3.0), ("a", 3.0), ("c", 3.0)], []]
    yield [[("10", -1.5), ("9", -1.5), ("é", -7.25)], [("9", 1e6), ("猫", 1e-6)], [("é", 0.0)]]
    chance = random.Random(2009)
    documents = [f"d{number}" for number in range(30)]
    for lists, size, steps in ((2, 12, 4), (3, 8, 3), (4, 10, 1000), (2, 25, 7)):
        yield [
            [(id_, chance.randrange(steps) / 7) for id_ in chance.sample(documents, size)]
            for _ in range(lists)
        ]


def _made() -> dict[str, Any]:
    from importlib.metadata import version

    from densehook.evaluation import pyserini_fusion

    cases = []
    for method in FUSIONS:
        for lists in _lists():
            runs = [{"q": [ScoredDoc(*hit) for hit in ranking]} for ranking in lists]
            fused = pyserini_fusion(method, runs)["q"]
            cases.append({"method": method, "lists": lists, "fused": fused})
    return {"made_by": f"pyserini.fusion of pyserini {version('pyserini')}", "cases": cases}


if __name__ == "__main__":
    made = _made()
    rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in made["cases"])
    SCORES.write_text(f'{{"made_by": {json.dumps(made["made_by"])}, "cases": [\n{rows}\n]}}\n')
