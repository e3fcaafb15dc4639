"""Lists of numbers: PyTorch's vectors, the node's those of Python, and fields made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from elasticsearch import BadRequestError, Elasticsearch
from onnx import TensorProto, helper

import tiny_numbers
from command_line import running_in, succeeded
from conftest import serving
from densehook import Index
from densehook.bundle import Numbers, read_bundle, require_one_space, write_golden, write_manifest
from densehook.bundle.reader import Bundle
from densehook.elastic.checkpoints import CHECKPOINTS
from densehook.elastic.checks import checked
from densehook.elastic.remote import remote_encoder
from densehook.encode import DocumentTokenizer, Encoder, cosines, load
from densehook.errors import (
    BundleError,
    ElasticError,
    EncodeError,
    EncoderMismatch,
    ExportError,
    RecipeError,
    RequestError,
    SelfTestError,
)
from densehook.export import export_bundle, find_files, import_bundle, imported_recipe, read_recipe
from densehook.export.graph import quiet
from densehook.hooks import NOTES
from densehook.hooks.notes import text_hash
from densehook.migration import Wanted, migrate
from densehook.node import NodeState
from densehook.number_lists import text_of_numbers
from page_requests import answers_of
from tiny_numbers import CHANNELS, STEPS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "encoders.md").read_text()
FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
POOLED = {"steps": {"pooling": "mean", "normalise": True}}
"""What is said of graphs that give a vector for each step."""


def made(steps: int, channels: int = CHANNELS, seed: int = 0) -> list[Any]:
    draw = np.random.default_rng([steps, channels, seed])
    list_: list[Any] = draw.normal(size=(steps, channels)).astype(np.float32).tolist()
    return list_


LISTS = [made(steps) for steps in (1, 2, 3, 7, 16, 17, 40, 40, 90)]


@dataclass(frozen=True)
class Made:
    """A bundle, and the model in PyTorch of whose graph it is made."""

    model: torch.nn.Module
    bundle: Bundle

    def vector(self, numbers: Any) -> Any:
        """What PyTorch gives for one list, by itself."""
        given = torch.tensor([numbers], dtype=torch.float32)
        name = self.bundle.manifest.name
        shape = tiny_numbers.MODELS[name][1].get("shape", ())
        if shape[:1] == (2,):
            given = given.transpose(1, 2)
        kinds = {"padded": torch.zeros(given.shape[:2], dtype=torch.bool)}
        takes = "mask" in tiny_numbers.MODELS[name][1]
        mask = [kinds.get(name, torch.ones(given.shape[:2], dtype=torch.int64))] if takes else []
        with torch.no_grad():
            found = self.model(*([given[..., 0]] if shape == ("steps",) else [given]), *mask)
        if name in POOLED:
            found = torch.nn.functional.normalize(found.mean(1), dim=-1)
        return found[0].numpy()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """One of each graph, which no test may change."""
    found = {}
    for name in tiny_numbers.MODELS:
        folder = tmp_path_factory.mktemp(name)
        model, _ = tiny_numbers.make_graph(folder / "graph", name)
        stated = {"max_tokens": 96 if name != "whole" else None, **POOLED.get(name, {})}
        found[name] = Made(model, tiny_numbers.make_numbers_bundle(folder, name, **stated))
    return found


@pytest.fixture(scope="module")
def attended(bundles: dict[str, Made]) -> Encoder:
    """Which is told padding by a mask, and reads lists of 3 channels, 32 steps of them."""
    return load(bundles["attended"].bundle.path)


def lists_of(part: Numbers) -> list[Any]:
    lengths = [STEPS] * 3 if part.fixed_length else [16, 17, 16, 24, 30, 17]
    return [made(steps, part.channels, seed) for seed, steps in enumerate(lengths)]


@pytest.mark.parametrize("name", tiny_numbers.MODELS)
def test_a_lists_vector_is_pytorchs_in_any_company(bundles: dict[str, Made], name: str) -> None:
    made_ = bundles[name]
    encoder = load(made_.bundle.path)
    lists = lists_of(encoder.manifest.of(Numbers))
    expected = np.stack([made_.vector(each) for each in lists])
    together = encoder.encode_numbers(lists)
    assert cosines(together, expected).min() >= 0.99999
    alone = np.concatenate([encoder.encode_numbers([each]) for each in lists])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    arrays = encoder.encode_numbers([np.array(each, np.float64) for each in lists])
    np.testing.assert_array_equal(arrays, together)


def test_what_a_graph_takes_is_told_by_its_axes(bundles: dict[str, Made]) -> None:
    stated = {
        name: (
            made_.bundle.manifest.of(Numbers).channels,
            made_.bundle.manifest.of(Numbers).fixed_length,
            made_.bundle.manifest.knows_padding,
        )
        for name, made_ in bundles.items()
    }
    assert stated == {
        "attended": (3, False, True),
        "steps": (3, False, True),
        "padded": (3, False, True),
        "heedless": (3, False, False),
        "convolved": (1, False, False),
        "channels-first": (2, False, False),
        "whole": (3, True, False),
    }
    for name, made_ in bundles.items():
        shown = json.loads((made_.bundle.path / "parity.json").read_text())
        said = " ".join(shown.get("remarks", ()))
        assert ("does not tell padding by mask" in said) == (name == "heedless")
        assert made_.bundle.manifest.proof == "none"
        assert not (made_.bundle.path / "tokenizer.json").exists()
        assert shown["lowest_cosine"] >= 0.99999


class _Spectrogram(torch.nn.Module):
    """A transformer of spectrograms as exporters leave it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_values: Any) -> Any:
        found = self.model(input_values)
        return found.last_hidden_state, found.pooler_output


