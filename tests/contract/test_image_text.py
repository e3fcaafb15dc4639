"""Images and texts in one space: PyTorch's vectors, and the node's those of Python."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch
from PIL import Image

import image_files
import tiny_image_text
from command_line import running_in, succeeded
from conftest import serving
from densehook import Index
from densehook.bundle import (
    Dense,
    GoldenImage,
    ImageText,
    read_bundle,
    require_one_space,
    write_manifest,
)
from densehook.bundle.golden import write_golden_images
from densehook.bundle.reader import Bundle
from densehook.collections import Sample
from densehook.elastic.remote import remote_encoder
from densehook.encode import Encoder, Engine, cosines, load
from densehook.errors import (
    BundleError,
    ElasticError,
    EncodeError,
    EncoderMismatch,
    ExportError,
    QueueFull,
    RecipeError,
    RequestError,
    SelfTestError,
)
from densehook.export import export_bundle, read_recipe
from densehook.export.images import file_of, pattern
from densehook.export.texts import QUESTIONS
from densehook.export.variants import build_variant
from densehook.hooks import NOTES
from densehook.hooks.notes import text_hash
from densehook.images import pixels_of
from densehook.node import NodeState
from densehook.tune import pair_bundles
from page_requests import answers_of

IMAGES = [b64encode(file_of(number)).decode() for number in range(50)]
PAGE = (Path(__file__).parent.parent.parent / "docs" / "encoders.md").read_text()
FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


def png(width: int, height: int, depth: int = 8) -> str:
    """A file of one pixel whose header says so many."""
    content = bytearray(b64decode(saved(Image.new("RGB", (1, 1)), "PNG")))
    content[16:25] = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth])
    return b64encode(bytes(content)).decode()


def saved(image: Any, format: str, **options: Any) -> str:
    made = io.BytesIO()
    image.save(made, format, **options)
    return b64encode(made.getvalue()).decode()


BAD: list[tuple[str, str]] = [
    ("no image at all", "it is no image in base64"),
    (b64encode(b"hello, no image").decode(), "neither JPEG nor PNG"),
    (png(10_000, 10_000), "has 10000 x 10000 pixels, more than"),
    (png(16_400, 3), "a side may have 16384"),
    (png(300, 300), "the image cannot be decoded"),
    (png(1, 1, depth=16), "16 bits a channel"),
    (saved(pattern(0), "GIF"), "neither JPEG nor PNG"),
    (saved(pattern(0).convert("CMYK"), "JPEG"), "4 channels, as CMYK"),
    (saved(pattern(0), "PNG", transparency=(1, 2, 3)), "transparent colour"),
    (saved(pattern(2), "JPEG")[:-400], "the image cannot be decoded"),
    (saved(pattern(2), "PNG")[:-400], "the image cannot be decoded"),
    *((b64encode(content).decode(), reason) for content, reason in image_files.BAD),
]
"""Images that are refused, and why, by both."""


@pytest.fixture(scope="module", params=["clip", "siglip"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    found: Bundle = request.getfixturevalue(f"{request.param}_bundle")
    return found


def test_both_towers_are_transformers(bundle: Bundle) -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModel, PreTrainedTokenizerFast

    folder = bundle.path.parent / "model"
    model = AutoModel.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder, use_fast=False)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    filled = {"padding": "max_length"} if model.config.model_type == "siglip" else {}
    most = model.config.text_config.max_position_embeddings
    encoder = load(bundle.path)
    with torch.no_grad():
        images = processor(
            images=[Image.fromarray(pixels_of(each)) for each in IMAGES], return_tensors="pt"
        )
        by_image = model.get_image_features(pixel_values=images["pixel_values"]).numpy()
        by_text = np.concatenate(
            [
                model.get_text_features(
                    input_ids=tokenizer(
                        text, truncation=True, max_length=most, return_tensors="pt", **filled
                    )["input_ids"]
                ).numpy()
                for text in QUESTIONS
            ]
        )
    found = encoder.encode_images(IMAGES)
    assert cosines(found, by_image).min() >= 0.9999
    assert cosines(encoder.encode_queries(QUESTIONS), by_text).min() >= 0.99999
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_gate_has_measured_fifty_images(bundle: Bundle) -> None:
    parity = tiny_image_text.shown(bundle)
    assert parity["images"] == 50
    assert parity["lowest_image_cosine"] >= 0.9999
    assert parity["lowest_text_cosine"] >= 0.99999
    assert parity["lowest_cosine"] == min(
        parity["lowest_text_cosine"], parity["lowest_image_cosine"]
    )


def test_the_fingerprint_covers_the_graph_of_images(clip_bundle: Bundle) -> None:
    manifest = clip_bundle.manifest
    other = replace(manifest, files={**manifest.files, "image.onnx": "0" * 64})
    assert other.fingerprint != manifest.fingerprint


@pytest.fixture(scope="module")
def small(clip_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """CLIP in eight bits, calibrated on images and texts, under a name of its own."""
    folder = tmp_path_factory.mktemp("small") / "clip-int8"
    made = build_variant(clip_bundle, "int8-static", folder, QUESTIONS, IMAGES[:16])
    manifest = replace(made.manifest, name="clip-int8")
    return Bundle(folder, write_manifest(folder, manifest, manifest.files))


def copied(bundle: Bundle, folder: Path) -> Bundle:
    shutil.copytree(bundle.path, folder / "copy")
    return read_bundle(folder / "copy")


def test_images_of_another_model_fail_the_self_test(clip_bundle: Bundle, tmp_path: Path) -> None:
    damaged = copied(clip_bundle, tmp_path)
    first, *others = damaged.golden_images()
    turned = GoldenImage(first.image, [-number for number in first.output])
    part = damaged.manifest.part
    write_golden_images(damaged.path / "images.json", [turned, *others], part)
    write_manifest(damaged.path, damaged.manifest, damaged.manifest.files)
    with pytest.raises(SelfTestError, match="PyTorch's vector of 'image 0'"):
        load(damaged.path)


def test_a_bundle_without_its_graph_of_images_is_none(clip_bundle: Bundle, tmp_path: Path) -> None:
    damaged = copied(clip_bundle, tmp_path)
    files = set(damaged.manifest.files) - {"image.onnx"}
    write_manifest(damaged.path, damaged.manifest, files)
    with pytest.raises(BundleError, match=r"lists no image\.onnx"):
        read_bundle(damaged.path)


def test_an_int8_variant_has_both_graphs_in_int8(clip_bundle: Bundle, small: Bundle) -> None:
    found, exact = load(small.path), load(clip_bundle.path)
    images = cosines(found.encode_images(IMAGES), exact.encode_images(IMAGES)).min()
    texts = cosines(found.encode_queries(QUESTIONS), exact.encode_queries(QUESTIONS)).min()
    assert min(images, texts) >= 0.95 and max(images, texts) < 0.999999
    parity = tiny_image_text.shown(small)
    assert parity["lowest_image_cosine"] == pytest.approx(images, abs=1e-6)
    assert parity["compared_with"] == clip_bundle.manifest.fingerprint


@pytest.mark.parametrize(("image", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_image_is_named_by_its_place(clip_bundle: Bundle, image: str, reason: str) -> None:
    with pytest.raises(EncodeError, match=f"image 1: .*{reason}") as refused:
        load(clip_bundle.path).encode_images([IMAGES[0], image])
    assert refused.value.position == 1


def test_an_engine_encodes_images_for_many_threads(clip_bundle: Bundle, pair: Bundle) -> None:
    whole = load(clip_bundle.path)
    expected = whole.encode_images(IMAGES[:6])
    for bundle in (clip_bundle, pair):
        with Engine(bundle) as engine, ThreadPoolExecutor(4) as callers:
            halves = callers.map(engine.encode_images, (IMAGES[:3], IMAGES[3:6]))
            asked = callers.map(engine.encode_query_image, IMAGES[:6])
            documents = callers.submit(engine.encode_documents, ["a cat"])
            found = list(halves)
            assert sum(each.stats.texts for each in found) == 6
            np.testing.assert_allclose(
                np.concatenate([each.vectors for each in found]), expected, atol=1e-5
            )
            np.testing.assert_allclose(np.array(list(asked)), expected, atol=1e-5)
            assert cosines(
                documents.result().vectors, whole.encode_documents(["a cat"])
            ).min() == pytest.approx(1, abs=1e-5)
        with pytest.raises(EncodeError, match="the engine is closed"):
            engine.encode_images(IMAGES[:1])


def test_an_engine_says_what_is_no_image(clip_bundle: Bundle, tiny_bundle: Bundle) -> None:
    with Engine(clip_bundle, image_queue=1) as engine:
        with pytest.raises(EncodeError, match=r"image 1: .*no image in base64") as refused:
            engine.encode_images([IMAGES[0], "no image"])
        assert refused.value.position == 1
        with pytest.raises(EncodeError, match="put it in a list"):
            engine.encode_images(IMAGES[0])
        assert len(engine.encode_images(IMAGES[:3]).vectors) == 3  # more than may wait, but alone
        with ThreadPoolExecutor(1) as callers, engine._images._turn:
            first = callers.submit(engine.encode_images, IMAGES[:1])
            deadline = time.monotonic() + 30
            while not engine._images._waiting and time.monotonic() < deadline:
                time.sleep(0.01)
            with pytest.raises(QueueFull, match="1 images wait, 2 more are over the bound of 1"):
                engine.encode_images(IMAGES[:2])
            assert len(engine.encode_query_image(IMAGES[0])) == tiny_image_text.PROJECTED
            assert not first.done()
        assert len(first.result().vectors) == 1
    with Engine(tiny_bundle) as engine, pytest.raises(BundleError, match="'image-text' alone"):
        engine.encode_images(IMAGES[:1])


def test_an_encoder_of_texts_reads_no_image(tiny: Encoder) -> None:
    with pytest.raises(BundleError, match=r"is of kind 'dense'.*of kind 'image-text' alone"):
        tiny.encode_images([IMAGES[0]])


@pytest.mark.parametrize(
    ("keys", "change", "error", "message"),
    [
        ('pooling = "mean"', {}, RecipeError, "pooling is what a model of images and text decides"),
        ("max_tokens = 65", {}, RecipeError, "max_tokens is 65, the model has positions for 64"),
        ("", {"resample": 0}, RecipeError, r"resample is 0; known: 2 \(bilinear\), 3"),
        ("", {"do_normalize": False}, RecipeError, "must be resized and normalised"),
        ("", {"crop_size": {"height": 40, "width": 40}}, RecipeError, "cannot be cut out of"),
        ("", {"size": {"shortest_edge": 64}, "crop_size": 48}, RecipeError, "reads 32 x 32"),
    ],
)
def test_a_model_that_no_bundle_can_be_is_refused(
    clip_bundle: Bundle,
    tmp_path: Path,
    keys: str,
    change: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    model = tmp_path / "model"
    shutil.copytree(clip_bundle.path.parent / "model", model)
    config = model / "preprocessor_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **change}))
    recipe = tmp_path / "bad.toml"
    recipe.write_text(f'source = "model"\nkind = "image-text"\n{keys}\n')
    with pytest.raises(error, match=message):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")


def test_another_architecture_and_a_slow_tokenizer_are_refused(
    clip_bundle: Bundle, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(clip_bundle.path.parent / "model", model)
    recipe = tmp_path / "bad.toml"
    recipe.write_text('source = "model"\nkind = "image-text"\n')
    (model / "tokenizer.json").unlink()
    with pytest.raises(ExportError, match="has no fast tokenizer"):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")
    (model / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(RecipeError, match="model_type is 'bert'; the image-text kind knows clip"):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")


def test_the_folder_of_sentence_transformers_is_read(clip_bundle: Bundle, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(clip_bundle.path.parent / "model", model / "0_CLIPModel")
    module = {"idx": 0, "name": "0", "path": "0_CLIPModel"}
    kind = "sentence_transformers.models.CLIPModel"
    (model / "modules.json").write_text(json.dumps([{**module, "type": kind}]))
    recipe = tmp_path / "clip-0.toml"
    recipe.write_text('source = "model"\nkind = "image-text"\n')
    found = export_bundle(read_recipe(recipe), tmp_path / "bundle")
    images = load(found.path).encode_images(IMAGES[:4])
    assert np.allclose(images, load(clip_bundle.path).encode_images(IMAGES[:4]), atol=1e-6)


@pytest.fixture(scope="module")
def pair(clip_bundle: Bundle, small: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """CLIP with a dense encoder of its space for queries: the int8 graph of its own texts."""
    folder = tmp_path_factory.mktemp("pair")
    texts = folder / "texts"
    texts.mkdir()
    for file in ("model.onnx", "tokenizer.json", "golden.json", "parity.json"):
        shutil.copy(small.path / file, texts / file)
    both = small.manifest.of(ImageText)
    part = Dense(
        dims=both.dims, similarity=both.similarity, pooling=both.pooling, normalise=both.normalise
    )
    manifest = replace(small.manifest, name="texts", kind="dense", part=part)
    write_manifest(texts, manifest, sorted(path.name for path in texts.iterdir()))
    corpus = Sample("questions", ["a"], [QUESTIONS[0]], {"q": QUESTIONS[0]}, {"q": {"a": 1}}, 1)
    return pair_bundles(clip_bundle.path, texts, folder / "pair", corpus).bundle


def test_an_encoder_of_texts_can_be_the_tower_of_queries(clip_bundle: Bundle, pair: Bundle) -> None:
    both, plain = load(pair.path), load(clip_bundle.path)
    assert pair.manifest.space == clip_bundle.manifest.space
    assert np.array_equal(both.encode_images(IMAGES[:3]), plain.encode_images(IMAGES[:3]))
    assert np.array_equal(both.encode_documents(QUESTIONS), plain.encode_documents(QUESTIONS))
    queries = both.encode_queries(QUESTIONS)
    assert not np.array_equal(queries, plain.encode_queries(QUESTIONS))
    with pytest.raises(BundleError, match="cannot be towers of one space"):
        require_one_space(load(pair.path / "queries").manifest, clip_bundle.manifest)


def test_a_model_of_images_is_no_dense_encoder(clip_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tmp_path / "plain.toml"
    recipe.write_text(f'source = "{clip_bundle.path.parent / "model"}"\n')
    with pytest.raises(RecipeError, match="or --kind image-text"):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")


def test_it_cannot_be_whitened(clip_bundle: Bundle, tmp_path: Path) -> None:
    from densehook.export.whitening import Transform, write_transformed

    dims = clip_bundle.manifest.of(ImageText).dims
    unchanged = Transform(np.zeros(dims), np.eye(dims), True)
    with pytest.raises(ExportError, match="by two graphs"):
        write_transformed(clip_bundle, tmp_path / "white", "white", unchanged, {})


@dataclass(frozen=True)
class There:
    """A node with two encoders of images and texts, one of them paired and one in eight bits too.

    And with one of texts alone.
    """

    url: str
    client: Elasticsearch
    clip: Encoder
    siglip: Encoder
    tiny: Encoder
    pair: Encoder
    small: Encoder


@pytest.fixture(scope="module")
def there(
    plugin_node: NodeState,
    clip_bundle: Bundle,
    siglip_bundle: Bundle,
    tiny_bundle: Bundle,
    pair: Bundle,
    small: Bundle,
) -> Iterator[There]:
    bundles = (clip_bundle, siglip_bundle, tiny_bundle, pair, small)
    with serving(plugin_node, *bundles) as client:
        encoders = [load(each.path) for each in bundles]
        yield There(plugin_node.url, client, *encoders)


@pytest.fixture
def name(there: There, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.originalname.replace("_", "-")[:40]
    yield name
    for index in there.client.indices.get(index=f"{name}*"):
        there.client.indices.delete(index=index)


def body(encoder: Encoder, **entry: Any) -> dict[str, Any]:
    """An index of photographs and what is said of them."""
    stated = {
        "input": "photo",
        "modality": "image",
        "encoder": encoder.manifest.name,
        "fingerprint": encoder.fingerprint,
        **entry,
    }
    return {
        "settings": {"index.densehook.embed": True},
        "mappings": {
            "_meta": {"densehook": {"bm25": "said", "fields": {"embedding": stated}}},
            "properties": {
                "photo": {"type": "binary"},
                "said": {"type": "text"},
                NOTES: {"type": "flattened", "doc_values": False},
                "embedding": {
                    "type": "dense_vector",
                    "dims": encoder.dims,
                    "index_options": {"type": "hnsw"},
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("which", "bound"),
    [("clip", 0.99999), ("siglip", 0.99999), ("pair", 0.99999), ("small", 0.99999)],
)
def test_the_node_gives_pythons_vectors_of_images_and_texts(
    there: There, which: str, bound: float
) -> None:
    here: Encoder = getattr(there, which)
    remote = remote_encoder(there.client, here.manifest.name)
    found = remote.encode_images(IMAGES)
    assert cosines(found, here.encode_images(IMAGES)).min() >= 0.9999
    texts = remote.encode_queries(QUESTIONS)
    assert cosines(texts, here.encode_queries(QUESTIONS)).min() >= bound


@pytest.mark.parametrize(("image", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_the_node_refuses_what_python_does(there: There, image: str, reason: str) -> None:
    remote = remote_encoder(there.client, there.clip.manifest.name)
    with pytest.raises(ElasticError, match=reason):
        remote.encode_images([image])


def test_the_node_reads_of_a_file_what_python_does(there: There) -> None:
    """Its pixels, whatever else is in it: all are files of the same ones."""
    files = [b64encode(content).decode() for content in image_files.GOOD.values()]
    found = remote_encoder(there.client, there.clip.manifest.name).encode_images(files)
    expected = there.clip.encode_images([image_of(image_files.PIXELS)] * len(files))
    for name, row, own in zip(image_files.GOOD, found, expected, strict=True):
        assert cosines(row[None], own[None]).min() >= 0.9999, name


def image_of(pixels: Any) -> Any:
    return Image.fromarray(np.array(pixels, dtype=np.uint8))


def test_the_nodes_settings_bound_an_image(there: There) -> None:
    remote = remote_encoder(there.client, there.clip.manifest.name)
    settings = {"densehook.image.max_pixels": 100, "densehook.image.max_bytes": "30b"}
    for name, value in settings.items():
        there.client.cluster.put_settings(persistent={name: value})
        try:
            with pytest.raises(ElasticError, match=rf"more than \[{re.escape(name)}\]"):
                remote.encode_images([IMAGES[2]])
        finally:
            there.client.cluster.put_settings(persistent={name: None})
    assert len(remote.encode_images([IMAGES[2]])) == 1


def test_nothing_to_encode_is_refused(there: There) -> None:
    headers = {"accept": "application/json", "content-type": "application/json"}
    asked = {"encoder": there.clip.manifest.name}
    with pytest.raises(BadRequestError, match=r"needs \[texts\], \[images\] or \[numbers\]"):
        there.client.perform_request("POST", "/_densehook/_encode", headers=headers, body=asked)


def vector(there: There, name: str, id_: str) -> Any:
    """A stored vector, wherever the version hides it."""
    query = {"ids": {"values": [id_]}}
    asked = {"index": name, "query": query, "fields": ["embedding"], "source": False}
    (hit,) = there.client.search(**asked)["hits"]["hits"]
    return np.array([hit["fields"]["embedding"]], dtype=np.float32)


def test_the_setting_embeds_images_and_refuses_bad_ones_alone(there: There, name: str) -> None:
    there.client.indices.create(index=name, **body(there.clip))
    operations: list[Any] = []
    for n, (image, _) in enumerate([(each, "") for each in IMAGES[:6]] + BAD):
        operations += [{"index": {"_id": f"{n}"}}, {"photo": image, "said": f"photo {n}"}]
    operations += [{"index": {"_id": "none"}}, {"said": "no photo"}]
    answer = there.client.bulk(index=name, operations=operations, refresh=True)
    items = [each["index"] for each in answer["items"]]
    assert [each["status"] for each in items] == [201] * 6 + [400] * len(BAD) + [201]
    for item, (_, reason) in zip(items[6:-1], BAD, strict=True):
        assert re.search(reason, item["error"]["reason"]), item
    expected = there.clip.encode_images(IMAGES[:6])
    found = np.concatenate([vector(there, name, f"{n}") for n in range(6)])
    assert cosines(found, expected).min() >= 0.9999


def encoded(there: There) -> int:
    """How many documents the node's CLIP has encoded."""
    headers = {"accept": "application/json"}
    shown = there.client.perform_request("GET", "/_densehook", headers=headers).body
    (node,) = shown["nodes"].values()
    return int(node["encoders"][there.clip.manifest.name]["ingest"]["texts"])


