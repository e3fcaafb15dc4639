"""Token vectors are stored, pooled and compared as the plugin does it: by the same cases."""

from __future__ import annotations

import json
import time
import tracemalloc
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.errors import VectorError
from densehook.hooks.kinds.multi import TokenField
from densehook.multivector import PRECISIONS, header_of, maxsim, pack, pooled, pooling, unpack

ROOT = Path(__file__).parent.parent.parent
SHARED = ROOT / "plugin/elasticsearch/src/test/resources/org/densehook/multivector"
CASES = json.loads((SHARED / "cases.json").read_text())
LONG = json.loads((SHARED / "long.json").read_text())
LOST = {"float32": 0, "int8": 0.005}
"""How far a number may be from what it was, of vectors of length 1."""


def rows(case: Any, key: str) -> Any:
    return np.array(case[key], dtype=np.float32).reshape(-1, case["dims"])


def made(tokens: int, dims: int, seed: int = 0) -> Any:
    found = np.random.default_rng(seed).normal(size=(tokens, dims)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{len(case['document'])} numbers")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_bytes_and_scores_are_those_of_the_cases(case: Any, precision: str) -> None:
    stored = case["stored"][precision]
    assert pack(rows(case, "document"), precision) == b64decode(stored["value"])
    score = maxsim(rows(case, "query"), unpack(b64decode(stored["value"])))
    assert score == pytest.approx(stored["score"], abs=1e-5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{len(case['document'])} numbers")
def test_pooling_is_scipys_clustering_by_ward(case: Any) -> None:
    for factor, expected in case["pooled"].items():
        found = pooled(rows(case, "document"), int(factor))
        np.testing.assert_allclose(found.ravel(), expected, atol=1e-5)


@given(st.integers(0, 40), st.integers(1, 33), st.sampled_from(list(PRECISIONS)))
def test_what_is_stored_is_read_again_as_near_as_its_precision(
    tokens: int, dims: int, precision: str
) -> None:
    vectors = made(tokens, dims)
    value = pack(vectors, precision)
    assert header_of(value) == (precision, dims, tokens)
    found = unpack(value)
    assert found.shape == vectors.shape
    if precision in LOST:
        assert np.abs(found - vectors).max(initial=0) <= LOST[precision] + 1e-7
    elif tokens:  # nearer than the mean is, from which its bits are counted
        apart = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
        assert (np.linalg.norm(found - vectors, axis=1) <= apart + 1e-6).all()


@given(st.integers(1, 40), st.sampled_from([2, 3, 4]))
def test_pooling_leaves_the_first_vector_and_so_many_times_fewer_of_the_others(
    tokens: int, factor: int
) -> None:
    vectors = made(tokens, 12)
    found = pooled(vectors, factor)
    assert len(found) == (1 if tokens == 1 else 1 + max(1, (tokens - 1) // factor))
    np.testing.assert_array_equal(found[0], vectors[0])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_equal_tokens_are_merged_before_others() -> None:
    one, other, third = made(3, 8)
    found = pooled(np.stack([one, other, third, other, third]), 2)
    np.testing.assert_allclose(found, [one, other, third], atol=1e-6)


def all_pairs(vectors: Any, factor: int) -> Any:
    """The same where each merge looks at all pairs, as pooling was before it kept nearest ones."""
    exact = vectors[1:].astype(np.float64)
    wanted = max(1, len(exact) // factor)
    distances = np.maximum(2 - 2 * (exact @ exact.T), 0)
    np.fill_diagonal(distances, np.inf)
    sizes = np.ones(len(exact))
    groups = [[place] for place in range(len(exact))]
    for _ in range(len(exact) - wanted):
        one, other = divmod(int(distances.argmin()), len(exact))
        merged = (
            (sizes[one] + sizes) * distances[one]
            + (sizes[other] + sizes) * distances[other]
            - sizes * distances[one, other]
        ) / (sizes[one] + sizes[other] + sizes)
        distances[one] = distances[:, one] = merged
        distances[one, one] = distances[other] = distances[:, other] = np.inf
        sizes[one] += sizes[other]
        groups[one] += groups[other]
        groups[other] = []
    means = np.array([exact[group].mean(axis=0) for group in groups if group])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    means /= np.where(lengths > 0, lengths, 1)
    return np.concatenate([vectors[:1], means.astype(np.float32)])


@given(
    st.integers(3, 60),
    st.integers(1, 6),
    st.integers(1, 60),
    st.sampled_from([2, 3, 4]),
)
def test_pooling_merges_what_a_look_at_all_pairs_would(
    tokens: int, dims: int, different: int, factor: int
) -> None:
    """Also where many are as near as each other: the very same numbers."""
    places = np.random.default_rng(tokens).integers(0, different, size=tokens)
    vectors = made(different, dims)[places]
    np.testing.assert_array_equal(pooled(vectors, factor), all_pairs(vectors, factor))


def signs(tokens: int, dims: int) -> Any:
    """Vectors of length 1 whose products are exact, as the plugin's test makes them."""
    state, found = 1, []
    for _ in range(tokens * dims):
        state = (state * 1103515245 + 12345) % 2**31
        found.append(0.25 if state >> 30 else -0.25)
    return np.array(found, dtype=np.float32).reshape(tokens, dims)


@pytest.mark.parametrize("factor", LONG["pooled"])
def test_a_text_of_several_windows_is_pooled_as_the_plugin_does_it(factor: str) -> None:
    rows, weighed = LONG["pooled"][factor]
    found = pooled(signs(LONG["tokens"], LONG["dims"]), int(factor))
    weights = np.arange(found.size).reshape(found.shape) * 31 % 101 / 100
    assert (len(found), float((found * weights).sum())) == (rows, pytest.approx(weighed, abs=1e-3))


def test_a_window_is_as_long_as_it_may_be_before_a_text_has_two() -> None:
    vectors = made(pooling.WINDOW + 1, 4)
    np.testing.assert_array_equal(pooled(vectors, 2), all_pairs(vectors, 2))


def test_a_long_text_is_pooled_in_bounded_time_and_memory() -> None:
    vectors = made(8192, 128)
    pooled(vectors[:9], 2)  # imports what it needs
    started = time.monotonic()
    tracemalloc.start()
    try:
        found = pooled(vectors, 4)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.shape == (1 + 8191 // 4, 128)
    assert most < 64 * 2**20
    assert time.monotonic() - started < 60


def test_maxsim_is_the_sum_of_each_tokens_best_product_and_never_under_0() -> None:
    query, document = made(3, 8), made(5, 8, seed=1)
    expected = sum(max(float(a @ b) for b in document) for a in query)
    assert maxsim(query, document) == pytest.approx(expected, abs=1e-6)
    assert maxsim(-query[:1], query[:1]) == 0
    assert maxsim(query, document[:0]) == 0


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (lambda value: value[:5], "5 bytes are no token vectors"),
        (lambda value: value[:-1], "have 15 bytes; 1 of 2 dims in float32 have 16"),
        (lambda value: b"\x02" + value[1:], "of layout 2; this densehook reads 1"),
        (lambda value: value[:1] + b"\x09" + value[2:], "of precision 9; known: 0 to 2"),
        (lambda value: value[:2] + b"\0\0" + value[4:], "1 of 0 dims in float32 have 8"),
    ],
)
def test_bytes_that_are_no_token_vectors_are_refused_in_a_line(spoiled: Any, said: str) -> None:
    value = pack(made(1, 2), "float32")
    with pytest.raises(VectorError, match=said):
        unpack(spoiled(value))


def test_a_field_stores_as_its_mapping_says() -> None:
    vectors = made(9, 8)
    for name in TokenField.INDEX_TYPES:
        precision, _, pool = name.partition("-pool")
        field = TokenField.mapped({"meta": {"precision": precision, "pool": pool or "1"}})
        value = field.written(vectors, base64=False)
        content = field.parsed(value)
        assert content is not None
        fewer = pooled(vectors, int(pool)) if pool else vectors
        assert header_of(content) == (precision, 8, len(fewer))
        assert field.are_one(value, field.written(content, base64=True))
        assert not field.are_one(value, field.written(vectors[:4], base64=True))
    assert TokenField.mapped({"meta": {"precision": "int3"}}) == TokenField()
    assert TokenField().parsed("AAAA") is None
    assert TokenField().parsed([1.0]) is None
