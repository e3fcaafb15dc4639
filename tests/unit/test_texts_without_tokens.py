"""A text of which the tokenizer makes nothing is refused by its place, whatever the encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from densehook.encode import CrossEncoder, Encoder, load
from densehook.errors import EncodeError
from without_tokens import NOTHING, static, strict

KINDS = ("dense", "sparse", "multi", "static", "siglip")


@pytest.fixture
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Encoder]:
    """An encoder of a kind whose tokenizer adds nothing to a text."""

    def get(kind: str) -> Encoder:
        if kind == "static":
            bundle = static(tmp_path)
        elif kind == "multi":
            bundle = request.getfixturevalue("make_late_bundle")("pylate")
        elif kind == "cross":
            bundle = request.getfixturevalue("pair_bundle")("bert")
        else:
            bundle = request.getfixturevalue("tiny_bundle" if kind == "dense" else f"{kind}_bundle")
        return load(strict(bundle, tmp_path, "strict").path)

    return get


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_without_a_token_is_named_by_its_place(
    make: Callable[[str], Encoder], kind: str
) -> None:
    encoder = make(kind)
    for encode in (encoder.encode_documents, encoder.encode_queries):
        with pytest.raises(EncodeError, match=rf"text 1 \('{NOTHING}'\) gives no token") as refused:
            encode(["water", NOTHING])
        assert refused.value.position == 1
    each = encoder.encode_each(["water", NOTHING, "blood"], "document")
    assert list(each.failures) == [1]
    alone = encoder.encode_documents(["water", "blood"])
    for found, expected in zip([each.vectors[0], each.vectors[2]], alone, strict=True):
        if isinstance(expected, dict):
            assert found == pytest.approx(expected, abs=1e-5)
        else:
            np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("query", "texts", "place", "half"),
    [
        (NOTHING, ["water"], 0, "query"),
        ("water", ["blood", NOTHING], 1, "text"),
        ("water", [""], 0, "text"),
        (NOTHING, [NOTHING], 0, "query"),
    ],
)
def test_a_pair_one_half_of_which_has_no_token_is_refused(
    make: Callable[[str], Encoder], query: str, texts: list[str], place: int, half: str
) -> None:
    encoder = cast(CrossEncoder, make("cross"))
    said = {"query": query, "text": texts[place]}[half]
    for score in (encoder.score, encoder.rank, encoder.score_best):
        with pytest.raises(
            EncodeError, match=f"^pair {place}: its {half} '{said}' gives no token$"
        ) as refused:
            score(query, texts)
        assert refused.value.position == place
    with pytest.raises(EncodeError, match=f"its {half} '{said}' gives no token"):
        encoder.score_best(query, texts, 3)