def test_an_unchanged_image_is_not_encoded_again(there: There, name: str) -> None:
    there.client.indices.create(index=name, **body(there.clip))
    document = {"photo": IMAGES[0], "said": "first"}
    there.client.index(index=name, id="1", document=document, refresh=True)
    before = encoded(there)
    there.client.index(index=name, id="1", document={**document, "said": "again"}, refresh=True)
    assert encoded(there) == before
    there.client.update(index=name, id="1", doc={"photo": IMAGES[1]}, refresh=True)
    assert encoded(there) == before + 1
    assert cosines(vector(there, name, "1"), there.clip.encode_images([IMAGES[1]])).min() >= 0.9999


def test_what_is_an_image_is_not_that_text(there: There, name: str) -> None:
    made = body(there.clip)
    stated = made["mappings"]["_meta"]["densehook"]["fields"]
    properties = made["mappings"]["properties"]
    properties["photo"] = {"type": "keyword", "index": False, "doc_values": False}
    properties["spelt"] = properties["embedding"]
    stated["spelt"] = {**stated["embedding"], "modality": "text"}
    there.client.indices.create(index=name, **made)
    there.client.index(index=name, id="1", document={"photo": IMAGES[0]}, refresh=True)
    fields = there.client.search(index=name, fields=["embedding", "spelt"], source=[NOTES])
    (hit,) = fields["hits"]["hits"]
    by_python = {
        "embedding": there.clip.encode_images([IMAGES[0]]),
        "spelt": there.clip.encode_documents([IMAGES[0]]),
    }
    for field, expected in by_python.items():
        assert cosines(np.array([hit["fields"][field]]), expected).min() >= 0.9999, field
    notes = hit["_source"][NOTES]
    assert notes["embedding"]["text"] == text_hash(IMAGES[0], modality="image")
    assert notes["spelt"]["text"] == text_hash(IMAGES[0])

    # and a field whose modality is mended gets other vectors
    mended = {**stated, "spelt": stated["embedding"]}
    meta = {"densehook": {"fields": mended}}
    there.client.indices.put_mapping(index=name, meta=meta)
    for encoder in (None, there.clip):
        index = Index.open(there.client, name, encoder, field="spelt")
        assert index.embed(texts=True).written == (1 if encoder is None else 0)
    found = there.client.search(index=name, fields=["spelt"])["hits"]["hits"][0]
    mended_row = np.array([found["fields"]["spelt"]])
    assert cosines(mended_row, by_python["embedding"]).min() >= 0.9999


