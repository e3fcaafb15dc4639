"""Any text gives a vector or a clear error, and what is cut is counted."""

from __future__ import annotations

import dataclasses
import logging
import re
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime.capi.onnxruntime_pybind11_state import EPFail

import densehook
from densehook.bundle import Bundle, Tuning, write_manifest
from densehook.encode import Encoder, cosines, load
from densehook.encode import encoder as encoder_module
from densehook.encode import session as session_module
from densehook.encode.asked import Asked, Prompt
from densehook.encode.encoder import WINDOW
from densehook.encode.packing import TOKENS_PER_RUN
from densehook.encode.session import Session
from densehook.errors import EncodeError, ProviderError, RequestError
from densehook.export.texts import AWKWARD, PASSAGES, QUESTIONS
from densehook.types import EncodeStats

any_text = st.text(st.characters(codec=None, categories=None), max_size=200)


@pytest.fixture(scope="module")
def prompted(shared_tiny_bundle: Callable[..., Bundle]) -> Encoder:
    """The tiny encoder with prompts of its own for queries and documents."""
    prompts = {"query": "query: ", "document": "passage: "}
    return load(shared_tiny_bundle("bert", prompts=prompts).path)


def test_vectors_are_float32_unit_rows_in_the_order_of_their_texts(tiny: Encoder) -> None:
    texts = [*PASSAGES, *AWKWARD, *QUESTIONS]
    vectors = tiny.encode_documents(texts)
    assert vectors.shape == (len(texts), tiny.dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    backwards = tiny.encode_documents(texts[::-1])[::-1]
    np.testing.assert_allclose(vectors, backwards, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.lists(any_text, max_size=12))
def test_a_text_has_the_same_vector_alone_and_in_company(tiny: Encoder, texts: list[str]) -> None:
    together = tiny.encode_queries(texts)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(tiny.encode_queries([text])[0], vector, atol=1e-6)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00", "\x00" * 1000, "\ud800", "a\udfffb", "\U0010ffff", "a" * 1_000_000],
    ids=["empty", "blank", "nul", "nuls", "surrogate", "inner-surrogate", "last-plane", "million"],
)
def test_an_awkward_text_gives_a_finite_vector(tiny: Encoder, text: str) -> None:
    assert np.isfinite(tiny.encode_documents([text])).all()


def test_a_million_words_give_a_vector_and_a_count(tiny: Encoder) -> None:
    encoded = tiny.encode_counted(["water " * 166_667], "document")
    specials = 2
    assert encoded.stats.tokens == tiny.manifest.max_tokens
    assert encoded.stats.lost_tokens == 166_667 - (tiny.manifest.max_tokens - specials)


