"""Tuning the whole way on a tiny model: variants, speed, trec_eval, and the bundle in place."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from densehook.bundle import TUNING, Bundle, Dense, Tuning, read_bundle, read_tuning
from densehook.cli.tune import table_of
from densehook.collections import Sample, sample
from densehook.encode import Encoder, load
from densehook.encode import encoder as encoder_module
from densehook.encode.session import Batch, Session, Vectors
from densehook.errors import BundleError, CollectionError, ExportError, MissingExtra
from densehook.export.texts import PASSAGES
from densehook.tune import encode_sample, gating, ndcg, pair_bundles, tune_bundle
from densehook.tune import tuning as tuning_module
from densehook.tune.choice import Measured
from densehook.tune.kinds.found import Found
from densehook.tune.kinds.reranked import Reranked
from densehook.tune.quality import ndcg_of
from densehook.tune.speed import Setting, encoder_of
from tiny_collection import small_collection


def test_a_sample_keeps_what_is_judged_and_is_always_the_same() -> None:
    whole, part = (sample(small_collection(), " ", limit) for limit in (1000, 30))
    assert len(whole.ids) == whole.of == len(PASSAGES)
    assert len(part.ids) == len(part.documents) == 30
    assert {f"d{number}" for number in range(20)} <= set(part.ids)
    assert part == sample(small_collection(), " ", 30)
    assert len(sample(small_collection(), " ", 1).ids) == 20
    assert whole.documents[0] == f"{PASSAGES[0].split()[0]} {PASSAGES[0]}"


def test_an_empty_collection_cannot_be_sampled() -> None:
    with pytest.raises(CollectionError, match="collection small has no documents"):
        sample(small_collection(0), " ", 10)


def test_ndcg_is_of_exact_search_and_drops_the_query_itself() -> None:
    made = Sample("x", ["a", "b", "q"], ["", "", ""], {"q": "?"}, {"q": {"b": 1}}, 3)
    documents = np.array([[1, 0], [3, 1], [9, 9]], dtype=np.float32)
    query = np.array([[1, 0]], dtype=np.float32)
    # by dot product b is first, once q itself is gone; by cosine a is
    assert ndcg(made, documents, query, "dot_product") == 1.0
    assert ndcg(made, documents, query, "cosine") == pytest.approx(1 / np.log2(3), abs=1e-4)


@pytest.fixture(scope="module")
def tuned(make_tiny_bundle: Callable[..., Bundle]) -> tuple[Bundle, Bundle]:
    """The plain bundle as it was, and the tuned one in its place."""
    plain = make_tiny_bundle("bert")
    only = ["int8-static", "fp32-nopad"]
    tune_bundle(plain.path, small_collection(), max_loss=1.0, only=only)
    return plain, read_bundle(plain.path)


def test_the_bundle_becomes_the_chosen_variant(tuned: tuple[Bundle, Bundle]) -> None:
    plain, bundle = tuned
    tuning = bundle.tuning()
    assert tuning is not None
    assert bundle.manifest.variant == ("" if tuning.variant == "fp32" else tuning.variant)
    kept = bundle.path / "variants"
    assert {folder.name for folder in kept.iterdir()} == {"fp32", "fp32-nopad", "int8-static"}
    assert read_bundle(kept / "fp32").manifest.files == plain.manifest.files  # its proof too
    chosen = read_bundle(kept / tuning.variant)
    assert chosen.manifest.fingerprint == bundle.manifest.fingerprint


def test_the_evidence_lies_in_the_bundle(tuned: tuple[Bundle, Bundle]) -> None:
    _, bundle = tuned
    tuning = read_tuning(bundle.path)
    assert tuning is not None
    assert (tuning.collection, tuning.documents, tuning.queries) == ("small", len(PASSAGES), 20)
    rows = {row["variant"]: row for row in tuning.measured}
    assert set(rows) == {"fp32", "fp32-nopad", "int8-static"}
    fastest = max(rows.values(), key=lambda row: row["texts_per_second"])
    assert tuning.variant == fastest["variant"]
    assert set(tuning.versions) == {"densehook", "onnxruntime"}
    assert rows["fp32"]["loss"] == 0
    assert abs(rows["fp32-nopad"]["quality"] - rows["fp32"]["quality"]) <= 1e-3
    with Image.open(bundle.path / "tuning.png") as picture:
        assert picture.width > 600
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20


def test_a_tuned_bundle_runs_as_it_was_tuned(tuned: tuple[Bundle, Bundle]) -> None:
    _, bundle = tuned
    tuning = bundle.tuning()
    assert tuning is not None
    encoder = load(bundle.path)
    assert encoder.tokens_per_run == tuning.tokens_per_run
    assert encoder.encode_documents(PASSAGES).shape == (
        len(PASSAGES),
        bundle.manifest.of(Dense).dims,
    )


def test_tuning_again_starts_from_the_plain_bundle(tuned: tuple[Bundle, Bundle]) -> None:
    plain, bundle = tuned
    again = tune_bundle(bundle.path, small_collection(), max_loss=0.0, only=["fp32"])
    assert again.variant == "fp32"
    assert read_bundle(bundle.path).manifest.fingerprint == plain.manifest.fingerprint


@pytest.mark.parametrize("kind", ["multi", "sparse"])
def test_tokens_are_tuned_by_how_well_they_find(
    make_late_bundle: Callable[..., Bundle], sparse_bundle: Bundle, tmp_path: Path, kind: str
) -> None:
    plain = make_late_bundle("colbert") if kind == "multi" else sparse_bundle
    shutil.copytree(plain.path, tmp_path / "bundle")
    tuning = tune_bundle(
        tmp_path / "bundle", small_collection(), max_loss=1.0, only=["int8-dynamic"]
    )
    rows = {row["variant"]: row for row in tuning.measured}
    assert rows["fp32"]["loss"] == 0 and 0 < rows["fp32"]["quality"] <= 1
    assert abs(rows["int8-dynamic"]["loss"]) < 1
    assert rows["int8-dynamic"]["lowest_cosine"] < rows["fp32"]["lowest_cosine"] == 1
    assert read_bundle(tmp_path / "bundle").manifest.kind == kind


def headings(tuning: Tuning) -> list[str]:
    """Of what the command prints of each variant, whose rows are as long."""
    table = table_of(tuning)
    assert table.row_count == len(tuning.measured)
    found = [str(column.header) for column in table.columns]
    assert found[0] == "variant" and not found[-1]
    return found[1:-1]


def test_pairs_are_tuned_by_how_well_they_rerank(
    pair_bundle: Callable[[str], Bundle], tmp_path: Path
) -> None:
    path = tmp_path / "bundle"
    shutil.copytree(pair_bundle("bert").path, path)
    only = ["int8-static"]
    tuning = tune_bundle(path, small_collection(), max_loss=1.0, only=only)
    assert (tuning.way, tuning.unit, tuning.queries) == ("reranking 50 candidates", "pairs", 20)
    rows = {row["variant"]: row for row in tuning.measured if "refused" not in row}
    assert rows["fp32"]["loss"] == 0 and 0 < rows["fp32"]["quality"] <= 1
    assert rows["fp32"]["orders_agree"] == 1
    assert all(
        0 <= row["orders_agree"] <= 1 and "lowest_cosine" not in row for row in rows.values()
    )
    assert set(rows) | {row["variant"] for row in tuning.measured} == {"fp32", *only}
    assert headings(tuning) == ["pairs/s", "x fp32", "nDCG@10", "loss", "orders", "MB"]
    bundle = read_bundle(path)
    assert bundle.manifest.kind == "cross"
    assert bundle.tuning() == tuning
    scorer = load(path)
    assert scorer.tokens_per_run == tuning.tokens_per_run
    assert scorer.score("how do vaccines work", PASSAGES[:3]).shape == (3,)


def test_candidates_are_what_bm25_finds_with_the_relevant_among_them() -> None:
    corpus = sample(small_collection(), " ", 1000)
    reranked = Reranked(corpus)
    assert reranked.queries == 20
    assert reranked.steps == sum(len(each) for each in reranked.candidates.values())
    for query, places in reranked.candidates.items():
        (relevant,) = corpus.qrels[query]
        assert corpus.ids.index(relevant) in places
        assert len(places) == len(set(places)) <= 50
    unfound = replace(corpus, queries={"q0": "zzz"}, qrels={"q0": {"d3": 1, "d4": 0}})
    assert Reranked(unfound).candidates == {"q0": [corpus.ids.index("d3")]}
    words = replace(corpus, queries={"q0": " ".join(PASSAGES[7].split()[2:9])}, qrels={"q0": {}})
    assert Reranked(words).candidates["q0"][0] == corpus.ids.index("d7")


def test_the_best_possible_order_has_the_measure_1() -> None:
    corpus = sample(small_collection(), " ", 1000)
    relevant = {
        text: corpus.documents[corpus.ids.index(f"d{q[1:]}")] for q, text in corpus.queries.items()
    }
    scorer = SimpleNamespace(
        manifest=SimpleNamespace(kind="cross"),
        score_counted=lambda pairs: SimpleNamespace(
            scores=np.array([relevant[query] == text for query, text in pairs], dtype=np.float32)
        ),
    )
    heard: list[int] = []
    reranked = Reranked(corpus)
    assert reranked.measured(scorer, heard.append) == {"cross": 1.0}  # type: ignore[arg-type]
    assert heard[-1] == reranked.steps


def test_several_kinds_are_tuned_as_one_and_each_keeps_its_own(
    m3_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle"
    shutil.copytree(m3_bundle.path, path)
    tuning = tune_bundle(path, small_collection(), max_loss=1.0, only=["int4"])
    rows = {row["variant"]: row for row in tuning.measured if "refused" not in row}
    for row in rows.values():
        assert list(row["kinds"]) == ["dense", "sparse", "multi"]
        assert row["loss"] == max(kept["loss"] for kept in row["kinds"].values())
        assert row["quality"] == row["kinds"]["dense"]["quality"]
    alone = [
        ndcg_of(head, corpus, *encode_sample(head, corpus))
        for corpus in [sample(small_collection(), " ", 1000)]
        for head in map(load(m3_bundle.path).of_kind, rows["fp32"]["kinds"])
    ]
    assert [kept["quality"] for kept in rows["fp32"]["kinds"].values()] == pytest.approx(
        alone, abs=1e-3
    )
    of_kinds = ["nDCG@10 dense", "nDCG@10 sparse", "nDCG@10 multi"]
    assert headings(tuning) == ["texts/s", "x fp32", *of_kinds, "loss", "cosine", "MB"]
    right = Found.measured

    def without_sparse(self: Found, encoder: Encoder, on_progress: Any) -> dict[str, float]:
        found = dict(right(self, encoder, on_progress))
        return {**found, "sparse": 0.0} if encoder.manifest.variant else found

    monkeypatch.setattr(Found, "measured", without_sparse)
    again = tune_bundle(path, small_collection(), max_loss=0.01, only=["int4"])
    assert again.variant == "fp32"
    (spoilt,) = [row for row in again.measured if row.get("objection")]
    assert spoilt["objection"] == "loses more than 0.01 as sparse"
    with Image.open(path / "tuning.png") as picture:
        assert picture.width > 600


def test_a_pair_is_not_tuned(
    tiny_bundle: Bundle,
    other_tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("densehook.tune.towers.LEAST_COSINE", -1.0)
    corpus = replace(sample(small_collection(), " ", 30), qrels={})
    pair = pair_bundles(tiny_bundle.path, other_tiny_bundle.path, tmp_path / "pair", corpus)
    with pytest.raises(BundleError, match="tune each of the two by itself, then pair them again"):
        tune_bundle(pair.bundle.path, small_collection())
    assert read_bundle(pair.bundle.path).manifest == pair.bundle.manifest


def test_a_tuning_that_fails_leaves_the_bundle_as_it_was(
    make_tiny_bundle: Callable[..., Bundle],
) -> None:
    bundle = make_tiny_bundle("bert", seed=3)
    with pytest.raises(ExportError, match="no variant 'int9'"):
        tune_bundle(bundle.path, small_collection(), only=["int9"])
    assert read_bundle(bundle.path).manifest == bundle.manifest
    assert [path.name for path in bundle.path.parent.iterdir() if path.name[0] == "."] == []


class OtherKernels(Session):
    """A GPU that is none: its vectors are as long as their batch is large."""

    def __init__(self, *arguments: Any, provider: str = "cpu", **options: Any) -> None:
        super().__init__(*arguments, provider="cpu", **options)
        self.stretch = 0.01 if provider == "cuda" else 0.0

    def run(self, batch: Batch) -> Vectors:
        return super().run(batch) * np.float32(1 + self.stretch * len(batch.ids))


@pytest.fixture
def other_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_module, "Session", OtherKernels)
    monkeypatch.setattr(gating, "available_providers", lambda: ["cpu", "cuda"])
    monkeypatch.setattr(tuning_module, "available_providers", lambda: ["cpu", "cuda"])


def test_every_provider_passes_a_gate_of_its_own(
    make_tiny_bundle: Callable[..., Bundle], other_kernels: None
) -> None:
    bundle = make_tiny_bundle("bert", seed=5)
    tuning = tune_bundle(bundle.path, small_collection(), max_loss=1.0, only=["int4"])
    rows = {
        (row["variant"], row["setting"]["provider"]): row
        for row in tuning.measured
        if "refused" not in row
    }
    # whoever sits in a larger batch is nearer to every question: fp32 is asked for its neighbours
    assert set(rows) == {("fp32", "cpu"), ("int4", "cpu"), ("int4", "cuda")}
    assert rows["fp32", "cpu"]["lowest_cosine"] == 1
    assert [rows["int4", provider]["batch_dependent"] for provider in ("cpu", "cuda")] == [0, 1]
    assert rows["int4", "cuda"]["objection"] == "depends on the batch"
    (refused,) = [row for row in tuning.measured if "refused" in row]
    assert (refused["variant"], refused["provider"]) == ("fp32", "cuda")
    assert "neighbours are the plain bundle's" in refused["refused"]


def test_the_manifest_says_what_was_found_on_the_provider_that_was_chosen(
    make_tiny_bundle: Callable[..., Bundle],
    other_kernels: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = make_tiny_bundle("bert", seed=6)

    def on_the_gpu(rows: Sequence[Measured], *_: object) -> Measured:
        return next(row for row in rows if row.setting.provider == "cuda")

    monkeypatch.setattr(tuning_module, "choose", on_the_gpu)
    tuning = tune_bundle(bundle.path, small_collection(), only=["int4"])
    found = read_bundle(bundle.path)
    assert found.manifest.batch_dependent
    assert (tuning.variant, tuning.provider) == ("int4", "cuda")
    assert found.manifest.fingerprint in [row.get("fingerprint") for row in tuning.measured]


def test_a_variant_that_its_setting_spoils_is_refused(
    make_tiny_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_tiny_bundle("bert", seed=7)

    def spoilt(variant: Bundle, setting: Setting) -> Encoder:
        encoder = encoder_of(variant, setting)
        if variant.manifest.variant:
            right = encoder.encode_tokens_of_kinds
            monkeypatch.setattr(
                encoder,
                "encode_tokens_of_kinds",
                lambda window, kinds: [-rows for rows in right(window, kinds)],
            )
        return encoder

    monkeypatch.setattr(tuning_module, "encoder_of", spoilt)
    tuning = tune_bundle(bundle.path, small_collection(), only=["int4"])
    assert tuning.variant == "fp32"
    (refused,) = [row for row in tuning.measured if "refused" in row]
    assert (refused["variant"], refused["provider"]) == ("int4", "cpu")
    assert "the graph fails the self-test: cosine" in refused["refused"]


def test_tune_lacks_matplotlib_before_the_work(
    make_tiny_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_tiny_bundle("bert", seed=8)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"matplotlib.* is not installed; .*\[tune\]"):
        tune_bundle(
            bundle.path, small_collection(), progress=lambda *_: pytest.fail("work was begun")
        )


def test_a_variant_alone_cannot_be_tuned(
    make_tiny_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    from densehook.export.variants import build_variant

    lone = build_variant(make_tiny_bundle("bert", seed=4), "int8-static", tmp_path / "x", PASSAGES)
    with pytest.raises(
        BundleError, match="is the variant 'int8-static' and holds no variants/fp32"
    ):
        tune_bundle(lone.path, small_collection())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens_per_run": 0}, "tokens_per_run is 0; it must be a positive number"),
        ({"concurrent_runs": "two"}, "concurrent_runs is 'two'"),
        ({"colour": "red"}, "unknown 'colour'; tune the bundle again"),
    ],
)
def test_a_damaged_tuning_is_named(
    tuned: tuple[Bundle, Bundle], tmp_path: Path, change: dict[str, object], message: str
) -> None:
    content = json.loads((tuned[1].path / TUNING).read_text())
    (tmp_path / TUNING).write_text(json.dumps({**content, **change}))
    with pytest.raises(BundleError, match=message):
        read_tuning(tmp_path)


def test_a_tuning_of_an_older_densehook_names_no_versions(
    tuned: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    content = json.loads((tuned[1].path / TUNING).read_text())
    for later in ("versions", "way", "unit"):
        del content[later]
    (tmp_path / TUNING).write_text(json.dumps(content))
    tuning = read_tuning(tmp_path)
    assert tuning is not None
    assert (tuning.versions, tuning.way, tuning.unit) == ({}, "exact search", "texts")


def test_an_untuned_bundle_has_no_tuning(tmp_path: Path) -> None:
    assert read_tuning(tmp_path) is None