def test_the_processor_embeds_images(there: There, name: str) -> None:
    made = body(there.clip)
    made["settings"] = {"index.default_pipeline": name}
    there.client.indices.create(index=name, **made)
    processor = {
        "encoder": there.clip.manifest.name,
        "input": "photo",
        "modality": "image",
        "output": "embedding",
        "ignore_missing": True,
    }
    there.client.ingest.put_pipeline(id=name, processors=[{"densehook": processor}])
    there.client.index(index=name, id="1", document={"photo": IMAGES[2]}, refresh=True)
    assert cosines(vector(there, name, "1"), there.clip.encode_images([IMAGES[2]])).min() >= 0.9999
    with pytest.raises(BadRequestError, match="neither JPEG nor PNG"):
        there.client.index(index=name, id="2", document={"photo": BAD[1][0]})
    two = {**processor, "input": ["photo", "said"]}
    with pytest.raises(BadRequestError, match="of images a vector is made of one"):
        there.client.ingest.put_pipeline(id=f"{name}-two", processors=[{"densehook": two}])
    there.client.indices.delete(index=name)
    there.client.ingest.delete_pipeline(id=name)


def hits(there: There, name: str, **asked: Any) -> list[str]:
    found = there.client.search(index=name, size=3, source=False, **asked)
    return [hit["_id"] for hit in found["hits"]["hits"]]


