"""Every variant of the real all-MiniLM-L6-v2: near the plain bundle, and still finds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from densehook.bundle import PRECISION_BOUNDS, Bundle, read_bundle
from densehook.collections.packaged import passages
from densehook.encode import Encoder, cosines, load
from densehook.export.variants import VARIANTS, build_variant

DOCUMENTS = [passage.text for passage in itertools.islice(passages(), 0, None, 20)]
QUERIES = ["how do I read a file line by line", "run code when an object is deleted"]


@pytest.fixture(scope="module")
def built(
    minilm_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Bundle]:
    folder = tmp_path_factory.mktemp("variants")

    def build(name: str) -> Bundle:
        if not (folder / name).is_dir():
            build_variant(minilm_bundle, name, folder / name, DOCUMENTS)
        return read_bundle(folder / name)

    return build


@pytest.fixture(scope="module")
def plain_vectors(minilm: Encoder) -> np.ndarray:
    return minilm.encode_documents(DOCUMENTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_the_real_model_is_near_the_plain_bundle(
    name: str, built: Callable[[str], Bundle], minilm: Encoder, plain_vectors: np.ndarray
) -> None:
    encoder = load(built(name).path)
    vectors = encoder.encode_documents(DOCUMENTS)
    similar = cosines(vectors, plain_vectors)
    assert similar.min() >= PRECISION_BOUNDS[encoder.manifest.precision]
    assert (
        similar.mean()
        >= {"fp32": 0.999999, "fp16": 0.9999, "int8": 0.985, "int4": 0.95}[
            encoder.manifest.precision
        ]
    )
    wanted = minilm.encode_queries(QUERIES) @ plain_vectors.T
    found = encoder.encode_queries(QUERIES) @ vectors.T
    for expected, row in zip(wanted, found, strict=True):
        assert len({*np.argsort(-row)[:10]} & {*np.argsort(-expected)[:10]}) >= 7


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_the_real_model_says_whether_company_matters(
    name: str, built: Callable[[str], Bundle]
) -> None:
    encoder = load(built(name).path)
    texts = DOCUMENTS[:40]
    alone = np.vstack([encoder.encode_documents([text]) for text in texts])
    difference = np.abs(encoder.encode_documents(texts) - alone).max()
    assert encoder.manifest.batch_dependent == (name == "int8-dynamic")
    if encoder.manifest.batch_dependent:
        assert difference > 1e-3
    else:
        assert difference <= 1e-6


def test_a_variant_made_twice_is_the_same(
    built: Callable[[str], Bundle], minilm_bundle: Bundle, tmp_path: Path
) -> None:
    again = build_variant(minilm_bundle, "int8-static", tmp_path / "again", DOCUMENTS)
    assert again.manifest.fingerprint == built("int8-static").manifest.fingerprint
