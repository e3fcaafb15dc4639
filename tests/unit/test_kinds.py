"""A kind of encoder is an entry in each room that has a part in it, and no other code knows it."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from elasticsearch import Elasticsearch

import densehook
from densehook.bundle import (
    KINDS,
    Bundle,
    Cross,
    Dense,
    GoldenText,
    ImageText,
    Manifest,
    Multi,
    Numbers,
    Pairing,
    Sparse,
    read_bundle,
    write_golden,
    write_manifest,
)
from densehook.bundle.stated import Stated
from densehook.collections import Collection, Sample
from densehook.elastic.patience import Patience
from densehook.elastic.stored import StoredDocuments
from densehook.encode import Encoder, Engine, load
from densehook.encode.kinds import OUTPUTS
from densehook.encode.timing import timed
from densehook.errors import BundleError, EncoderMismatch, RequestError, SelfTestError
from densehook.export.drafts import DRAFTS
from densehook.export.kinds import GATES
from densehook.hooks import (
    FIELDS,
    Provenance,
    Reading,
    Stored,
    TextRule,
    VectorField,
    field_of,
    index_request,
    note_in,
    read_provenance,
)
from densehook.hooks.text_rule import modality_objection
from densehook.index import asked as asked_module
from densehook.index import searching as searching_module
from densehook.index.asked import Asked
from densehook.index.modes import MODES
from densehook.index.searching import Searching
from densehook.ingest.encode import Preparer
from densehook.ingest.values import values_of_fields
from densehook.tune import pair_bundles, whiten_bundle
from densehook.tune.reading import sample_for
from densehook.types import Document

ROOT = Path(__file__).parent.parent.parent
PACKAGE = Path(densehook.__file__).parent
PLUGIN = ROOT / "plugin" / "elasticsearch" / "src" / "main" / "java" / "org" / "densehook"
PARTS = {part.__name__ for part in KINDS.values()}

ASKED_IN_PYTHON = {
    "bundle/reader.py": 1,  # a bundle of numbers has no tokenizer.json
    "elastic/remote.py": 1,  # dims, which only vectors have
    "export/imports/importing.py": 1,  # a graph's input says that it reads numbers, not --kind
    "export/whitening.py": 1,  # two graphs cannot be turned as one
}
ASKED_IN_JAVA = {
    "bundle/Bundle.java": 5,  # which files there are: tokenizer.json, image.onnx
    "bundle/Manifest.java": 3,  # dims and inputs, which only some kinds state
    "encode/EncoderRuntime.java": 9,  # texts, pairs, images and numbers are read by it alone
    "elasticsearch/ingest/Destination.java": 1,  # of vectors Elasticsearch bounds the dims
    "elasticsearch/search/HighlightedTextBuilder.java": 2,  # chunks are of vectors
    "elasticsearch/search/RerankOrder.java": 2,  # the retriever of cross-encoders
    "elasticsearch/search/TextVectorBuilder.java": 1,  # Elasticsearch's own builder of vectors
    "elasticsearch/service/EncoderInService.java": 1,  # the lane of pairs is shown where one is
    "elasticsearch/service/EncoderStatus.java": 2,  # nodes of older versions tell of vectors alone
    "elasticsearch/service/PairScoring.java": 1,  # whether scores are bounded
    "elasticsearch/vectors/Modality.java": 1,  # who reads numbers
}
"""Where code asks for a kind outside the kinds' modules, how often, and why.

They must not grow: what a kind does otherwise than others is an entry in a dict. Beside them there
is ``Manifest.of``, which refuses other kinds by name.
"""
KINDS_IN_JAVA = re.compile(
    r"bundle/(Kind|{parts})|encode/(\w*Output)|elasticsearch/vectors/(FieldFormat|(Dense|Sparse|Multi)"
    r"Format)|elasticsearch/service/ShownRow|elasticsearch/search/(DenseProvenance|(Dense|Sparse|"
    r"Maxsim)QueryBuilder)".replace("{parts}", "|".join(PARTS))
)
"""The kinds' own files in the plugin: what they state, give, write and are searched by."""


def test_every_room_has_its_part_of_every_kind() -> None:
    assert KINDS.keys() == OUTPUTS.keys() == GATES.keys() == DRAFTS.keys()
    assert FIELDS.keys() <= KINDS.keys()