def test_texts_and_images_find_images(there: There, name: str) -> None:
    there.client.indices.create(index=name, **body(there.clip))
    operations: list[Any] = []
    for n, image in enumerate(IMAGES[:20]):
        operations += [{"index": {"_id": f"{n}"}}, {"photo": image, "said": f"photo {n}"}]
    there.client.bulk(index=name, operations=operations, refresh=True)
    images = there.clip.encode_images(IMAGES[:20])
    by_image = there.clip.encode_images([IMAGES[7]])[0] @ images.T
    by_text = there.clip.encode_queries(["a cat"])[0] @ images.T
    likest = [str(n) for n in np.argsort(-by_image)[:3]]
    nearest = [str(n) for n in np.argsort(-by_text)[:3]]
    assert likest[0] == "7"
    url = f"data:image/png;base64,{IMAGES[7]}"
    for image in (IMAGES[7], url):
        assert hits(there, name, query={"dense": {"field": "embedding", "image": image}}) == likest
    assert hits(there, name, query={"dense": {"field": "embedding", "text": "a cat"}}) == nearest
    built = {"densehook": {"image": IMAGES[7], "encoder": there.clip.manifest.name}}
    knn = {"field": "embedding", "k": 3, "num_candidates": 20, "query_vector_builder": built}
    assert hits(there, name, knn=knn) == likest
    hybrid = {"query": "photo 3", "fields": ["said", "embedding"]}
    assert "3" in hits(there, name, retriever={"hybrid": hybrid})
    by_node = Index.open(there.client, name)
    here = Index.open(there.client, name, there.clip)
    for index in (by_node, here):
        assert [hit.id for hit in index.search(image=IMAGES[7], size=3)] == likest
        second = index.search(image=file_of(7), size=2, from_=1)
        assert [hit.id for hit in second] == likest[1:3]
        assert [hit.id for hit in index.search("a cat", mode="dense", size=3)] == nearest
    with pytest.raises(RequestError, match="for a text or for an image"):
        here.search("a cat", image=IMAGES[7])
    with pytest.raises(RequestError, match="by dense or maxsim alone"):
        here.search(image=IMAGES[7], highlight=True)
    for asked in ({}, {"text": "a cat", "image": IMAGES[7]}):
        with pytest.raises(RequestError, match="for a text or for an image; give one of them"):
            here.search(**asked)


