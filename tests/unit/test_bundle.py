"""A bundle is what was exported, or it is refused by name."""

from __future__ import annotations

import dataclasses
import errno
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.bundle import (
    Bundle,
    Dense,
    Manifest,
    read_bundle,
    replacing,
    require_replaceable,
    write_manifest,
)
from densehook.encode import load
from densehook.errors import BundleError, ExportError, SelfTestError

# what the plugin's own tests read too: the two languages accept and refuse the same
SHARED = (
    Path(__file__).parent.parent.parent
    / "plugin/elasticsearch/src/test/resources/org/densehook/bundle"
)
GOOD = (SHARED / "manifest.json").read_text()
BAD = json.loads((SHARED / "bad-manifests.json").read_text())


def test_a_manifest_reads_back_as_it_was_written(tiny_bundle: Bundle) -> None:
    text = tiny_bundle.manifest.dumps()
    assert Manifest.loads(text) == dataclasses.replace(
        tiny_bundle.manifest, inputs=list(tiny_bundle.manifest.inputs)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"max_tokens": 32},
        {"prompts": {"query": "query: ", "document": ""}},
        {"joiner": "\n"},
        {"precision": "int8"},
        {"batch_dependent": True},
        {"unpooled": {"query": 3, "document": 0}},
    ],
)
def test_whatever_can_change_a_vector_changes_the_fingerprint(
    tiny_bundle: Bundle, change: dict[str, object]
) -> None:
    changed = dataclasses.replace(tiny_bundle.manifest, **change)  # type: ignore[arg-type]
    assert changed.fingerprint != tiny_bundle.manifest.fingerprint


@pytest.mark.parametrize(
    "change", [{"pooling": "cls"}, {"normalise": False}, {"similarity": "cosine"}, {"dims": 31}]
)
def test_whatever_a_kind_states_changes_the_fingerprint(
    tiny_bundle: Bundle, change: dict[str, object]
) -> None:
    part = dataclasses.replace(tiny_bundle.manifest.of(Dense), **change)  # type: ignore[arg-type]
    changed = dataclasses.replace(tiny_bundle.manifest, part=part)
    assert changed.fingerprint != tiny_bundle.manifest.fingerprint


def test_a_name_and_a_proof_leave_the_fingerprint_as_it_is(tiny_bundle: Bundle) -> None:
    files = {**tiny_bundle.manifest.files, "golden.json": "0" * 64, "parity.json": "0" * 64}
    renamed = dataclasses.replace(tiny_bundle.manifest, name="other", variant="x", files=files)
    assert renamed.fingerprint == tiny_bundle.manifest.fingerprint


def test_a_plain_export_says_nothing_of_variants(tiny_bundle: Bundle) -> None:
    assert not {"variant", "batch_dependent", "unpooled"} & set(
        json.loads(tiny_bundle.manifest.dumps())
    )


def test_a_variant_reads_back_as_it_was_written(tiny_bundle: Bundle) -> None:
    variant = dataclasses.replace(
        tiny_bundle.manifest,
        precision="int8",
        variant="int8-dynamic",
        batch_dependent=True,
        inputs=["input_ids"],
    )
    assert Manifest.loads(variant.dumps()) == variant
    assert not variant.knows_padding