def names_kind(node: ast.AST) -> bool:
    """Whether it is a kind by its name: the text, or the constant of a module."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(names_kind, node.elts))
    if isinstance(node, ast.Constant):
        return node.value in KINDS
    return isinstance(node, ast.Attribute) and node.attr == "KIND"


def asks_for_a_kind(node: ast.AST) -> bool:
    """``x.kind`` compared with anything, ``kind`` with one of them, or a part asked for its class.

    And a match of one.
    """
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Attribute) and side.attr == "kind" for side in sides):
            return True
        own = any(isinstance(side, ast.Name) and side.id == "kind" for side in sides)
        return own and any(map(names_kind, sides))
    if isinstance(node, ast.Match):
        subject = node.subject
        return isinstance(subject, ast.Attribute) and subject.attr in ("kind", "part")
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
        of, asked = map(ast.unparse, node.args)
        return of.rpartition(".")[2] == "part" and bool(PARTS & set(re.findall(r"\w+", asked)))
    return False


def test_no_code_compares_a_kind_with_anything() -> None:
    found: Counter[str] = Counter()
    for path in PACKAGE.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        if count := sum(map(asks_for_a_kind, nodes)):
            found[str(path.relative_to(PACKAGE))] = count
    assert not found - Counter(ASKED_IN_PYTHON)


def test_nor_does_the_plugin_outside_the_kinds_own_files() -> None:
    constants = "|".join(kind.upper().replace("-", "_") for kind in KINDS)
    # a constant of its name is one of Modality too
    labels = constants.replace("|NUMBERS", "")
    asking = re.compile(
        rf"\bKind\.(?:{constants})\b|\binstanceof (?:{'|'.join(PARTS)})\b|\bcase (?:{labels})\b"
    )
    found: Counter[str] = Counter()
    for path in PLUGIN.rglob("*.java"):
        name = path.relative_to(PLUGIN).as_posix()
        if not KINDS_IN_JAVA.fullmatch(name.removesuffix(".java")):
            found[name] = len(asking.findall(path.read_text()))
    assert len(found) > 100
    assert not found - Counter(ASKED_IN_JAVA)


def is_by_kind(value: ast.expr | None) -> bool:
    """Whether it is a dict whose keys are kinds."""
    if not isinstance(value, ast.Dict):
        return False
    keys = [each for each in value.keys if each is not None]
    return bool(keys) and all(
        names_kind(key) or (isinstance(key, ast.Name) and key.id in PARTS) for key in keys
    )


def test_the_page_names_every_dict_that_has_entries_by_kind_in_ten_lines() -> None:
    page = (ROOT / "docs" / "encoders.md").read_text()
    section = page.partition("\n## Another kind\n")[2].partition("\n## ")[0]
    assert len(section.strip().splitlines()) <= 10
    assigned = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AnnAssign | ast.Assign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                assigned[ast.unparse(target)] = assigned.get(
                    ast.unparse(target), False
                ) or is_by_kind(node.value)
    named = set(re.findall(r"`([A-Z_]{2,})`", section))
    assert {name for name, by_kind in assigned.items() if by_kind} <= named
    java = "".join(path.read_text() for path in PLUGIN.rglob("*.java"))
    for name in named - assigned.keys():
        assert f"Map<Kind, String> {name} =" in java, name
    for name in re.findall(r"`(\w+)\.BY_KIND`", section):
        assert re.search(rf"Map<Kind, {name}> BY_KIND =", java), name


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
    with pytest.raises(
        SelfTestError, match=r"the graph gave \[\d+, 32\] numbers, not \[batch, 31\]"
    ):
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


def _text_request(
    field: str, text: str, encoder: str, size: int, *_: Any, **__: Any
) -> dict[str, Any]:
    asked = {"field": field, "query": text, "inference_id": encoder}
    return {"size": size, "query": {"weights": asked}}


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
        LIST="weights",
        USUAL_NAME="terms",
        SHOWS_CHUNKS=False,
        TEXT_QUERY="weights",
        INDEX_TYPES=("features",),
        mapping=lambda manifest, index_type: {"type": "rank_features"},
        written=lambda output, *, base64: output,
        parsed=lambda value: value if isinstance(value, dict) else None,
        are_one=lambda one, other: one == other,
        objection=lambda mapping, manifest: "",
        request=_request,
        text_request=_text_request,
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


def fields_of(weights: Bundle) -> tuple[Provenance, VectorField]:
    """What an index that is made for it says."""
    body = index_request(weights.manifest, Reading(["text"]), field="terms")
    provenance = read_provenance("p", body["mappings"])
    return provenance, provenance.vector_field()


def test_documents_are_fed_to_a_field_of_a_new_kind(
    weights: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encoded, kept where the index has the same text already, and written as its module says."""
    encoder = load(weights.path)
    _, field = fields_of(weights)
    row = encoder.encode_documents("water")
    stored: dict[str, Stored | None] = {}
    monkeypatch.setattr(StoredDocuments, "known", lambda *_, **__: stored)
    preparer = Preparer(
        Elasticsearch("http://localhost:1"),
        "p",
        field,
        encoder,
        Patience(),
        base64=True,
        replace=True,
    )
    first, second = Document("a", {"text": "water"}), Document("b", {"text": "\u200b"})
    window = preparer.prepare([first, second])
    assert not window.failures and window.encoded.texts == 1
    written = {each.document.id: json.loads(each.write.source or b"") for each in window.ready}
    assert written["a"]["terms"] == row and "terms" not in written["b"]
    note = note_in(written["a"], "terms")
    assert note is not None
    stored["a"] = Stored({"0": 0.5}, note)
    window = preparer.prepare([first])
    assert window.encoded.texts == 0
    (ready,) = window.ready
    assert json.loads(ready.write.source or b"")["terms"] == {"0": 0.5}
    (made,) = values_of_fields(encoder, [field], [("water", None), ("blood", None)], base64=False)
    assert made.values[0] == row and set(made.values) == {0, 1}