def test_a_query_for_an_image_is_refused_where_it_cannot_be(there: There, name: str) -> None:
    there.client.indices.create(index=name, **body(there.clip))
    there.client.indices.create(
        index=f"{name}-texts",
        **body(there.tiny, input="said", modality="text"),
    )

    def refusal(index: str, **dense: Any) -> str:
        with pytest.raises(BadRequestError) as refused:
            there.client.search(index=index, query={"dense": {"field": "embedding", **dense}})
        return str(refused.value)

    assert "it is of kind [dense] and reads no images" in refusal(f"{name}-texts", image=IMAGES[0])
    assert "needs either [text] or [image]" in refusal(name)
    assert "needs either [text] or [image]" in refusal(name, text="a", image=IMAGES[0])
    assert "[image] of [dense] is blank" in refusal(name, image=" ")
    for image, reason in BAD:
        assert re.search(reason, refusal(name, image=image))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"query": {"sparse": {"field": "embedding", "text": "a cat"}}},
            "is mapped as [dense_vector], and query [sparse] needs a [sparse_vector]",
        ),
        (
            {"query": {"maxsim": {"field": "embedding", "text": "a cat"}}},
            "is mapped as [dense_vector], and [maxsim] needs a [binary]",
        ),
        (
            {"query": {"maxsim": {"field": "embedding", "image": IMAGES[0]}}},
            "is mapped as [dense_vector], and [maxsim] needs a [binary]",
        ),
        (
            {"retriever": {"rerank": {"retriever": {"standard": {}}, "field": "said"}}},
            "is of kind [image-text], retriever [rerank] needs one of kind [cross]",
        ),
    ],
    ids=["sparse", "maxsim by text", "maxsim by image", "rerank"],
)
def test_what_encoders_of_images_do_not_give_is_refused(
    there: There, name: str, asked: dict[str, Any], said: str
) -> None:
    there.client.indices.create(index=name, **body(there.clip))
    if "retriever" in asked:
        rerank = {**asked["retriever"]["rerank"], "text": "a", "encoder": there.clip.manifest.name}
        asked = {"retriever": {"rerank": rerank}}
    with pytest.raises(BadRequestError) as refused:
        there.client.search(index=name, **asked)
    assert said in str(refused.value.body)