@pytest.fixture(scope="module")
def unmasked(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """The tiny encoder with a graph that takes every token for a real one."""
    path = shutil.copytree(tiny_bundle.path, tmp_path_factory.mktemp("unmasked") / "bundle")
    model = onnx.load(path / "model.onnx")
    inputs = [each for each in model.graph.input if each.name != "attention_mask"]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    one = onnx.numpy_helper.from_array(np.array([1], dtype=np.int64))
    for node in (
        onnx.helper.make_node("ConstantOfShape", ["shape of ids"], ["attention_mask"], value=one),
        onnx.helper.make_node("Shape", ["input_ids"], ["shape of ids"]),
    ):
        model.graph.node.insert(0, node)
    onnx.save(model, path / "model.onnx")
    names = [name for name in tiny_bundle.manifest.inputs if name != "attention_mask"]
    manifest = dataclasses.replace(tiny_bundle.manifest, inputs=names, variant="unmasked")
    write_manifest(path, manifest, manifest.files)
    return load(path)


def test_a_graph_without_a_mask_is_never_given_padding(unmasked: Encoder, tiny: Encoder) -> None:
    texts = [*PASSAGES, *AWKWARD, *QUESTIONS]
    np.testing.assert_allclose(
        unmasked.encode_documents(texts), tiny.encode_documents(texts), atol=1e-6
    )
    assert unmasked.fingerprint != tiny.fingerprint


def test_truncation_counts_texts_and_tokens(tiny: Encoder) -> None:
    limit = tiny.manifest.max_tokens
    stats = tiny.encode_counted(
        ["water", "water " * (limit - 2), "water " * (limit + 8)], "query"
    ).stats
    assert stats == EncodeStats(
        texts=3, tokens=3 + limit + limit, truncated_texts=1, lost_tokens=10
    )


def test_truncation_is_never_silent(tiny: Encoder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        tiny.encode_documents(["short"])
        assert not caplog.records
        tiny.encode_documents(["water " * 1000])
    assert "1 of 1 texts are over 64 tokens: 938 tokens were not encoded" in caplog.text


def test_a_text_that_is_no_string_is_named_by_its_position(tiny: Encoder) -> None:
    texts = ["fine"] * 1500 + [None]
    with pytest.raises(EncodeError, match="text 1500 is of type NoneType") as caught:
        tiny.encode_documents(texts)  # type: ignore[list-item]
    assert caught.value.position == 1500


def test_one_string_gives_one_vector(tiny: Encoder) -> None:
    for encode in (tiny.encode_queries, tiny.encode_documents):
        alone = encode("a single text")
        assert alone.shape == (tiny.dims,)
        np.testing.assert_array_equal(alone, encode(["a single text"])[0])
    assert tiny.encode_query("x").shape == tiny.encode_document("x").shape == (tiny.dims,)


def test_encode_takes_what_sentence_transformers_takes(prompted: Encoder) -> None:
    texts = [*PASSAGES, *QUESTIONS]
    for role, encode, ours in (
        ("query", prompted.encode_query, prompted.encode_queries),
        ("document", prompted.encode_document, prompted.encode_documents),
    ):
        expected = ours(texts)
        prompt = prompted.manifest.prompts[role]
        for found in (
            encode(texts),
            encode(iter(texts), batch_size=3, show_progress_bar=False),
            prompted.encode(texts, role),
            prompted.encode(np.array(texts), prompt=prompt, convert_to_numpy=True),
            prompted.encode([prompt + text for text in texts]),  # no prompt is shared
        ):
            np.testing.assert_allclose(found, expected, atol=1e-6)
        assert np.abs(prompted.encode(texts) - expected).max() > 1e-3
    assert prompted.encode("one text").shape == (prompted.dims,)
    assert prompted.encode([]).shape == (0, prompted.dims)


def test_a_prompt_that_both_roles_have_is_that_of_encode(tiny: Encoder) -> None:
    both = dataclasses.replace(tiny.manifest, prompts={"query": "find: ", "document": "find: "})
    asked = Asked.of(None, {})
    assert asked.prompt_of(both) == Prompt("find: ")
    assert asked.prompt_of(dataclasses.replace(both, unpooled={"query": 2})) == Prompt("")


def test_truncated_vectors_have_no_unit_length_unless_that_is_asked(tiny: Encoder) -> None:
    whole = tiny.encode(PASSAGES)
    cut = tiny.encode(PASSAGES, truncate_dim=8)
    np.testing.assert_allclose(cut, whole[:, :8], atol=1e-6)
    unit = tiny.encode(PASSAGES, truncate_dim=8, normalize_embeddings=True)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(cosines(unit, cut), 1, atol=1e-5)
    assert tiny.encode_query(PASSAGES[0], truncate_dim=8).shape == (8,)


def test_a_batch_is_of_no_more_texts_than_asked(
    tiny: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    run = tiny._running.session.run
    monkeypatch.setattr(
        tiny._running.session, "run", lambda batch: runs.append(len(batch.ids)) or run(batch)
    )
    tiny.encode(["water"] * 10, batch_size=4)
    assert runs == [4, 4, 2]
    runs.clear()
    tiny.encode(["water"] * 10)
    assert runs == [10]


def test_progress_is_shown_where_it_is_asked_for(
    tiny: Encoder, capfd: pytest.CaptureFixture[str]
) -> None:
    tiny.encode(["water"] * 3)
    assert capfd.readouterr() == ("", "")
    tiny.encode(["water"] * 3, show_progress_bar=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "3/3" in err


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"prompt_name": "passage"}, "has no prompt 'passage'; known: query, document"),
        ({"batch_size": 0}, "batch_size is 0; it must be 1 or more"),
        ({"truncate_dim": 4000}, "truncate_dim is 4000; the encoder gives 32 dims"),
        ({"truncate_dim": 0}, "truncate_dim is 0; "),
        ({"convert_to_numpy": False}, "cannot have convert_to_numpy=False: vectors are NumPy"),
        ({"convert_to_tensor": True}, "cannot have convert_to_tensor=True: vectors are NumPy"),
        ({"output_value": None}, "cannot have output_value=None: a "),
        ({"output_value": "token_embeddings"}, "cannot have output_value='token_embeddings': a "),
        ({"precision": "int8"}, "cannot have precision='int8': vectors are float32"),
        ({"device": "cuda"}, "cannot have device='cuda': the device is chosen where the bundle"),
        ({"pool": {}}, "cannot have pool={}: an encoder has every CPU by itself"),
        ({"normalise": True}, "encode takes nothing called 'normalise'; known: batch_size, "),
    ],
)
def test_what_encode_cannot_do_it_refuses(
    tiny: Encoder, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        tiny.encode(["a text"], **asked)  # type: ignore[arg-type]


def test_a_prompt_whose_tokens_are_not_known_is_refused_where_they_are_not_pooled(
    tiny: Encoder,
) -> None:
    prompts = {"query": "find: ", "document": ""}
    manifest = dataclasses.replace(
        tiny.manifest, prompts=prompts, unpooled={"query": 2, "document": 0}
    )
    assert Asked.of(None, {"prompt": "find: "}).prompt_of(manifest) == Prompt("find: ", 2)
    with pytest.raises(RequestError, match="name one by prompt_name: query, document"):
        Asked.of(None, {"prompt": "search: "}).prompt_of(manifest)


def test_similarity_is_that_of_the_field(tiny: Encoder) -> None:
    queries, documents = tiny.encode_queries(["a", "b"]), tiny.encode_documents(["a", "b", "c"])
    scores = tiny.similarity(queries, documents)
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(scores[1, 2], cosines(queries[1:], documents[2:])[0], atol=1e-6)
    np.testing.assert_allclose(tiny.similarity(queries[0], documents), scores[:1], atol=1e-6)


def test_a_text_the_model_cannot_run_is_named_and_the_others_have_their_vectors(
    guilty_bundle: Bundle, tiny: Encoder
) -> None:
    encoder = load(guilty_bundle.path)
    texts = [*PASSAGES, *AWKWARD] * 17
    assert len(texts) > WINDOW
    innocent = tiny.encode_documents(texts)
    guilty = {0: "guiltyword", 7: "a guiltyword more", len(texts) - 1: "guiltyword " * 500}
    for place, text in guilty.items():
        texts[place] = text
    encoded = encoder.encode_each(texts, "document")
    assert set(encoded.failures) == set(guilty)
    for place, failure in encoded.failures.items():
        assert failure.position == place
        assert str(failure).startswith(f"text {place}: the model cannot run it: ")
    others = [place for place in range(len(texts)) if place not in guilty]
    np.testing.assert_allclose(encoded.vectors[others], innocent[others], atol=1e-6)
    assert not encoded.vectors[[*guilty]].any()
    assert encoded.stats == tiny.encode_counted([texts[n] for n in others], "document").stats
    with pytest.raises(EncodeError, match="text 7: the model cannot run it") as caught:
        encoder.encode_documents(["x"] * 7 + [guilty[7]])
    assert caught.value.position == 7


def test_what_is_no_text_is_a_failure_beside_the_vectors(tiny: Encoder) -> None:
    encoded = tiny.encode_each(["fine", None, "fine"], "query")  # type: ignore[list-item]
    assert list(encoded.failures) == [1]
    np.testing.assert_allclose(
        encoded.vectors[[0, 2]], tiny.encode_queries(["fine"] * 2), atol=1e-6
    )
    with pytest.raises(EncodeError, match="put it in a list"):
        tiny.encode_each("a single query", "query")
    with pytest.raises(EncodeError, match="put it in a list"):
        tiny.tokenize("a single query", "query")


def test_how_a_bundle_was_tuned_holds_for_the_provider_it_was_tuned_for(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    original = Session.__init__

    def spying(self: Session, *args: object, provider: str, **more: object) -> None:
        used.append(provider)
        original(self, *args, provider="cpu", **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "__init__", spying)
    tuning = Tuning("", "cuda", 65_536, 2, 0.0, "", 1, 1, "", "", "", [])
    monkeypatch.setattr(Bundle, "tuning", lambda self: tuning)
    assert densehook.load(tiny_bundle.path, threads=2).tokens_per_run == 65_536
    assert densehook.load(tiny_bundle.path, threads=2, provider="cuda").tokens_per_run == 65_536
    assert densehook.load(tiny_bundle.path, provider="cpu").tokens_per_run == TOKENS_PER_RUN
    assert used == ["cuda", "cuda", "cpu"]


def test_no_texts_give_no_vectors(tiny: Encoder) -> None:
    assert tiny.encode_queries([]).shape == (0, tiny.dims)


def test_a_stream_gives_each_key_its_vector_in_order_and_reads_no_further_than_a_window(
    tiny: Encoder,
) -> None:
    read = []

    def pairs() -> Iterator[tuple[str, str]]:
        for n in range(2 * WINDOW + 3):
            read.append(n)
            yield f"d{n}", f"water {n % 7}"

    seen: list[EncodeStats] = []
    stream = tiny.encode_stream(pairs(), on_progress=seen.append)
    first = next(stream)
    assert first[0] == "d0"
    assert len(read) == WINDOW
    everything = [first, *stream]
    assert [key for key, _ in everything] == [f"d{n}" for n in range(2 * WINDOW + 3)]
    expected = tiny.encode_documents([f"water {n}" for n in range(7)])
    for n, (_, vector) in enumerate(everything):
        np.testing.assert_allclose(vector, expected[n % 7], atol=1e-6)
        assert vector.base is None  # holds no memory but its own
    assert [stats.texts for stats in seen] == [WINDOW, 2 * WINDOW, 2 * WINDOW + 3]


def test_a_stream_of_long_texts_is_cut_into_smaller_windows(
    tiny: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_module, "_WINDOW_CHARACTERS", 100)
    seen: list[EncodeStats] = []
    pairs = [(n, "water " * 9) for n in range(5)]
    assert len(list(tiny.encode_stream(pairs, on_progress=seen.append))) == 5
    assert [stats.texts for stats in seen] == [2, 4, 5]


def test_a_stream_says_which_text_cannot_be_encoded(tiny: Encoder) -> None:
    pairs = [(f"d{n}", "water") for n in range(WINDOW + 3)]
    pairs[WINDOW + 1] = ("guilty", 7)  # type: ignore[assignment]
    with pytest.raises(EncodeError) as caught:
        list(tiny.encode_stream(pairs))
    assert str(caught.value) == (
        "text 'guilty' of the stream: text 1025 is of type int, not a string"
    )
    assert caught.value.position == 1025


@pytest.mark.parametrize(
    ("provider", "hint"),
    [
        ("cuda", "no provider 'cuda', only cpu; for 'cuda' install onnxruntime-gpu"),
        ("openvino", "no provider 'openvino', only cpu; for 'openvino' install onnxruntime-openv"),
        ("tpu", "no provider 'tpu', only cpu$"),
    ],
)
def test_a_provider_that_is_not_installed_is_an_error_that_says_what_to_do(
    tiny_bundle: Bundle, provider: str, hint: str
) -> None:
    with pytest.raises(ProviderError, match=hint):
        load(tiny_bundle.path, provider=provider)


def test_int8_runs_on_the_cpu_alone(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    # elsewhere its products would be left to the CPU, one by one and without a word
    monkeypatch.setattr(session_module, "_installed", lambda: ["OpenVINOExecutionProvider"])
    manifest = dataclasses.replace(tiny_bundle.manifest, precision="int8")
    with pytest.raises(ProviderError, match=r"is in int8, .* for 'openvino' a bundle in fp32"):
        Session(tiny_bundle.model, manifest, provider="openvino")


def test_a_provider_that_fails_in_a_run_does_not_fall_back_to_the_cpu(
    tiny: Encoder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def run(self, *_: object) -> None:
            raise EPFail("out of memory")

        def is_webgpu_graph_capture_enabled(self) -> bool:
            return False

    monkeypatch.setattr(tiny._running.session._session, "_sess", Failing())
    with pytest.raises(ProviderError, match="the execution provider failed: out of memory"):
        tiny.encode_queries(["water"])
    assert "Falling back" not in capfd.readouterr().out


def test_a_provider_that_falls_back_to_the_cpu_is_an_error(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    # onnxruntime falls back to the CPU, with no more than a line in its log, for a provider whose
    # library is not there; this one has none, though it is said to be installed
    installed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(session_module, "_installed", lambda: installed)
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(ProviderError, match="'cuda' did not start, onnxruntime fell back"),
    ):
        load(tiny_bundle.path, provider="cuda")