@pytest.mark.parametrize("encodes_here", [True, False])
def test_a_field_of_a_new_kind_is_searched_by_its_list(
    weights: Bundle, monkeypatch: pytest.MonkeyPatch, encodes_here: bool
) -> None:
    # which are made of the entries when the package is imported
    monkeypatch.setattr(asked_module, "MODES", (*MODES, "weights"))
    monkeypatch.setattr(searching_module, "VECTOR_LISTS", ("dense", "weights"))
    provenance, field = fields_of(weights)
    searching = Searching(provenance, field, encodes_here, cluster_encodes=not encodes_here)
    asked = Asked(mode="weights", size=3)
    assert searching.needs_vector(asked) is encodes_here
    output = {"7": 0.5} if encodes_here else None
    (body,) = searching.bodies("water", asked, output)
    told = (
        {"query_vector": output}
        if encodes_here
        else {"query": "water", "inference_id": weights.manifest.name}
    )
    assert body["query"] == {"weights": {"field": "terms", **told}}
    assert body["size"] == 3
    answer = {"took": 1, "hits": {"hits": [{"_id": "a", "_score": 2.0, "_source": {"text": "w"}}]}}
    hits = searching.hits("water", asked, [answer])
    assert [(hit.id, hit.score) for hit in hits] == [("a", 2.0)]
    with pytest.raises(RequestError, match="a rank_features; search it by weights, not by dense"):
        searching.needs_vector(Asked(mode="dense"))


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


WRITTEN = {
    "dense": "dense_vector",
    "sparse": "sparse_vector",
    "multi": "binary",
    "image-text": "dense_vector",
    "numbers": "dense_vector",
}
"""The type of a kind's fields."""
OF_VECTORS: dict[str, Any] = {
    "dims": 32,
    "similarity": "cosine",
    "pooling": "mean",
    "normalise": True,
}
STATED: dict[str, Any] = {
    "dense": Dense(**OF_VECTORS),
    "sparse": Sparse(max_terms=8, activation="relu", query="graph"),
    "multi": Multi(dims=32, query_tokens=32),
    "image-text": ImageText(**OF_VECTORS, image_tokens=50),
    "numbers": Numbers(**OF_VECTORS, channels=1, fixed_length=False),
    "cross": Cross(
        activation="sigmoid",
        pairing=Pairing(
            before=[101],
            between=[102],
            after=[102],
            second_type=1,
            query_end="",
            truncation="longest_first",
        ),
    ),
}