def test_no_image_is_shown_as_a_passage(there: There, name: str) -> None:
    there.client.indices.create(index=name, **body(there.clip))
    document = {"photo": IMAGES[0], "said": "a pattern"}
    there.client.index(index=name, id="1", document=document, refresh=True)
    images = f"cannot show passages by field [embedding], which index [{name}] makes of images"
    dense = {"dense": {"field": "embedding", "text": "a cat"}}
    named = {"text": "a cat", "field": "embedding"}
    for field, query, options, said in (
        ("photo", {"match_all": {}}, {"text": "a cat"}, "needs a vector field"),
        ("photo", {"match_all": {}}, named, images),
        ("photo", dense, {}, images),
        ("said", dense, {}, images),
    ):
        highlight = {"fields": {field: {"type": "densehook", "options": options}}}
        with pytest.raises(BadRequestError) as refused:
            there.client.search(index=name, query=query, highlight=highlight)
        assert said in str(refused.value.body)


@pytest.mark.parametrize(
    ("which", "entry", "reason"),
    [
        ("tiny", {}, r"which reads texts alone; name one of kind \[image-text\]"),
        ("clip", {"input": ["photo", "said"]}, r"of images a vector is made of one \[input\]"),
        ("clip", {"template": "{photo}"}, r"of images a vector is made of one \[input\]"),
        ("clip", {"modality": "sound"}, r"\[modality\] is \[sound\]; it must be one of"),
        ("clip", {"modality": "text"}, "is mapped as .binary., which holds no text"),
    ],
)
def test_a_mapping_of_images_that_cannot_be_is_refused(
    there: There, name: str, which: str, entry: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadRequestError, match=reason):
        there.client.indices.create(index=name, **body(getattr(there, which), **entry))