def test_a_transformer_of_spectrograms_is_transformers(tmp_path: Path) -> None:
    from transformers import ASTConfig, ASTModel

    torch.manual_seed(0)
    sides = {"max_length": 32, "num_mel_bins": 16, "patch_size": 8}
    strides = {"frequency_stride": 8, "time_stride": 8}
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = ASTModel(ASTConfig(**sizes, **sides, **strides, intermediate_size=64)).eval()
    names = ["input_values", "last_hidden_state", "pooler_output"]
    file = tmp_path / "model.onnx"
    with quiet(), torch.no_grad():
        torch.onnx.export(
            _Spectrogram(model),
            (torch.randn(2, 32, 16),),
            str(file),
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=17,
            dynamo=False,
        )
    spectrograms = np.random.default_rng(0).normal(size=(3, 32, 16)).astype(np.float32)
    with torch.no_grad():
        given = model(torch.tensor(spectrograms))
    for pooling, expected in (
        (None, given.pooler_output),
        ("mean", given.last_hidden_state.mean(1)),
    ):
        recipe = imported_recipe(file, name="spectrograms", pooling=pooling)
        bundle = import_bundle(find_files(file), recipe, tmp_path / "bundle")
        part = bundle.manifest.of(Numbers)
        assert (part.channels, part.fixed_length, bundle.manifest.max_tokens) == (16, True, 512)
        found = load(bundle.path).encode_numbers(spectrograms)
        assert cosines(found, expected.numpy()).min() >= 0.99999


