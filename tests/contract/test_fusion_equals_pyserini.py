"""Our fusion is pyserini.fusion, ranking by ranking and score by score.

Scores come from few values, so that ties within a list and between fused documents are the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from densehook.evaluation import pyserini_fusion
from densehook.fusion import FUSIONS
from densehook.types import Run, ScoredDoc

fusion = pytest.importorskip("pyserini.fusion", reason="Pyserini is not installed")
trectools = pytest.importorskip("pyserini.trectools", reason="Pyserini is not installed")

REFERENCES: Mapping[str, Callable] = {
    "rrf": fusion.reciprocal_rank_fusion,
    "linear": fusion.normalize,
}

QUERIES = ["1", "01", "q two", "٣"]
DOCUMENTS = [
    *"abcdefgh",
    *("1", "01", "10", "2", "1.0", "1e5", "NaN", "None", "", " ", "a b", "A", "é", "é", "文档"),
    *("😀", "\uffff", "https://x.org/?a=1&b=2", "-", "x" * 300),
]

steps = st.integers(-4, 4).map(lambda step: step / 4)
thirds = st.integers(0, 9).map(lambda step: step / 3)
wide = st.floats(-1e6, 1e6)
hits = st.builds(ScoredDoc, st.sampled_from(DOCUMENTS), steps | thirds | wide)
rankings = st.lists(hits, max_size=len(DOCUMENTS), unique_by=lambda hit: hit.id)
run_sets = st.lists(st.dictionaries(st.sampled_from(QUERIES), rankings), min_size=2, max_size=4)


def resorted_trec_run(run: Run):
    """A TrecRun in memory, its ranks remade from scores as TrecRun(path, resort=True) does."""
    rows = [
        (query, "Q0", hit.id, rank, hit.score, "tag")
        for query, ranking in run.items()
        for rank, hit in enumerate(ranking, start=1)
    ]
    padding = ("", "Q0", "", 1, 0.0, "tag")  # types the columns of a run that holds nothing
    trec_run = trectools.TrecRun.from_list([*rows, padding])
    data = trec_run.run_data.iloc[:-1]
    data = data.sort_values(["topic", "score"], ascending=[True, False])
    if rows:
        data["rank"] = data.groupby("topic")["score"].rank(ascending=False, method="first")
    trec_run.run_data = data
    return trec_run


def by_pyserini(method: str, runs: Sequence[Run]) -> dict[str, list[tuple[str, float]]]:
    fused = REFERENCES[method]([resorted_trec_run(run) for run in runs]).run_data
    found: dict[str, list[tuple[str, float]]] = {}
    for query, id_, score in zip(fused["topic"], fused["docid"], fused["score"], strict=True):
        found.setdefault(query, []).append((id_, score))
    return found


def by_us(method: str, runs: Sequence[Run]) -> dict[str, list[tuple[str, float]]]:
    queries = {query for run in runs for query in run}
    fused = {query: FUSIONS[method]([run.get(query, []) for run in runs]) for query in queries}
    return {query: [(hit.id, hit.score) for hit in hits] for query, hits in fused.items() if hits}


@pytest.mark.parametrize("method", REFERENCES)
@settings(max_examples=200, deadline=None)
@example([{"1": [ScoredDoc("a", 1.0)]}, {"1": [ScoredDoc("b", 1.0)]}])
@example(
    [
        {"1": [ScoredDoc("a", 0.0), ScoredDoc("b", -0.0)]},
        {"1": [ScoredDoc("b", 5e-324), ScoredDoc("a", 0.0)]},
    ]
)
@example([{"1": [ScoredDoc("b", 3.0), ScoredDoc("a", 3.0)]}, {"01": [ScoredDoc("a", 1.0)]}, {}])
@given(run_sets)
def test_every_ranking_and_score_is_pyserinis(method: str, runs: list[Run]) -> None:
    if any(ranking for run in runs for ranking in run.values()):
        assert by_us(method, runs) == by_pyserini(method, runs)


@pytest.mark.parametrize("method", REFERENCES)
@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(2, 4))
def test_deep_lists_are_pyserinis_too(method: str, random, lists: int) -> None:
    documents = [f"d{number}" for number in range(400)]
    runs = [
        {"q": [ScoredDoc(id_, random.randrange(50) / 7) for id_ in random.sample(documents, 300)]}
        for _ in range(lists)
    ]
    assert by_us(method, runs) == by_pyserini(method, runs)


@pytest.mark.parametrize("method", REFERENCES)
def test_run_files_that_pyserini_reads_and_resorts_fuse_alike(method: str, tmp_path: Path) -> None:
    runs = [
        {
            "q1": [ScoredDoc("b", 0.5), ScoredDoc("a", 0.5), ScoredDoc("c", 2.25)],
            "q2": [ScoredDoc("a", 1.0)],
        },
        {"q1": [ScoredDoc("d", 8.0), ScoredDoc("a", 7.75), ScoredDoc("c", 7.75)]},
    ]
    trec_runs = []
    for number, run in enumerate(runs):
        path = tmp_path / f"{number}.trec"
        lines = [
            f"{query} Q0 {hit.id} {rank} {hit.score} tag\n"
            for query, ranking in run.items()
            for rank, hit in enumerate(ranking, start=1)
        ]
        path.write_text("".join(lines))
        trec_runs.append(trectools.TrecRun(str(path), resort=True))
    fused = REFERENCES[method](trec_runs).run_data
    expected = list(zip(fused["topic"], fused["docid"], fused["score"], strict=True))
    ours = by_us(method, runs)
    assert [(q, *hit) for q in sorted(ours) for hit in ours[q]] == expected


@pytest.mark.parametrize("method", REFERENCES)
@settings(max_examples=50, deadline=None)
@given(run_sets)
def test_pyserini_fusion_gives_every_query_its_ranking(method: str, runs: list[Run]) -> None:
    fused = pyserini_fusion(method, runs)
    assert {query: list(ranking) for query, ranking in fused.items() if ranking} == by_us(
        method, runs
    )
    assert set(fused) == {query for run in runs for query in run}


def test_pyserini_fusion_cuts_its_inputs_and_its_result_at_the_depth() -> None:
    runs = [
        {"q": [ScoredDoc("a", 3.0), ScoredDoc("b", 2.0), ScoredDoc("c", 1.0)]},
        {"q": [ScoredDoc("c", 3.0), ScoredDoc("d", 2.0), ScoredDoc("a", 1.0)]},
    ]
    fused = pyserini_fusion("rrf", runs, depth=2)
    assert fused["q"] == [ScoredDoc("a", 1 / 61), ScoredDoc("c", 1 / 61)]