def test_python_feeds_images_and_names_bad_ones(there: There, name: str) -> None:
    index = Index.create(
        there.client, name, there.clip, inputs=["photo"], modality="image", in_cluster=False
    )
    rows: list[dict[str, Any]] = [
        {"id": f"{n}", "photo": each} for n, each in enumerate(IMAGES[:4])
    ]
    failures: list[Any] = []
    report = index.ingest([*rows, {"id": "bad", "photo": "no image"}], on_failure=failures.append)
    assert (report.indexed, report.failed) == (4, 1)
    assert failures[0].id == "bad" and "no image in base64" in failures[0].reason
    expected = there.clip.encode_images(IMAGES[:4])
    found = np.concatenate([vector(there, name, f"{n}") for n in range(4)])
    assert cosines(found, expected).min() >= 0.9999
    again = index.ingest(rows, replace=True)
    assert again.encoded.texts == 0
    other = f"{name}-by-node"
    made = Index.create(there.client, other, there.clip, inputs=["photo"], modality="image")
    made.ingest(rows)
    found = np.concatenate([vector(there, other, f"{n}") for n in range(4)])
    assert cosines(found, expected).min() >= 0.9999


@pytest.mark.parametrize("in_cluster", [True, False])
def test_an_index_that_is_there_gets_vectors_of_its_images(
    there: There, name: str, in_cluster: bool
) -> None:
    properties = {"photo": {"type": "binary"}, "said": {"type": "text"}}
    there.client.indices.create(index=name, mappings={"properties": properties})
    for n, each in enumerate(IMAGES[:4]):
        there.client.index(index=name, id=f"{n}", document={"photo": each, "said": "a pattern"})
    there.client.indices.refresh(index=name)
    asked: dict[str, Any] = {"inputs": ["photo"], "in_cluster": in_cluster}
    with pytest.raises(RequestError, match=r"'photo' .* is mapped as binary, which holds no text"):
        Index.add_field(there.client, name, there.clip, **asked)
    with pytest.raises(BundleError, match="of kind 'image-text' alone"):
        Index.add_field(there.client, name, there.tiny, modality="image", **asked)
    with pytest.raises(RequestError, match="of one field, not of photo, said"):
        Index.add_field(there.client, name, there.clip, inputs=["photo", "said"], modality="image")
    index = Index.add_field(there.client, name, there.clip, modality="image", **asked)
    assert index.field.text.modality == "image" and not index.provenance.bm25_fields
    report = index.embed()
    assert (report.written, report.failed, report.coverage.to_embed) == (4, 0, 0)
    found = np.concatenate([vector(there, name, f"{n}") for n in range(4)])
    assert cosines(found, there.clip.encode_images(IMAGES[:4])).min() >= 0.9999
    there.client.indices.refresh(index=name)
    assert index.search(image=file_of(2))[0].id == "2"
    again = Index.add_field(there.client, name, there.clip, modality="image", **asked)
    assert again.embed().written == 0
    with pytest.raises(RequestError, match="are read as image, not as text; leave the modality"):
        Index.add_field(there.client, name, there.clip, **asked)


