"""A kind of encoder is an entry in each room that has a part in it, and no other code knows it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np
import pytest

import densehook
from densehook.bundle import (
    KINDS,
    Bundle,
    Dense,
    GoldenText,
    Manifest,
    read_bundle,
    write_golden,
    write_manifest,
)
from densehook.bundle.stated import Stated
from densehook.encode import Encoder, Engine, load
from densehook.encode.kinds import OUTPUTS
from densehook.errors import BundleError, EncodeError, EncoderMismatch, RequestError, SelfTestError
from densehook.export.drafts import DRAFTS
from densehook.export.kinds import GATES
from densehook.hooks import FIELDS, Reading, field_of, index_request, read_provenance

PACKAGE = Path(densehook.__file__).parent
ROOMS = ("bundle", "encode", "export", "hooks", "elastic", "ingest", "index", "tune", "cli", "page")


def test_every_room_has_its_part_of_every_kind() -> None:
    assert KINDS.keys() == OUTPUTS.keys() == GATES.keys() == DRAFTS.keys()
    assert FIELDS.keys() <= KINDS.keys()


@pytest.mark.parametrize("room", ROOMS)
def test_no_code_compares_a_kind_with_anything(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                assert not any(isinstance(s, ast.Attribute) and s.attr == "kind" for s in sides)


def test_an_unknown_kind_is_refused_with_those_known(damaged: Bundle) -> None:
    write_manifest(damaged.path, replace(damaged.manifest, kind="odd"), damaged.manifest.files)
    known = f"kind is 'odd'; this densehook knows {', '.join(KINDS)}; export the bundle again or"
    with pytest.raises(BundleError, match=known):
        read_bundle(damaged.path)


def test_a_graph_of_another_width_is_refused_in_a_line(damaged: Bundle) -> None:
    part = replace(damaged.manifest.of(Dense), dims=31)
    golden = [replace(each, output=each.output[:31]) for each in damaged.golden()]
    write_golden(damaged.path / "golden.json", golden, part)
    write_manifest(damaged.path, replace(damaged.manifest, part=part), damaged.manifest.files)
    with pytest.raises(EncodeError, match=r"the graph gave \[\d+, 32\] numbers, not \[batch, 31\]"):
        load(damaged.path)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A kind made up here: of a vector, the numbers over a threshold by their places."""

    KEYS: ClassVar[tuple[str, ...]] = ("threshold",)
    OUTPUT_KEY: ClassVar[str] = "weights"

    threshold: float
    summary: ClassVar[str] = "weights"

    @classmethod
    def read(cls, stated: Stated) -> Self:
        return cls(threshold=stated.real("threshold"))

    def read_output(self, golden: Stated) -> Mapping[str, float]:
        return golden.table(self.OUTPUT_KEY)

    def written_output(self, output: Mapping[str, float]) -> Mapping[str, float]:
        return output


def _decoded(manifest: Manifest, output: Any) -> Any:
    rows = np.empty(len(output), dtype=object)
    for n, row in enumerate(output):
        over = np.flatnonzero(row > manifest.of(Weights).threshold)
        rows[n] = {str(place): round(float(row[place]), 3) for place in over}
    return rows


def _golden_objection(manifest: Manifest, found: Any, golden: Sequence[GoldenText]) -> str:
    wrong = [each.text for row, each in zip(found, golden, strict=True) if row != each.output]
    return f"other weights for {wrong[0]!r}" if wrong else ""


def _request(field: str, output: Any, size: int, *_: Any) -> dict[str, Any]:
    return {"size": size, "query": {"weights": {"field": field, "query_vector": output}}}


@pytest.fixture
def weights(damaged: Bundle, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle of that kind; its graph is a dense one's."""
    output = SimpleNamespace(
        blank=lambda manifest, texts: np.full(texts, None, dtype=object),
        decoded=_decoded,
        golden_objection=_golden_objection,
    )
    field = SimpleNamespace(
        TYPE="rank_features",
        INDEX_TYPES=("features",),
        mapping=lambda manifest, index_type: {"type": "rank_features"},
        written=lambda output, base64: output,
        objection=lambda mapping, manifest: "",
        request=_request,
    )
    monkeypatch.setitem(KINDS, "weights", Weights)
    monkeypatch.setitem(OUTPUTS, "weights", output)
    monkeypatch.setitem(FIELDS, "weights", field)
    part = Weights(threshold=0.1)
    manifest = replace(damaged.manifest, kind="weights", part=part)
    rows = _decoded(manifest, np.array([each.output for each in damaged.golden()]))
    golden = [replace(each, output=row) for each, row in zip(damaged.golden(), rows, strict=True)]
    write_golden(damaged.path / "golden.json", golden, part)
    write_manifest(damaged.path, manifest, manifest.files)
    return read_bundle(damaged.path)


def test_a_new_kind_needs_its_modules_and_entries_alone(weights: Bundle) -> None:
    assert weights.manifest.part == Weights(threshold=0.1)
    encoder = load(weights.path)
    one, two = encoder.encode_queries(["how do vaccines work", "water"])
    assert one and two and one != two
    assert encoder.encode_queries("water") == two
    with Engine(weights) as engine:
        assert engine.encode_query("water") == two
        assert list(engine.encode_documents(["water", "water"]).vectors) == [two, two]

    body = index_request(weights.manifest, Reading(["text"]), field="terms")
    assert body["mappings"]["properties"]["terms"] == {"type": "rank_features"}
    (field,) = read_provenance("p", body["mappings"]).vector_fields.values()
    field.require(weights.manifest, "p")
    query = field_of(field.mapping, field.name, "p").request(field.name, two, 5)["query"]
    assert query == {"weights": {"field": "terms", "query_vector": two}}


def test_its_golden_outputs_are_asked_for_at_every_load(weights: Bundle) -> None:
    first, *others = weights.golden()
    wrong = replace(first, output={"0": 9.0})
    write_golden(weights.path / "golden.json", [wrong, *others], weights.manifest.part)
    write_manifest(weights.path, weights.manifest, weights.manifest.files)
    with pytest.raises(SelfTestError, match="other weights for"):
        load(weights.path)


def test_what_only_one_kind_can_is_refused_to_others_by_name(
    weights: Bundle, tiny_bundle: Bundle
) -> None:
    alone = "'tiny-bert' is of kind 'weights'; this can be done with one of kind 'dense' alone"
    with pytest.raises(BundleError, match=alone):
        _ = Encoder(weights).dims
    dense = index_request(tiny_bundle.manifest, Reading(["text"]))["mappings"]
    sparse = index_request(weights.manifest, Reading(["text"]))["mappings"]
    for mapping, manifest, said in (
        (
            dense,
            weights.manifest,
            "mapped as dense_vector, encoder .* of kind weights writes rank_f",
        ),
        (sparse, tiny_bundle.manifest, "mapped as rank_features, encoder .* of kind dense writes"),
    ):
        with pytest.raises(EncoderMismatch, match=said):
            read_provenance("p", mapping).vector_field().require(manifest, "p")


@pytest.mark.parametrize(
    ("mapping", "seen"), [({"type": "keyword"}, "mapped as keyword"), ({}, "not mapped")]
)
def test_a_field_that_no_kind_searches_is_refused(mapping: dict[str, Any], seen: str) -> None:
    with pytest.raises(RequestError, match=f"'tag' of index 'p' is {seen} and cannot be searched"):
        field_of(mapping, "tag", "p")