def test_a_list_that_is_too_long_is_cut_and_counted(
    attended: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    most = attended.manifest.max_tokens // CHANNELS
    lists = [made(most + 5), made(4)]
    (cut, _) = attended.encode_numbers(lists)
    assert "1 of 2 texts are over 96 tokens: 15 tokens were not encoded" in caplog.text
    np.testing.assert_allclose(cut, attended.encode_numbers([lists[0][:most]])[0], atol=1e-6)


def test_lists_that_would_be_cut_are_told_and_bad_ones_are_not(bundles: dict[str, Made]) -> None:
    tells = DocumentTokenizer(bundles["attended"].bundle)
    lists = [text_of_numbers(each) for each in (made(40), made(4), made(40, 2))]
    assert tells.cuts([(each, None) for each in (*lists, "", "words")]) == [True, *[False] * 4]


def test_what_is_no_list_of_the_encoders_is_refused(
    attended: Encoder, bundles: dict[str, Made], tiny: Encoder
) -> None:
    for bad, reason in (
        ([1, 2, 3], "it has 1 channels, and encoder 'attended' reads lists of 3"),
        ([[1, 2], [3]], r"list 1: it has 1 channels at \[1\], and 2 at \[0\]"),
        ([[1, 2, None]], r"list 1: it has null at \[0\]\[2\]"),
        ([[1, 2, 1e39]], "that no float of 32 bits can hold"),
        ([], "list 1: it has no number"),
        ("1, 2, 3", "list 1: it is a string, not a list of numbers"),
    ):
        with pytest.raises(EncodeError, match=reason) as refused:
            attended.encode_numbers([made(3), bad])
        assert refused.value.position == 1
    whole = load(bundles["whole"].bundle.path)
    with pytest.raises(EncodeError, match="it has 15 steps, and encoder 'whole' reads lists of 16"):
        whole.encode_numbers([made(15)])
    for encode in (attended.encode_queries, attended.encode_documents):
        with pytest.raises(EncodeError, match="'how do vaccines work' is a text, and no list of"):
            encode(["how do vaccines work"])
    with pytest.raises(BundleError, match=r"is of kind 'dense'.*of kind 'numbers' alone"):
        tiny.encode_numbers([made(3)])


def test_other_numbers_than_golden_ones_fail_the_self_test(
    bundles: dict[str, Made], tmp_path: Path
) -> None:
    import shutil

    bundle = bundles["attended"].bundle
    shutil.copytree(bundle.path, tmp_path / "copy")
    damaged = read_bundle(tmp_path / "copy")
    first, *others = damaged.golden()
    part = damaged.manifest.part
    for wrong, reason in (
        (replace(first, output=[-number for number in first.output]), "cosine -1.0"),
        (replace(first, text=others[0].text), "the tokenizer gives"),
    ):
        write_golden(damaged.path / "golden.json", [wrong, *others], part)
        write_manifest(damaged.path, damaged.manifest, damaged.manifest.files)
        with pytest.raises(SelfTestError, match=reason):
            load(damaged.path)


def test_a_manifest_of_half_steps_is_refused(bundles: dict[str, Made]) -> None:
    manifest = replace(bundles["attended"].bundle.manifest, max_tokens=97)
    with pytest.raises(BundleError, match="max_tokens is 97; it must be whole steps of 3 channels"):
        type(manifest).loads(manifest.dumps())
    inputs = replace(bundles["attended"].bundle.manifest, inputs=["attention_mask"])
    with pytest.raises(BundleError, match="it must have numbers, and none twice"):
        type(manifest).loads(inputs.dumps())


def test_texts_are_no_tower_of_numbers(bundles: dict[str, Made], tiny: Encoder) -> None:
    numbers = bundles["attended"].bundle.manifest
    for pair in ((numbers, tiny.manifest), (tiny.manifest, numbers)):
        with pytest.raises(BundleError, match="cannot be towers of one space"):
            require_one_space(*pair)


def test_the_command_line_imports_numbers_and_measures_them(tmp_path: Path) -> None:
    tiny_numbers.make_graph(tmp_path / "graph", "convolved")
    run = running_in(tmp_path)
    said = succeeded(run("import", "graph/model.onnx", "--output", "beats", "--max-tokens", "64"))
    assert "24 dims of numbers, fp32" in said and "as the graph was on 52 lists" in said
    assert "proof: none" in said
    (tmp_path / "lists.txt").write_text("".join(f"{json.dumps(made(n, 1))}\n" for n in (16, 80)))
    times = json.loads(succeeded(run("bench", "beats", "--texts", "lists.txt", "--json")))
    assert times["bulk"]["texts"] == 2
    assert (times["bulk"]["tokens"], times["bulk"]["lost_tokens"]) == (16 + 64, 16)
    assert [each["callers"] for each in times["queries"]] == [1, 4]
    (tmp_path / "lists.txt").write_text("[1, 2]\nbeat\n")
    refused = run("bench", "beats", "--texts", "lists.txt")
    assert refused.returncode == 2
    assert "lists.txt:2 must be a list of numbers" in " ".join(refused.stderr.split())
    refused = run("tune", "beats")
    assert refused.returncode == 1 and "--numbers" in refused.stderr
    refused = run("whiten", "beats", "white")
    assert refused.returncode == 1 and "is of kind 'numbers'" in refused.stderr


def graph(folder: Path, *inputs: tuple[str, int, list[Any]], output: list[Any]) -> Path:
    """A graph that adds up its first input, and gives that."""
    values = [helper.make_tensor_value_info(*each) for each in inputs]
    nodes = [helper.make_node("Identity", [inputs[0][0]], ["out"])]
    made_ = helper.make_graph(
        nodes, "g", values, [helper.make_tensor_value_info("out", TensorProto.FLOAT, output)]
    )
    model = helper.make_model(made_, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))
    return folder / "model.onnx"


FLOATS = ("values", TensorProto.FLOAT, ["batch", "steps", 3])


