"""Whitening inside the graph is the whitening of numpy, and a bundle like any other."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from densehook.bundle import Bundle, Dense, read_bundle, write_golden
from densehook.collections import help_topics, sample, unjudged
from densehook.encode import Encoder, cosines, load
from densehook.errors import BundleError, ExportError, GateError
from densehook.export import finishing, whitening
from densehook.export.texts import PASSAGES
from densehook.export.variants import build_variant
from densehook.export.whitening import learn_centring, learn_whitening, write_transformed
from densehook.tune import encode_sample, ndcg, whiten_bundle
from tiny_collection import small_collection

VECTORS = np.random.default_rng(0).normal(3, [1, 5, 0.1, 2], (500, 4)).astype(np.float32)


def test_whitened_vectors_have_mean_0_and_no_covariance() -> None:
    moved = learn_whitening(VECTORS, normalise=False)(VECTORS).astype(np.float64)
    np.testing.assert_allclose(moved.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cov(moved, rowvar=False, bias=True), np.eye(4), atol=1e-5)


def test_centred_vectors_have_mean_0_and_their_own_covariance() -> None:
    moved = learn_centring(VECTORS, normalise=False)(VECTORS).astype(np.float64)
    np.testing.assert_allclose(moved.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cov(moved.T), np.cov(VECTORS.T), atol=1e-3)


def test_the_widest_directions_are_kept() -> None:
    transform = learn_whitening(VECTORS, normalise=True, dims=2)
    assert transform.matrix.shape == (4, 2)
    assert [int(np.abs(column).argmax()) for column in transform.matrix.T] == [1, 3]
    np.testing.assert_allclose(np.linalg.norm(transform(VECTORS), axis=1), 1, atol=1e-6)


def test_fewer_texts_than_dimensions_cannot_whiten_all() -> None:
    with pytest.raises(ExportError, match="3 texts span 2 directions, 4 are to be kept"):
        learn_whitening(VECTORS[:3], normalise=True)
    assert learn_whitening(VECTORS[:3], normalise=True, dims=2).matrix.shape == (4, 2)
    with pytest.raises(ExportError, match="5 dimensions cannot be kept, the encoder has 4"):
        learn_centring(VECTORS, normalise=True, dims=5)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("learn", [learn_whitening, learn_centring])
def test_the_graph_gives_what_numpy_gives(
    shared_tiny_bundle: Callable[..., Bundle],
    tmp_path: Path,
    normalise: bool,
    learn: Callable[..., whitening.Transform],
) -> None:
    origin = shared_tiny_bundle("bert", normalise=normalise)
    plain = load(origin.path)
    transform = learn(plain.encode_documents(PASSAGES), normalise, 8)
    made = write_transformed(origin, tmp_path / "moved", "moved", transform, {})
    assert (made.manifest.name, made.manifest.of(Dense).dims) == ("moved", 8)
    assert made.manifest.fingerprint != origin.manifest.fingerprint
    texts = ["a text that nothing was learned from", *PASSAGES[:5]]
    found = load(made.path).encode_documents(texts)
    np.testing.assert_allclose(found, transform(plain.encode_documents(texts)), atol=1e-4)


def test_a_wrong_matrix_in_the_graph_cannot_pass_the_gate(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transform = learn_whitening(load(tiny_bundle.path).encode_documents(PASSAGES), True, 8)
    append = whitening.append_transform

    def append_wrongly(model: object, right: whitening.Transform, output: str) -> None:
        append(model, dataclasses.replace(right, mean=right.mean * 0.9), output)

    monkeypatch.setattr(whitening, "append_transform", append_wrongly)
    with pytest.raises(GateError, match="not the transform's equal"):
        write_transformed(tiny_bundle, tmp_path / "wrong", "wrong", transform, {})
    assert not (tmp_path / "wrong").exists()


def test_a_bundle_that_no_load_would_take_is_not_written(damaged: Bundle, tmp_path: Path) -> None:
    transform = learn_whitening(load(damaged.path).encode_documents(PASSAGES), True, 8)
    first, *others = damaged.golden()
    wrong = dataclasses.replace(first, output=[-x for x in first.output])
    write_golden(damaged.path / "golden.json", [wrong, *others], damaged.manifest.part)
    with pytest.raises(GateError, match="fails the self-test: cosine"):
        write_transformed(damaged, tmp_path / "wrong", "wrong", transform, {})
    assert not (tmp_path / "wrong").exists()


def test_the_real_model_whitened_is_measured_as_it_will_be_served(
    minilm_bundle: Bundle, minilm: Encoder, tmp_path: Path
) -> None:
    topics = help_topics()
    some = dict(itertools.islice(topics.qrels.items(), 0, None, 3))
    questions = {question: topics.queries[question] for question in some}
    topics = dataclasses.replace(topics, queries=questions, qrels=some)
    corpus = sample(topics, " ", 1)  # the judged ones
    made = whiten_bundle(minilm_bundle.path, tmp_path / "white", corpus, dims=64)
    assert (made.bundle.manifest.name, made.bundle.manifest.of(Dense).dims) == ("white", 64)
    evidence = json.loads((made.bundle.path / "parity.json").read_text())
    assert evidence["compared_with"] == minilm.fingerprint
    assert evidence["transform"] == {
        "kind": "whitening",
        "corpus": "python-help-topics",
        "texts": len(corpus.documents),
    }
    found = encode_sample(load(made.bundle.path), corpus)
    assert made.after == pytest.approx(ndcg(corpus, *found, "dot_product"), abs=1e-3)
    assert made.before is not None
    assert made.before > 0.45
    np.testing.assert_allclose(found[0].mean(0), 0, atol=0.02)


def test_a_whitened_bundle_has_variants_like_any(tiny_bundle: Bundle, tmp_path: Path) -> None:
    corpus = unjudged("texts", list(PASSAGES))
    first, again = (
        whiten_bundle(tiny_bundle.path, tmp_path / name, corpus, dims=8).bundle for name in "ab"
    )
    assert again.manifest.fingerprint == first.manifest.fingerprint
    for name in ("fp32-nopad", "int8-static"):
        made = build_variant(read_bundle(first.path), name, tmp_path / name, PASSAGES)
        texts = list(PASSAGES[:20])
        vectors = (load(bundle.path).encode_documents(texts) for bundle in (made, first))
        assert cosines(*vectors).mean() > 0.95


def test_texts_without_judgements_are_enough(tiny_bundle: Bundle, tmp_path: Path) -> None:
    corpus = unjudged("texts.txt", list(PASSAGES))
    made = whiten_bundle(tiny_bundle.path, tmp_path / "centred", corpus, centre_only=True)
    assert (made.before, made.after) == (None, None)
    assert made.bundle.manifest.of(Dense).dims == tiny_bundle.manifest.of(Dense).dims


def test_a_bundle_is_not_whitened_in_its_own_place_nor_around_it(tiny_bundle: Bundle) -> None:
    corpus = sample(small_collection(), " ", 100)
    for output in (tiny_bundle.path, tiny_bundle.path.parent):
        with pytest.raises(ExportError, match="is the bundle itself, or holds it; write to anoth"):
            whiten_bundle(tiny_bundle.path, output, corpus)


def test_a_folder_that_is_no_bundle_is_not_replaced(tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").touch()
    corpus = unjudged("texts", list(PASSAGES))
    with pytest.raises(ExportError, match=r"is there and holds no encoder\.json"):
        whiten_bundle(
            tiny_bundle.path, tmp_path, corpus, progress=lambda texts: pytest.fail("encoded")
        )
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.toml"]


def test_a_place_that_cannot_be_written_is_one_line(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transform = learn_whitening(load(tiny_bundle.path).encode_documents(PASSAGES), True, 8)
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match=r"white cannot be (read|written): "):
        write_transformed(tiny_bundle, tmp_path / "file" / "white", "white", transform, {})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(finishing, "write_golden", full)
    with pytest.raises(ExportError, match="white cannot be written: No space left on device"):
        write_transformed(tiny_bundle, tmp_path / "white", "white", transform, {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_variant_without_its_plain_bundle_is_refused(tiny_bundle: Bundle, tmp_path: Path) -> None:
    build_variant(tiny_bundle, "int8-static", tmp_path / "int8", PASSAGES)
    with pytest.raises(BundleError, match="export the bundle again"):
        whiten_bundle(tmp_path / "int8", tmp_path / "white", unjudged("x", list(PASSAGES)))
