"""`densehook bench` measures what encoders of each kind do."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import tiny_models
import tiny_numbers
from densehook.bundle import Bundle
from densehook.cli.app import app
from densehook.collections import Sample
from densehook.encode.timing import TIMINGS, numbers, pairs, texts, timed
from densehook.encode.timing.images import made_images
from densehook.errors import BundleError, EncodeError
from densehook.export import Recipe, export_bundle
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.images import pixels_of
from densehook.number_lists import numbers_of_text
from densehook.tune import pair_bundles

OF_BULK = {"bundle", "cpus", "load_seconds", "bulk", "bulk_seconds", "padding"}
OF_TEXTS = {*OF_BULK, "queries"}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries are few: nothing here is about speed."""
    monkeypatch.setattr(texts, "_QUERIES", 8)
    monkeypatch.setattr(pairs, "_RERANKINGS", 3)


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(PASSAGES[:12]))
    return path


def bench(bundle: Bundle, lines: Path, *more: str) -> Result:
    return CliRunner().invoke(
        app(["bench"]), ["bench", str(bundle.path), "--texts", str(lines), *more]
    )


def measured(bundle: Bundle, lines: Path, *more: str) -> dict[str, Any]:
    done = bench(bundle, lines, "--json", *more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["bulk"]["texts"] == 12
    assert found["bulk"]["tokens"] > 12 and found["bulk_seconds"] > 0
    assert 0 <= found["padding"] < 1
    return found


def require_callers(times: Sequence[dict[str, float]]) -> None:
    assert [each["callers"] for each in times] == [1, 4]
    assert all(0 < each["p50_ms"] <= each["p99_ms"] for each in times)


@pytest.mark.parametrize("kind", ["dense", "sparse", "sparse without inference", "multi"])
def test_texts_are_documents_and_queries(
    tiny_bundle: Bundle,
    sparse_bundle: Bundle,
    idf_bundle: Bundle,
    make_late_bundle: Callable[..., Bundle],
    lines: Path,
    kind: str,
) -> None:
    bundle = {
        "dense": lambda: tiny_bundle,
        "sparse": lambda: sparse_bundle,
        "sparse without inference": lambda: idf_bundle,
        "multi": lambda: make_late_bundle("colbert"),
    }[kind]()
    found = measured(bundle, lines)
    assert set(found) == OF_TEXTS
    require_callers(found["queries"])
    assert "queries, 4 at a time" in bench(bundle, lines).stdout


def test_a_cross_encoder_scores_pairs_and_reranks(
    pair_bundle: Callable[[str], Bundle], lines: Path
) -> None:
    bundle = pair_bundle("bert")
    found = measured(bundle, lines)
    assert set(found) == {*OF_BULK, "candidates", "rerankings"}
    assert found["candidates"] == 50
    require_callers(found["rerankings"])
    out = bench(bundle, lines).stdout
    assert "12 pairs" in out and "pairs/s" in out
    assert "rerankings of 50, 4 at a time" in out


def test_a_single_text_is_a_pair_too(pair_bundle: Callable[[str], Bundle]) -> None:
    assert timed(pair_bundle("bert"), PASSAGES[:1]).said()[1][0] == "1 pairs"


def test_several_kinds_are_run_at_once_and_each_alone(m3_bundle: Bundle, lines: Path) -> None:
    found = measured(m3_bundle, lines)
    assert set(found) == {*OF_TEXTS, "seconds_of_kind"}
    assert list(found["seconds_of_kind"]) == ["dense", "sparse", "multi"]
    assert all(seconds > 0 for seconds in found["seconds_of_kind"].values())
    require_callers(found["queries"])
    out = " ".join(bench(m3_bundle, lines).stdout.split())
    assert "in one run dense, sparse, multi" in out
    assert "multi alone" in out


@pytest.mark.parametrize("model", ["clip_bundle", "siglip_bundle"])
def test_images_are_encoded_beside_texts(
    request: pytest.FixtureRequest, lines: Path, tmp_path: Path, model: str
) -> None:
    bundle: Bundle = request.getfixturevalue(model)
    found = measured(bundle, lines)
    assert set(found) == {*OF_TEXTS, "images", "images_seconds"}
    assert found["images"] == len(made_images())
    assert found["images_seconds"] > 0
    for number, name in enumerate(("one.png", "two.JPG", "three.jpeg", "notes.txt")):
        content = io.BytesIO()
        Image.new("RGB", (40 + number, 30), (number, 0, 0)).save(content, "JPEG")
        (tmp_path / name).write_bytes(content.getvalue())
    assert measured(bundle, lines, "--images", str(tmp_path))["images"] == 3
    assert "3 images" in bench(bundle, lines, "--images", str(tmp_path)).stdout


def test_images_that_are_made_up_are_always_the_same_photographs() -> None:
    shapes = {pixels_of(each).shape for each in made_images()}
    assert shapes == {(480, 640, 3)}
    assert made_images() == made_images()
    assert len({bytes(each) for each in made_images()}) == len(made_images())


def test_two_towers_say_who_makes_queries(
    tiny_bundle: Bundle,
    other_tiny_bundle: Bundle,
    lines: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("densehook.tune.towers.LEAST_COSINE", -1.0)
    corpus = Sample("few", ["a"], [PASSAGES[0]], {"q": QUESTIONS[0]}, {}, 1)
    output = tmp_path / "pair"
    bundle = pair_bundles(tiny_bundle.path, other_tiny_bundle.path, output, corpus).bundle
    assert set(measured(bundle, lines)) == OF_TEXTS
    assert "queries by tiny-bert, fp32" in " ".join(bench(bundle, lines).stdout.split())


def test_a_table_of_vectors_is_measured_as_texts_are(lines: Path, tmp_path: Path) -> None:
    folder = tiny_models.make_table(tmp_path / "table", 24)
    bundle = export_bundle(Recipe("static", str(folder)), tmp_path / "bundle")
    assert set(measured(bundle, lines)) == OF_TEXTS


def test_lists_of_numbers_are_documents_and_queries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "MADE", 12)
    bundle = tiny_numbers.make_numbers_bundle(tmp_path, "attended", max_tokens=96)
    done = CliRunner().invoke(app(["bench"]), ["bench", str(bundle.path)])
    said = " ".join(done.stdout.split())
    assert "12 lists" in said and "numbers/s" in said and "queries, 4 at a time" in said
    made = numbers.made_lists(bundle.manifest)
    assert made == numbers.made_lists(bundle.manifest) and len(set(made)) == 12
    assert all(numbers_of_text(text).channels == 3 for text in made)


def test_what_cannot_be_measured_is_said(
    tiny_bundle: Bundle, clip_bundle: Bundle, lines: Path, tmp_path: Path
) -> None:
    with pytest.raises(EncodeError, match="there are no texts to encode; give some"):
        timed(tiny_bundle, [])
    with pytest.raises(BundleError, match="is of kind 'dense'; this can be done with one of kind"):
        timed(tiny_bundle, PASSAGES, images=[Path("cat.jpg")])
    empty = tmp_path / "empty"
    empty.mkdir()
    done = bench(clip_bundle, lines, "--images", str(empty))
    assert done.exit_code == 2
    assert "has no files .jpg, .jpeg, .png" in " ".join(done.stderr.replace("│", " ").split())


def test_only_kinds_that_differ_are_measured_otherwise() -> None:
    assert set(TIMINGS) == {"cross", "image-text", "numbers"}