@pytest.mark.parametrize(
    ("inputs", "stated", "error", "reason"),
    [
        (
            [("values", TensorProto.FLOAT, [4, "steps", 3])],
            {},
            ExportError,
            "its axis of batch is 4; export the graph with a dynamic one",
        ),
        (
            [("values", TensorProto.FLOAT, ["batch", "steps", "channels"])],
            {},
            ExportError,
            "export the graph with so many channels as there are",
        ),
        (
            [FLOATS, ("mask", TensorProto.INT64, ["batch"])],
            {},
            ExportError,
            "has an input mask of 1 axes of INT64, and it is no mask",
        ),
        (
            [FLOATS, ("mask", TensorProto.INT64, ["batch", "steps"]), ("rate_mask", 7, ["batch"])],
            {},
            ExportError,
            "has the inputs mask, rate_mask beside values; numbers may have a mask alone",
        ),
        ([FLOATS], {}, RecipeError, "pooling is missing and the model folder does not say it"),
        (
            [FLOATS],
            {"pooling": "mean", "max_tokens": 100},
            RecipeError,
            "max_tokens is 100; it must be the numbers of whole steps of 3 channels",
        ),
        (
            [FLOATS],
            {"pooling": "mean", "prompts": {"query": "find: "}},
            RecipeError,
            "prompts are for texts, and the graph is of numbers",
        ),
        ([FLOATS], {"activation": "relu"}, RecipeError, "activation is for kind cross, sparse"),
    ],
)
def test_a_graph_that_no_bundle_can_be_is_refused(
    tmp_path: Path,
    inputs: list[Any],
    stated: dict[str, Any],
    error: type[Exception],
    reason: str,
) -> None:
    file = graph(tmp_path, *inputs, output=inputs[0][2])
    recipe = imported_recipe(file, name="bad", **stated)
    with pytest.raises(error, match=reason):
        import_bundle(find_files(file), recipe, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_numbers_are_no_other_kind_and_have_no_weights_to_compare(tmp_path: Path) -> None:
    file = graph(tmp_path, FLOATS, output=FLOATS[2])
    recipe = imported_recipe(file, name="bad", pooling="mean")
    for asked, reason in (
        ({"kind": "dense"}, "is fed with numbers, of which no encoder of kind dense can be made"),
        ({"weights": tmp_path}, "--weights compares texts alone"),
    ):
        with pytest.raises(ExportError, match=reason):
            import_bundle(find_files(file), recipe, tmp_path / "bundle", **asked)  # type: ignore[arg-type]
    recipe_file = tmp_path / "exported.toml"
    recipe_file.write_text('source = "model"\nkind = "numbers"\n')
    with pytest.raises(RecipeError, match="kind 'numbers' is imported, not exported"):
        export_bundle(read_recipe(recipe_file), tmp_path / "bundle")


@dataclass(frozen=True)
class There:
    """A node with encoders of numbers, and one of texts."""

    url: str
    client: Elasticsearch
    encoders: dict[str, Encoder]

    @property
    def attended(self) -> Encoder:
        return self.encoders["attended"]


@pytest.fixture(scope="module")
def there(plugin_node: NodeState, bundles: dict[str, Made], tiny_bundle: Bundle) -> Iterator[There]:
    found = {name: made_.bundle for name, made_ in bundles.items()} | {"tiny": tiny_bundle}
    with serving(plugin_node, *found.values()) as client:
        encoders = {name: load(each.path) for name, each in found.items()}
        yield There(plugin_node.url, client, encoders)


@pytest.fixture
def name(there: There, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.originalname.replace("_", "-")[:40]
    yield name
    for index in there.client.indices.get(index=f"{name}*"):
        there.client.indices.delete(index=index)


def body(encoder: Encoder, mapped: Any = None, **entry: Any) -> dict[str, Any]:
    """An index of series and what is said of them."""
    stated = {
        "input": "samples",
        "modality": "numbers",
        "encoder": encoder.manifest.name,
        "fingerprint": encoder.fingerprint,
        **entry,
    }
    return {
        "settings": {"index.densehook.embed": True},
        "mappings": {
            "_meta": {"densehook": {"bm25": "said", "fields": {"embedding": stated}}},
            "properties": {
                "samples": mapped or {"type": "object", "enabled": False},
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


def vectors(there: There, name: str, *ids: str) -> Any:
    """Stored vectors, wherever the version hides them."""
    query = {"ids": {"values": list(ids)}}
    found = there.client.search(
        index=name, query=query, fields=["embedding"], source=False, size=len(ids)
    )
    by_id = {hit["_id"]: hit["fields"]["embedding"] for hit in found["hits"]["hits"]}
    return np.array([by_id[each] for each in ids], dtype=np.float32)


def encoded(there: There) -> int:
    """How many documents the node's encoder has encoded."""
    headers = {"accept": "application/json"}
    shown = there.client.perform_request("GET", "/_densehook", headers=headers).body
    (node,) = shown["nodes"].values()
    return int(node["encoders"]["attended"]["ingest"]["texts"])


@pytest.mark.parametrize("which", tiny_numbers.MODELS)
def test_the_node_gives_pythons_vectors(there: There, which: str) -> None:
    here = there.encoders[which]
    lists = lists_of(here.manifest.of(Numbers))
    remote = remote_encoder(there.client, which)
    assert cosines(remote.encode_numbers(lists), here.encode_numbers(lists)).min() >= 0.99999


def test_the_node_refuses_what_python_does(there: There) -> None:
    headers = {"accept": "application/json", "content-type": "application/json"}

    def refusal(encoder: str, **asked: Any) -> str:
        with pytest.raises(BadRequestError) as refused:
            asked = {"encoder": encoder, **asked}
            there.client.perform_request("POST", "/_densehook/_encode", headers=headers, body=asked)
        return str(refused.value)

    assert "reads lists of 3 channels, and this has 1" in refusal("attended", numbers=[[1, 2, 3]])
    assert "reads lists of 16 steps alone, and this has 15" in refusal("whole", numbers=[made(15)])
    assert "list 1 of [numbers]: it has null at [0]" in refusal("attended", numbers=[[1], [None]])
    assert "is a text, and no list of numbers" in refusal("attended", numbers=[[]])
    assert "of kind [dense] and reads no numbers" in refusal("tiny-bert", numbers=[[1, 2]])
    for role in ("query", "document"):
        reason = "of kind [numbers] and reads no texts; give it [numbers]"
        assert reason in refusal("attended", texts=["a cat"], role=role)
    remote = remote_encoder(there.client, "attended")
    with pytest.raises(EncodeError, match="list 0: it is a string"):
        remote.encode_numbers(["1, 2"])
    with pytest.raises(ElasticError, match="this has 2"):
        remote.encode_numbers([made(3, 2)])
    with pytest.raises(BundleError, match="of kind 'numbers' alone"):
        remote_encoder(there.client, "tiny-bert").encode_numbers([made(3)])


BAD: list[tuple[Any, str]] = [
    ("1, 2, 3", r"input field \[samples\]: it is a string, not a list of numbers"),
    ({"a": 1}, "it is an object, not a list of numbers"),
    ([[1, 2, 3], [4, None, 6]], r"it has null at \[1\]\[1\], where a number must be"),
    ([[1, 2, 3], [4, 5, 1e39]], r"at \[1\]\[2\] that no float of 32 bits can hold"),
    ([[1, 2, 3], [4, 5]], r"it has 2 channels at \[1\], and 3 at \[0\]"),
    ([1, 2, 3], "it reads lists of 3 channels, and this has 1"),
]
"""Values of documents that get no vector, and why."""


def test_the_setting_embeds_lists_and_refuses_bad_ones_alone(there: There, name: str) -> None:
    there.client.indices.create(index=name, **body(there.attended))
    documents = [{"samples": each} for each in LISTS] + [{"samples": each} for each, _ in BAD]
    documents += [{"said": "nothing"}, {"samples": []}, {"samples": None}]
    operations: list[Any] = []
    for number, document in enumerate(documents):
        operations += [{"index": {"_id": str(number)}}, document]
    answer = there.client.bulk(index=name, operations=operations, refresh=True)
    items = [each["index"] for each in answer["items"]]
    assert [each["status"] for each in items] == [201] * len(LISTS) + [400] * len(BAD) + [201] * 3
    for item, (_, reason) in zip(items[len(LISTS) :], BAD, strict=False):
        assert re.search(reason, item["error"]["reason"]), item
    ids = [str(number) for number in range(len(LISTS))]
    found = vectors(there, name, *ids)
    assert cosines(found, there.attended.encode_numbers(LISTS)).min() >= 0.99999
    having = there.client.count(index=name, query={"exists": {"field": "embedding"}})
    assert having["count"] == len(LISTS)


@pytest.mark.parametrize(
    "mapped",
    [
        {"type": "object", "enabled": False},
        {"type": "float"},
        {"type": "float", "index": False, "doc_values": False},
    ],
    ids=["disabled", "float", "float, not indexed"],
)
def test_an_unchanged_list_is_not_encoded_again_however_it_is_spelled(
    there: There, name: str, mapped: dict[str, Any]
) -> None:
    there.client.indices.create(index=name, **body(there.attended, mapped))
    there.client.index(index=name, id="1", document={"samples": [[1, 2, 3]], "said": "first"})
    before = encoded(there)
    for numbers in ("[[1, 2, 3]]", "[[1.0, 2e0, 3.00]]"):
        document = f'{{"samples": {numbers}, "said": "again"}}'
        there.client.perform_request(
            "PUT",
            f"/{name}/_doc/1?refresh=true",
            headers={"content-type": "application/json", "accept": "application/json"},
            body=document,
        )
    there.client.update(index=name, id="1", doc={"said": "once more"}, refresh=True)
    assert encoded(there) == before
    there.client.update(index=name, id="1", doc={"samples": [[3, 2, 1]]}, refresh=True)
    assert encoded(there) == before + 1
    found = vectors(there, name, "1")
    assert cosines(found, there.attended.encode_numbers([[[3, 2, 1]]])).min() >= 0.99999
    note = there.client.get(index=name, id="1")["_source"][NOTES]["embedding"]
    assert note["text"] == text_hash(text_of_numbers([[3, 2, 1]]), modality="numbers")
    there.client.update(index=name, id="1", doc={"samples": []}, refresh=True)
    having = {"exists": {"field": "embedding"}}
    assert there.client.count(index=name, query=having)["count"] == 0


def test_the_processor_embeds_lists(there: There, name: str) -> None:
    created = body(there.attended)
    created["settings"] = {"index.default_pipeline": name}
    there.client.indices.create(index=name, **created)
    processor = {
        "encoder": "attended",
        "input": "samples",
        "modality": "numbers",
        "output": "embedding",
        "ignore_missing": True,
    }
    there.client.ingest.put_pipeline(id=name, processors=[{"densehook": processor}])
    there.client.index(index=name, id="1", document={"samples": LISTS[3]}, refresh=True)
    operations: list[Any] = [{"update": {"_id": "1"}}, {"doc": {"samples": LISTS[4]}}]
    there.client.bulk(index=name, operations=operations, refresh=True)
    found = vectors(there, name, "1")
    assert cosines(found, there.attended.encode_numbers([LISTS[4]])).min() >= 0.99999
    with pytest.raises(BadRequestError, match="it is a string, not a list of numbers"):
        there.client.index(index=name, id="2", document={"samples": "1, 2"})
    two = {**processor, "input": ["samples", "said"]}
    with pytest.raises(BadRequestError, match="of numbers a vector is made of one"):
        there.client.ingest.put_pipeline(id=f"{name}-two", processors=[{"densehook": two}])
    there.client.indices.delete(index=name)
    there.client.ingest.delete_pipeline(id=name)


def hits(there: There, name: str, **asked: Any) -> list[str]:
    found = there.client.search(index=name, size=3, source=False, **asked)
    return [hit["_id"] for hit in found["hits"]["hits"]]


def test_lists_find_lists(there: There, name: str, tmp_path: Path) -> None:
    there.client.indices.create(index=name, **body(there.attended))
    series = [made(8 + number, seed=number) for number in range(20)]
    operations: list[Any] = []
    for number, each in enumerate(series):
        operations += [{"index": {"_id": str(number)}}, {"samples": each, "said": f"no {number}"}]
    there.client.bulk(index=name, operations=operations, refresh=True)
    rows = there.attended.encode_numbers(series)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    likest = [str(number) for number in np.argsort(-(units @ units[7]))[:3]]
    assert likest[0] == "7"
    asked = {"field": "embedding", "numbers": series[7]}
    assert hits(there, name, query={"dense": asked}) == likest
    built = {"densehook": {"numbers": series[7], "encoder": "attended"}}
    knn = {"field": "embedding", "k": 3, "num_candidates": 20, "query_vector_builder": built}
    assert hits(there, name, knn=knn) == likest
    for index in (Index.open(there.client, name), Index.open(there.client, name, there.attended)):
        assert [hit.id for hit in index.search(numbers=series[7], size=3)] == likest
        array = np.array(series[7], np.float32)
        assert [hit.id for hit in index.search(numbers=array, size=2, from_=1)] == likest[1:]
        with pytest.raises(RequestError, match="by dense alone"):
            index.search(numbers=series[7], highlight=True)
        with pytest.raises(RequestError, match="give one of them, or numbers"):
            index.search("a cat", numbers=series[7])
        with pytest.raises(EncodeError, match="it is a string, not a list"):
            index.search(numbers="1, 2")


def test_a_query_that_the_field_does_not_answer_is_refused(there: There, name: str) -> None:
    there.client.indices.create(index=name, **body(there.attended))
    texts = body(there.encoders["tiny"], {"type": "text"})
    texts["mappings"]["_meta"]["densehook"]["fields"]["embedding"]["modality"] = "text"
    there.client.indices.create(index=f"{name}-texts", **texts)

    def refusal(index: str, **asked: Any) -> str:
        with pytest.raises(BadRequestError) as refused:
            there.client.search(index=index, **asked)
        return str(refused.value)

    def dense(index: str, **asked: Any) -> str:
        return refusal(index, query={"dense": {"field": "embedding", **asked}})

    assert "it is of kind [numbers] and reads no texts" in dense(name, text="a cat")
    assert "of kind [dense] and reads no numbers" in dense(f"{name}-texts", numbers=[1, 2])
    assert "needs either [text] or [image], or [numbers]" in dense(name)
    assert "state no [text], [image] and [instruction]" in dense(name, numbers=[1], text="a")
    assert "[numbers] of [dense] is blank; give a list of them" in dense(name, numbers=[])
    assert "it has null at [0], where a number must be" in dense(name, numbers=[None])
    assert "it is a string, not a list of numbers" in dense(name, numbers="1, 2")
    assert "it is an object, not a list of numbers" in dense(name, numbers={"a": 1})
    assert "it reads lists of 3 channels, and this has 1" in dense(name, numbers=[1, 2])
    hybrid = {"hybrid": {"query": "no 3", "fields": ["said", "embedding"]}}
    assert "it is of kind [numbers] and reads no texts" in refusal(name, retriever=hybrid)
    fused = {"query": "no 3", "fields": ["said"], "numbers": [1, 2]}
    assert "numbers" in refusal(name, retriever={"hybrid": fused})


@pytest.mark.parametrize(
    ("which", "entry", "mapped", "reason"),
    [
        (
            "tiny",
            {},
            None,
            r"made of numbers, and encoder .*which reads texts alone; name .*numbers",
        ),
        ("attended", {"modality": "text"}, {"type": "text"}, "which reads numbers alone; name one"),
        ("attended", {"modality": "image"}, {"type": "binary"}, "made of images, and encoder"),
        ("attended", {"input": ["samples", "said"]}, None, "of numbers a vector is made of one"),
        ("attended", {"chunk": {}}, None, r"of numbers a vector is made of one \[input\]"),
        (
            "attended",
            {},
            {"type": "text"},
            r"is mapped as \[text\], which holds no list of numbers",
        ),
        ("attended", {}, {"properties": {}}, r"map it as object with .enabled.: false, or float"),
    ],
)
def test_a_mapping_of_numbers_that_cannot_be_is_refused(
    there: There, name: str, which: str, entry: dict[str, Any], mapped: Any, reason: str
) -> None:
    with pytest.raises(BadRequestError, match=reason):
        there.client.indices.create(index=name, **body(there.encoders[which], mapped, **entry))


def test_python_feeds_lists_and_names_bad_ones(there: There, name: str) -> None:
    index = Index.create(
        there.client, name, there.attended, inputs=["samples"], modality="numbers", in_cluster=False
    )
    rows = [{"id": str(number), "samples": each} for number, each in enumerate(LISTS)]
    failures: list[Any] = []
    report = index.ingest([*rows, {"id": "bad", "samples": "1, 2"}], on_failure=failures.append)
    assert (report.indexed, report.failed) == (len(LISTS), 1)
    assert failures[0].id == "bad" and "it is a string, not a list" in failures[0].reason
    assert report.encoded.truncated_texts == sum(len(each) > 32 for each in LISTS)
    ids = [row["id"] for row in rows]
    expected = there.attended.encode_numbers(LISTS)
    assert cosines(vectors(there, name, *ids), expected).min() >= 0.99999
    assert index.ingest(rows, replace=True).encoded.texts == 0
    assert index.embed(texts=True).written == 0
    there.client.index(index=name, id="more", document={"samples": LISTS[1]}, refresh=True)
    assert index.embed().written == 1
    assert cosines(vectors(there, name, "more"), expected[1:2]).min() >= 0.99999
    other = Index.create(
        there.client, f"{name}-by-node", there.attended, inputs=["samples"], modality="numbers"
    )
    other.ingest(rows)
    assert cosines(vectors(there, f"{name}-by-node", *ids), expected).min() >= 0.99999


@pytest.mark.parametrize("in_cluster", [True, False], ids=["in the cluster", "here"])
def test_an_index_of_lists_moves_to_another_encoder(
    there: There, name: str, in_cluster: bool
) -> None:
    old, new = there.attended, there.encoders["steps"]
    made_ = Index.create(
        there.client, f"{name}-1", old, inputs=["samples"], modality="numbers", field="embedding"
    )
    made_.ingest([{"id": str(number), "samples": each} for number, each in enumerate(LISTS)])
    there.client.indices.put_alias(index=f"{name}-1", name=f"{name}-alias")
    done = migrate(there.client, f"{name}-alias", Wanted(new, in_cluster=in_cluster), None)
    ids = [str(number) for number in range(len(LISTS))]
    found = vectors(there, f"{name}-alias", *ids)
    assert cosines(found, new.encode_numbers(LISTS)).min() >= 0.99999
    state = {each.subject: each for each in checked(there.client, done.new)}
    assert state[f"{done.new}, embedding"].seen == "9 documents, 0 without a vector, by steps"
    there.client.indices.delete(index=CHECKPOINTS, ignore_unavailable=True)


def test_what_python_cannot_create_is_said(there: There, name: str) -> None:
    tiny, numbers = there.encoders["tiny"], there.attended
    with pytest.raises(BundleError, match="of kind 'numbers' alone"):
        Index.create(there.client, name, tiny, inputs=["samples"], modality="numbers")
    with pytest.raises(RequestError, match="of one field, not of samples, said"):
        Index.create(there.client, name, numbers, inputs=["samples", "said"], modality="numbers")
    with pytest.raises(RequestError, match=r"reads no texts; say what it reads.*'numbers'"):
        Index.create(there.client, name, numbers, inputs=["samples"])
    there.client.indices.create(index=name, **body(numbers))
    with pytest.raises(EncoderMismatch, match=r"is made of numbers, encoder .* reads texts alone"):
        Index.open(there.client, name, tiny)


def test_the_command_line_creates_feeds_and_searches(
    there: There, name: str, bundles: dict[str, Made], tmp_path: Path
) -> None:
    run = running_in(tmp_path, DENSEHOOK_ES_URL=there.url)
    path = bundles["attended"].bundle.path
    rows = [json.dumps({"id": str(n), "samples": each}) for n, each in enumerate(LISTS[:6])]
    (tmp_path / "series.jsonl").write_text("\n".join(rows))
    (tmp_path / "asked.json").write_text(json.dumps(LISTS[5]))
    (tmp_path / "bad.json").write_text('["one"]')
    said = succeeded(run("create", name, "--encoder", path, "--numbers", "samples"))
    assert f"{there.attended.dims} dims of numbers) is made from samples by attended" in said
    succeeded(run("ingest", name, "series.jsonl"))
    for encoder in ([], ["--encoder", path]):
        shown = succeeded(run("search", name, "--numbers", "asked.json", "--json", *encoder))
        assert json.loads(shown)["hits"][0]["id"] == "5"
    refused = run("search", name, "--numbers", "bad.json")
    assert refused.returncode == 2 and "it has a string at [0]" in " ".join(refused.stderr.split())


def test_the_requests_of_the_page_answer(there: There) -> None:
    encoder = there.encoders["convolved"]
    section = PAGE.partition("## Numbers\n")[2].partition("\n## ")[0]
    section = FINGERPRINT.sub(encoder.fingerprint, section)
    section = section.replace('"heartbeats"', '"convolved"')
    section = section.replace('"dims": 128', f'"dims": {encoder.dims}')
    try:
        answers = answers_of(section, there.url)
    finally:
        there.client.indices.delete(index="series", ignore_unavailable=True)
    _, _, found, shown = answers
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["1"]
    assert len(shown["numbers"][0]["vector"]) == encoder.dims