def test_the_command_line_embeds_the_images_that_are_there(
    there: There, name: str, clip_bundle: Bundle, tmp_path: Path
) -> None:
    run = running_in(tmp_path, DENSEHOOK_ES_URL=there.url)
    there.client.indices.create(index=name, mappings={"properties": {"photo": {"type": "binary"}}})
    there.client.index(index=name, id="0", document={"photo": IMAGES[0]}, refresh=True)
    asked = ("embed", name, "--encoder", clip_bundle.path, "--image", "photo")
    refused = run(*asked, "--input", "photo")
    assert refused.returncode == 2 and "give one of them" in refused.stderr
    assert "1 documents embedded" in succeeded(run(*asked))
    assert "0 documents embedded" in succeeded(run("embed", name, "--encoder", clip_bundle.path))


def test_the_command_line_creates_feeds_and_searches(
    there: There, name: str, clip_bundle: Bundle, tmp_path: Path
) -> None:
    run = running_in(tmp_path, DENSEHOOK_ES_URL=there.url)
    rows = [json.dumps({"id": f"{n}", "photo": each}) for n, each in enumerate(IMAGES[:8])]
    (tmp_path / "photos.jsonl").write_text("\n".join(rows))
    (tmp_path / "asked.png").write_bytes(file_of(5))
    said = succeeded(run("create", name, "--encoder", clip_bundle.path, "--image", "photo"))
    assert f"{there.clip.dims} dims of text and images) is made from photo by" in said
    succeeded(run("ingest", name, "photos.jsonl"))
    for encoder in ([], ["--encoder", clip_bundle.path]):
        shown = succeeded(run("search", name, "--image", "asked.png", "--json", *encoder))
        assert json.loads(shown)["hits"][0]["id"] == "5"
    refused = run("search", name, "a cat", "--image", "asked.png")
    assert refused.returncode == 2 and "give one of them" in refused.stderr


def test_what_python_cannot_create_is_said(there: There, name: str) -> None:
    with pytest.raises(BundleError, match="of kind 'image-text' alone"):
        Index.create(there.client, name, there.tiny, inputs=["photo"], modality="image")
    with pytest.raises(RequestError, match="of one field, not of photo, said"):
        Index.create(there.client, name, there.clip, inputs=["photo", "said"], modality="image")
    there.client.indices.create(index=name, **body(there.clip))
    with pytest.raises(EncoderMismatch, match=r"is made of images, encoder .* reads texts alone"):
        Index.open(there.client, name, there.tiny)


def test_the_requests_of_the_page_answer(there: There) -> None:
    section = PAGE.partition("## image-text\n")[2].partition("\n## ")[0]
    section = section.partition("\n### Patches of an image\n")[0]  # by an encoder that has them
    section = FINGERPRINT.sub(there.clip.fingerprint, section)
    section = section.replace('"clip-vit-base-patch32"', f'"{there.clip.manifest.name}"')
    dims = there.clip.manifest.of(ImageText).dims
    section = section.replace('"dims": 512', f'"dims": {dims}')
    try:
        answers = answers_of(section, there.url)
    finally:
        there.client.indices.delete(index="photos", ignore_unavailable=True)
    _, _, by_text, by_image, shown = answers
    assert [hit["_id"] for hit in by_text["hits"]["hits"]] == ["1"]
    assert [hit["_id"] for hit in by_image["hits"]["hits"]] == ["1"]
    assert len(shown["images"][0]["vector"]) == dims