def stating(bundle: Bundle, kind: str) -> Manifest:
    """The manifest of an encoder of that kind, which is not asked for its outputs."""
    return replace(bundle.manifest, kind=kind, part=STATED[kind])


@pytest.mark.parametrize("mapped", ["dense_vector", "sparse_vector", "binary"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_another_kind_is_refused_to_an_encoder(
    tiny_bundle: Bundle, kind: str, mapped: str
) -> None:
    manifest = stating(tiny_bundle, kind)
    text = replace(TextRule.joining(["text"]), modality=manifest.modalities[0])
    mapping = {"type": mapped, "dims": 32, "doc_values": True}
    field = VectorField("field", text, manifest.name, manifest.space, mapping)
    if kind not in WRITTEN:
        with pytest.raises(RequestError, match="of kind 'cross', whose outputs are written into"):
            field.require(manifest, "p")
    elif WRITTEN[kind] == mapped:
        field.require(manifest, "p")
    else:
        said = f"mapped as {mapped}, encoder 'tiny-bert' of kind {kind} writes {WRITTEN[kind]}; use"
        with pytest.raises(EncoderMismatch, match=said):
            field.require(manifest, "p")


@pytest.mark.parametrize("index_type", ["int8_hnsw", "inverted", "int8-pool2"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_index_is_made_of_a_type_that_is_another_kinds(
    tiny_bundle: Bundle, kind: str, index_type: str
) -> None:
    manifest = stating(tiny_bundle, kind)
    reading = replace(Reading(["text"]), modality=manifest.modalities[0])

    def mapped() -> Any:
        body = index_request(manifest, reading, index_type=index_type, field="field")
        return body["mappings"]["properties"]["field"]["type"]

    if kind not in WRITTEN:
        with pytest.raises(RequestError, match="of kind 'cross', whose outputs are written into"):
            mapped()
    elif index_type in FIELDS[kind].INDEX_TYPES:
        assert mapped() == WRITTEN[kind]
    else:
        with pytest.raises(RequestError, match=f"index type '{index_type}' is unknown; known: "):
            mapped()


@pytest.mark.parametrize("modality", ["image", "numbers"])
@pytest.mark.parametrize("kind", ["cross", "dense", "sparse", "multi"])
def test_what_is_no_text_is_read_by_its_kind_alone(
    tiny_bundle: Bundle, kind: str, modality: Any
) -> None:
    """In a field, where variants are judged, and where speed is measured."""
    manifest = stating(tiny_bundle, kind)
    reader = {"image": "image-text", "numbers": "numbers"}[modality]
    alone = f"of kind '{kind}'; this can be done with one of kind '{reader}' alone"
    with pytest.raises(BundleError, match=alone):
        sample_for(manifest, Collection("c", [], [], {}), 10, "held", modality)
    assert modality_objection(modality, manifest)
    if modality == "image":
        with pytest.raises(BundleError, match=alone):
            timed(Bundle(tiny_bundle.path, manifest), ["a text"], [Path("cat.jpg")])


@pytest.mark.parametrize("kind", ["cross", "sparse", "multi"])
def test_what_is_of_vectors_alone_is_refused_to_other_kinds(
    damaged: Bundle, tiny_bundle: Bundle, tmp_path: Path, kind: str
) -> None:
    manifest = stating(damaged, kind)
    inputs = [*manifest.inputs, *(["token_mask"] if kind == "multi" else [])]
    write_manifest(damaged.path, replace(manifest, inputs=inputs), manifest.files)
    corpus = Sample("c", ["a"], ["water"], {}, {}, 1)
    alone = f"of kind '{kind}'; this can be done with one of kind 'dense' alone"
    output = tmp_path / "made"
    with pytest.raises(BundleError, match=alone):
        whiten_bundle(damaged.path, output, corpus)
    with pytest.raises(BundleError, match=alone):
        pair_bundles(damaged.path, tiny_bundle.path, output, corpus)
    with pytest.raises(BundleError, match=f"{kind} of .*: they cannot be towers of one space"):
        pair_bundles(tiny_bundle.path, damaged.path, output, corpus)
    assert not output.exists()