def test_a_prompt_left_out_of_the_pooling_reads_back_as_it_was_written(
    tiny_bundle: Bundle,
) -> None:
    inputs = [*tiny_bundle.manifest.inputs, "pooling_mask"]
    manifest = dataclasses.replace(
        tiny_bundle.manifest, inputs=inputs, unpooled={"query": 3, "document": 0}
    )
    assert Manifest.loads(manifest.dumps()) == manifest


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"precision": "int2"}, "precision is 'int2'; it must be one of fp32, fp16, int8"),
        ({"batch_dependent": "yes"}, "batch_dependent is 'yes'; it must be true or false"),
    ],
)
def test_a_value_that_is_none_is_refused_by_name(
    tiny_bundle: Bundle, change: dict[str, object], named: str
) -> None:
    changed = dataclasses.replace(tiny_bundle.manifest, **change)  # type: ignore[arg-type]
    with pytest.raises(BundleError, match=named):
        Manifest.loads(changed.dumps())


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "golden.json", "parity.json"])
def test_a_flipped_byte_in_any_file_is_found_and_named(damaged: Bundle, name: str) -> None:
    content = bytearray((damaged.path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (damaged.path / name).write_bytes(content)
    with pytest.raises(BundleError, match=name):
        read_bundle(damaged.path)


def test_a_missing_file_is_named(damaged: Bundle) -> None:
    damaged.tokenizer.unlink()
    with pytest.raises(BundleError, match=r"tokenizer\.json is missing"):
        read_bundle(damaged.path)


def test_an_edited_manifest_is_refused(damaged: Bundle) -> None:
    manifest = damaged.path / "encoder.json"
    manifest.write_text(manifest.read_text().replace('"mean"', '"cls"'))
    with pytest.raises(BundleError, match="changed after the export"):
        read_bundle(damaged.path)


def test_a_manifest_of_another_format_is_refused(damaged: Bundle) -> None:
    manifest = damaged.path / "encoder.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(BundleError, match="format 2, this densehook reads 1"):
        read_bundle(damaged.path)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format": 1}', '{"format": 1, "source": 3}'])
def test_what_is_no_manifest_is_refused_in_one_line(damaged: Bundle, text: str) -> None:
    (damaged.path / "encoder.json").write_text(text)
    with pytest.raises(BundleError) as caught:
        read_bundle(damaged.path)
    assert "\n" not in str(caught.value)


def test_both_languages_read_the_good_manifest() -> None:
    manifest = Manifest.loads(GOOD)
    assert manifest.prompts["query"] == "Frage: „ä\n\x7f"
    assert manifest.dumps() == GOOD


def test_what_both_languages_must_refuse_is_refused_in_one_line_that_names_it() -> None:
    assert len(BAD) > 200
    for bad in BAD:
        text = GOOD.replace(bad["from"], bad["to"]) if "from" in bad else bad["to"]
        with pytest.raises(BundleError) as caught:
            Manifest.loads(text)
        said = str(caught.value)
        assert bad["says"] in said, bad
        assert "\n" not in said, bad
        assert len(said) < 400, bad


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, 2**31, "\ud800", "../evil", "input_ids", "0" * 64]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(data=st.data())
def test_a_manifest_of_anything_is_read_or_refused_in_one_line(data: st.DataObject) -> None:
    content = json.loads(GOOD)
    for key in data.draw(st.sets(st.sampled_from(sorted(content)), min_size=1, max_size=3)):
        if isinstance(content[key], dict) and data.draw(st.booleans()):
            content[key][data.draw(st.sampled_from(sorted(content[key])) | st.text())] = data.draw(
                JSON
            )
        else:
            content[key] = data.draw(JSON)
    try:
        Manifest.loads(json.dumps(content))
    except BundleError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 500


@given(JSON.map(json.dumps) | st.text() | st.text("[{\"',:}] 0123nulltrefas.-eE"))
def test_any_text_is_no_manifest(text: str) -> None:
    with pytest.raises(BundleError) as caught:
        Manifest.loads(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["encoder.json", "golden.json"])
def test_a_file_that_is_not_utf8_is_refused_in_one_line(damaged: Bundle, name: str) -> None:
    (damaged.path / name).write_bytes(b"\xff\xfe{}")
    with pytest.raises(BundleError, match=name) as caught:
        read_bundle(damaged.path).golden()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"role": "passage"}, "role is 'passage'; it must be one of query, document"),
        ({"role": []}, "role is"),
        ({"text": None}, "text is None; it must be a string"),
        ({"text": "\ud800"}, "text is"),
        ({"ids": "123"}, "ids is '123'; it must be a list of token ids"),
        ({"ids": []}, "has 0 token ids; it must have some"),
        ({"ids": [1.0]}, "ids is"),
        ({"ids": [-1]}, "ids is"),
        ({"ids": [True]}, "ids is"),
        ({"ids": [2**31]}, "ids is"),
        ({"vector": None}, "vector is"),
        ({"vector": [1.0]}, "has a vector of 1 numbers; it must have 32"),
        ({"vector": ["1"] * 32}, "vector is"),
        ({"vector": [10**400] * 32}, "vector is"),
        ({"extra": 1}, "unknown 'extra'"),
    ],
)
def test_golden_texts_of_wrong_types_are_refused_by_name(
    damaged: Bundle, change: dict[str, object], named: str
) -> None:
    golden = damaged.path / "golden.json"
    first, *others = json.loads(golden.read_text())
    golden.write_text(json.dumps([*others, {**first, **change}]))
    with pytest.raises(BundleError, match=named) as caught:
        damaged.golden()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{}", "[]", "[3]", "[NaN]", "null", "[" * 5000])
def test_what_holds_no_golden_texts_is_refused_in_one_line(damaged: Bundle, text: str) -> None:
    (damaged.path / "golden.json").write_text(text)
    with pytest.raises(BundleError, match=r"golden\.json") as caught:
        damaged.golden()
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="densehook export"):
        read_bundle(tmp_path)


def test_a_swapped_tokenizer_cannot_go_into_service(damaged: Bundle) -> None:
    tokenizer = json.loads(damaged.tokenizer.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["how"], vocabulary["water"] = vocabulary["water"], vocabulary["how"]
    damaged.tokenizer.write_text(json.dumps(tokenizer))
    write_manifest(damaged.path, damaged.manifest, damaged.manifest.files)
    with pytest.raises(SelfTestError, match="tokenizer gives"):
        load(damaged.path)


def test_weights_of_another_model_cannot_go_into_service(
    damaged: Bundle, other_tiny_bundle: Bundle
) -> None:
    damaged.model.write_bytes(other_tiny_bundle.model.read_bytes())
    write_manifest(damaged.path, damaged.manifest, damaged.manifest.files)
    with pytest.raises(SelfTestError, match=r"cosine .* is\s+under 0\.99999"):
        load(damaged.path)


def test_a_changed_prompt_cannot_go_into_service(damaged: Bundle) -> None:
    prompts = {"query": "", "document": "passage: "}
    manifest = dataclasses.replace(damaged.manifest, prompts=prompts)
    write_manifest(damaged.path, manifest, damaged.manifest.files)
    with pytest.raises(SelfTestError, match="tokenizer gives"):
        load(damaged.path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "old").touch()
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space"), replacing(target) as staging:
        (staging / "half").touch()
        raise full
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert (target / "old").exists()
    with replacing(target) as staging:
        (staging / "new").touch()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_only_nothing_and_what_bears_the_mark_may_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    require_replaceable(target, "encoder.json")
    target.mkdir()
    require_replaceable(target, "encoder.json")
    (target / "recipe.toml").touch()
    with pytest.raises(ExportError, match=r"bundle is there and holds no encoder\.json: .*another"):
        require_replaceable(target, "encoder.json")
    (target / "encoder.json").touch()
    require_replaceable(target, "encoder.json")
    with pytest.raises(ExportError, match=r"recipe\.toml is there and holds no encoder\.json"):
        require_replaceable(target / "recipe.toml", "encoder.json")
