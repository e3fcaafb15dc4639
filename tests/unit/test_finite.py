"""A vector that is not finite is no vector: its text fails, and no other does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densehook.encode import image_text
from densehook.encode.image_text import ImageTextEncoder
from densehook.encode.running import Running, require_finite
from densehook.encode.session import Batch
from densehook.encode.tokenizer import Tokens
from densehook.errors import EncodeError

GUILTY = 666
"""A token that a graph makes no number of."""
KINDS = ("dense", "sparse", "multi")


def manifest_of(kind: str, **more: Any) -> Any:
    told = SimpleNamespace(
        kind=kind,
        whole=None,
        heads=dict.fromkeys(KINDS),
        of=lambda part: SimpleNamespace(dims=2, max_terms=2, image_tokens=4),
        output=kind,
        pad_id=0,
        knows_padding=True,
        knows_spans=False,
        **more,
    )
    told.of_kind = lambda other: told if other == kind else manifest_of(other)
    return told


def given_for(batch: Batch, name: str, value: float) -> Any:
    """What the graph has for a batch, ``value`` in the row of a guilty token."""
    made = {
        "dense": np.ones((len(batch.ids), 2), np.float32),
        "sparse": np.ones((len(batch.ids), 2, 2), np.float32),
        "multi": np.ones((len(batch.ids), 3, 2), np.float32),
    }[name]
    made[(batch.ids == GUILTY).any(axis=1), ..., -1] = value
    return made


def running(kind: str, value: float) -> Running:
    session = SimpleNamespace(
        run=lambda batch: given_for(batch, kind, value),
        run_each=lambda batch, names: [given_for(batch, name, value) for name in names],
    )
    lexicon = SimpleNamespace(weighs_queries=False, named=lambda rows: rows)
    return Running(manifest_of(kind), session, 1000, 1, {"sparse": lexicon})


def texts(count: int, *guilty: int) -> list[Tokens]:
    each = [[1, GUILTY if n in guilty else 2, 3] for n in range(count)]
    return [Tokens(ids=ids, types=[0] * 3, lost=0) for ids in each]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_whose_vector_is_not_finite_fails_alone(kind: str, value: float) -> None:
    rows, failures = running(kind, value).each(texts(9, 3, 7))
    assert {at: str(error) for at, error in failures.items()} == {
        3: "its vector is not finite",
        7: "its vector is not finite",
    }
    sound, none = running(kind, value).each(texts(9))
    assert not none
    for at in range(9):
        if at not in failures:
            assert np.array_equal(rows[at], sound[at])


def test_so_it_does_where_one_run_gives_several_kinds() -> None:
    _, failures = running("dense", np.nan).each_of_kinds(texts(5, 4), KINDS)
    assert list(failures) == [4]


def test_a_part_that_a_text_has_not_may_be_anything() -> None:
    one = running("dense", np.nan)
    one._manifest = manifest_of("dense")
    one._manifest.knows_spans = True
    rows = np.array([[[1, 1], [2, 2]], [[3, 3], [np.nan, np.nan]]], np.float32)
    one.session.run = lambda batch: rows[: len(batch.ids)]
    window = [
        Tokens(ids=[1, 2], types=[0] * 2, lost=0, spans=[(0, 1), (1, 2)]),
        Tokens(ids=[1, 2], types=[0] * 2, lost=0, spans=[(0, 2)]),
    ]
    vectors, failures = one.each_spans(window)
    assert not failures
    assert [len(vectors[at]) for at in range(2)] == [2, 1]
    window[1] = window[1]._replace(spans=[(0, 1), (1, 2)])
    one.session.run = lambda batch: rows[-len(batch.ids) :]
    assert 1 in one.each_spans(window)[1]


def test_an_image_whose_vector_is_not_finite_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = ImageTextEncoder.__new__(ImageTextEncoder)
    encoder.manifest = manifest_of("dense")
    encoder._images = SimpleNamespace(
        run_each=lambda pixels, outputs: [np.full((1, 2), pixels, np.float32) for _ in outputs]
    )
    monkeypatch.setattr(image_text, "pixels_of", float)
    encoded = encoder.encode_each_image(["1", "nan", "2"])
    assert {at: str(error) for at, error in encoded.failures.items()} == {
        1: "image 1: its vector is not finite"
    }
    assert encoded.vectors.tolist() == [[1, 1], [0, 0], [2, 2]]
    assert encoded.stats.texts == 2
    with pytest.raises(EncodeError, match="image 0: its vector is not finite"):
        encoder.encode_images(["inf"])


def test_rows_of_any_kind_are_looked_through() -> None:
    require_finite(np.zeros((0, 3)))
    require_finite([{"water": 1.5}, {}])
    for row in ({"water": np.inf}, np.array([np.nan, 1])):
        with pytest.raises(EncodeError, match="its vector is not finite"):
            require_finite([row])
