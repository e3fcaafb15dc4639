"""Encoders of pairs: read and scored as their authors' own code does it, and refused elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tiny_pairs
from densehook.bundle import Bundle, Cross, read_bundle, write_golden, write_manifest
from densehook.collections import read_run
from densehook.encode import CrossEncoder, Encoder, encoder_of, load
from densehook.encode.pairs import longest_first
from densehook.errors import (
    BundleError,
    EncodeError,
    EvaluationError,
    ExportError,
    RecipeError,
    RequestError,
    SelfTestError,
)
from densehook.export import export_bundle, find_files, import_bundle, imported_recipe, read_recipe
from densehook.export.texts import PASSAGES, QUESTIONS, beyond
from densehook.export.variants import build_variant
from densehook.fusion import reranked_run
from densehook.types import ScoredDoc

Bundles = Callable[[str], Bundle]
QUERY = QUESTIONS[0]


def scoring(bundle: Bundle) -> CrossEncoder:
    encoder = load(bundle.path)
    assert isinstance(encoder, CrossEncoder)
    return encoder


@given(st.integers(0, 40), st.integers(0, 40), st.integers(4, 30))
def test_the_longer_part_is_cut_first_as_by_the_tokenizers_library(
    query: int, text: int, room: int
) -> None:
    import tokenizers

    model = tokenizers.models.WordLevel({"a": 0}, unk_token="a")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(room)
    found = tokenizer.encode("a " * query, "a " * text)
    expected = (found.sequence_ids.count(0), found.sequence_ids.count(1))
    assert longest_first(query, text, room) == expected


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta"])
def test_scores_are_those_of_sentence_transformers(pair_bundle: Bundles, architecture: str) -> None:
    from sentence_transformers import CrossEncoder as Theirs

    bundle = pair_bundle(architecture)
    theirs = Theirs(str(bundle.path.parent / "model"), device="cpu")
    logits = torch.nn.Identity() if architecture == "bert" else torch.nn.Sigmoid()
    texts = [*PASSAGES[:15], "", beyond(64)]
    pairs = [(query, text) for query in (QUERY, beyond(64)) for text in texts]
    expected = theirs.predict(pairs, activation_fn=logits, show_progress_bar=False)
    found = scoring(bundle).score_counted(pairs).scores
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_decoder_judges_as_the_authors_own_code_has_it(pair_bundle: Bundles) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    bundle = pair_bundle("qwen3")
    folder = bundle.path.parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    before = tokenizer.encode("Judge.\n", add_special_tokens=False)
    after = tokenizer.encode("\nThink:\n\n", add_special_tokens=False)
    yes, no = tokenizer.convert_tokens_to_ids("y"), tokenizer.convert_tokens_to_ids("n")
    expected = []
    texts = [*PASSAGES[:12], "", " 5 apples", "\nnew line", beyond(64)]
    for text in texts:
        asked = f"<Instruct>: find it\n<Query>: {QUERY}\n<Document>: {text}"
        room = 64 - len(before) - len(after)
        middle = tokenizer.encode(asked, add_special_tokens=False)[:room]
        with torch.no_grad():
            logits = model(torch.tensor([before + middle + after])).logits[0, -1]
        pair = torch.stack([logits[no], logits[yes]])
        expected.append(float(torch.nn.functional.log_softmax(pair, dim=0)[1].exp()))
    encoder = scoring(bundle)
    assert encoder.score(QUERY, texts).tolist() == pytest.approx(expected, abs=1e-5)


def test_a_decoder_whose_parts_are_tokenised_apart_judges_as_its_authors_code(
    pair_bundle: Bundles,
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    bundle = pair_bundle("qwen2")
    folder = bundle.path.parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return found

    yes, no = tokenizer.convert_tokens_to_ids("1"), tokenizer.convert_tokens_to_ids("0")
    before, between, after = ids("You judge.\n"), ids("\n"), ids("\nRelevance:")
    expected = []
    texts = [*PASSAGES[:8], "", " 5 apples", "\nnew line", beyond(64)]
    for text in texts:
        query = ids(f"query: {QUERY}")
        room = 64 - len(before) - len(between) - len(after) - len(query)
        document = ids(f"document: {text}")[:room]
        with torch.no_grad():
            read = torch.tensor([[*before, *query, *between, *document, *after]])
            logits = model(read).logits[0, -1]
        expected.append(float(logits[yes] - logits[no]))
    encoder = scoring(bundle)
    assert encoder.score(QUERY, texts).tolist() == pytest.approx(expected, abs=1e-4)


def test_texts_are_ranked_by_their_scores(pair_bundle: Bundles) -> None:
    encoder = scoring(pair_bundle("bert"))
    scores = encoder.score(QUERY, PASSAGES[:9])
    ranked = encoder.rank(QUERY, PASSAGES[:9], top_k=4)
    assert [each.place for each in ranked] == np.argsort(-scores)[:4].tolist()
    assert [each.score for each in ranked] == sorted(scores.tolist(), reverse=True)[:4]
    assert encoder.score(QUERY, []).shape == (0,)


def test_what_is_cut_is_counted(pair_bundle: Bundles, caplog: pytest.LogCaptureFixture) -> None:
    encoder = scoring(pair_bundle("bert"))
    long = beyond(64)
    stats = encoder.score_counted([(QUERY, long), (QUERY, "water")]).stats
    (tokens, _) = encoder.tokenize_pairs([(QUERY, long), (QUERY, "water")])
    assert (stats.texts, stats.truncated_texts, stats.lost_tokens) == (2, 1, tokens.lost)
    assert len(tokens.ids) == 64
    encoder.score(QUERY, [long])
    assert "1 of 1 texts are over 64 tokens" in caplog.text


def test_it_gives_no_vectors_and_others_no_scores(pair_bundle: Bundles, tiny: Encoder) -> None:
    encoder = scoring(pair_bundle("bert"))
    said = "it scores pairs of a query and a text, and gives no vector of a text"
    for encode in (encoder.encode_queries, encoder.encode_documents, encoder.encode):
        with pytest.raises(BundleError, match=said):
            encode(["a text"])
    with pytest.raises(BundleError, match=r"'tiny-bert' is of kind 'dense'; .* of kind 'cross' al"):
        tiny.score(QUERY, ["a text"])
    with pytest.raises(
        BundleError, match=r"'tiny-bert-pairs' is of kind 'cross'; .* 'dense' alone"
    ):
        _ = encoder.dims


def test_what_is_no_pair_is_refused(pair_bundle: Bundles) -> None:
    encoder = scoring(pair_bundle("bert"))
    with pytest.raises(RequestError, match=r"the query ' ' has no text to score texts for"):
        encoder.score(" ", ["a"])
    with pytest.raises(EncodeError, match="pair 1 has a text of type int, not a string"):
        encoder.score(QUERY, ["a", 3])  # type: ignore[list-item]
    with pytest.raises(EncodeError, match="texts must be a list of strings"):
        encoder.score(QUERY, "a text")


def test_the_self_test_asks_for_the_scores_and_the_pairs(
    pair_bundle: Bundles, tmp_path: Path
) -> None:
    bundle = pair_bundle("bert")
    copy = shutil.copytree(bundle.path, tmp_path / "bundle")
    first, *others = bundle.golden()
    part, files = bundle.manifest.part, bundle.manifest.files
    wrong = replace(first, output=first.output + 0.01)
    write_golden(copy / "golden.json", [wrong, *others], part)
    write_manifest(copy, bundle.manifest, files)
    with pytest.raises(SelfTestError, match=r"is not PyTorch's .*, within 0.001 for fp32"):
        load(copy)
    write_golden(copy / "golden.json", [replace(first, query=None), *others], part)
    write_manifest(copy, bundle.manifest, files)
    with pytest.raises(EncodeError, match="has no query: it is no pair"):
        load(copy)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("activation", "tanh", "activation is 'tanh'; it must be one of identity, sigmoid"),
        ("before", [-1], r"pairing: before is \[-1\]; it must be a list of token ids"),
        ("second_type", True, "pairing: second_type is True; it must be a number"),
        ("truncation", "middle", "truncation is 'middle'; it must be one of longest_first, docu"),
    ],
)
def test_a_manifest_of_no_pairs_is_refused(
    pair_bundle: Bundles, tmp_path: Path, key: str, value: Any, said: str
) -> None:
    copy = shutil.copytree(pair_bundle("bert").path, tmp_path / "bundle")
    stated = json.loads((copy / "encoder.json").read_text())
    (stated if key in stated else stated["pairing"])[key] = value
    (copy / "encoder.json").write_text(json.dumps(stated))
    with pytest.raises(BundleError, match=said):
        read_bundle(copy)


@pytest.mark.parametrize(
    ("architecture", "more", "said"),
    [
        ("bert", 'pooling = "mean"', "pooling is of vectors, and kind 'cross' has none; leave it"),
        ("bert", 'activation = "tanh"', "activation is 'tanh'; known: identity, sigmoid"),
        ("bert", "max_tokens = 4", "3 tokens stand around query and text; it must leave room"),
        ("bert", "max_tokens = 65", "the model has positions for 64 at most"),
        ("bert", 'truncation = "middle"', "truncation is 'middle'; known: longest_first, document"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(
    tmp_path: Path, architecture: str, more: str, said: str
) -> None:
    path = tiny_pairs.recipe(tmp_path, architecture, more)
    with pytest.raises(RecipeError, match=said):
        export_bundle(read_recipe(path), tmp_path / "bundle")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("", r"is a decoder \(Qwen3ForCausalLM\), which scores pairs by its answer"),
        ('[template]\nyes = "y"', "template has no 'no'; give the token by which the model says"),
        ('[template]\nyes = "yes"\nno = "n"', "template: 'yes' is .* tokens; an answer must be o"),
        ('[template]\nyes = "y"\nno = "n"\nend = "x"', "template has 'end'; known: before, query"),
        ('[template]\nyes = 1\nno = "n"', "template.yes is 1; it must be a string"),
    ],
)
def test_a_decoder_needs_a_template(tmp_path: Path, template: str, said: str) -> None:
    tiny_pairs.make_qwen3(tmp_path / "model")
    path = tmp_path / "decoder.toml"
    path.write_text(f'source = "model"\nkind = "cross"\n{template}\n')
    with pytest.raises(RecipeError, match=said):
        export_bundle(read_recipe(path), tmp_path / "bundle")


def test_a_classifier_of_three_labels_is_no_cross_encoder(tmp_path: Path) -> None:
    tiny_pairs.make_bert(tmp_path / "model", labels=3)
    path = tmp_path / "labels.toml"
    path.write_text('source = "model"\nkind = "cross"\n')
    with pytest.raises(RecipeError, match="tells 3 labels apart; a cross-encoder has one label"):
        export_bundle(read_recipe(path), tmp_path / "bundle")


def test_the_folders_activation_is_taken_and_not_contradicted(tmp_path: Path) -> None:
    path = tiny_pairs.recipe(tmp_path, "bert", 'activation = "sigmoid"')
    tiny_pairs.state(tmp_path, "torch.nn.modules.linear.Identity")
    with pytest.raises(RecipeError, match="activation is 'sigmoid', the model folder says 'ident"):
        export_bundle(read_recipe(path), tmp_path / "bundle")
    tiny_pairs.state(tmp_path, "torch.nn.modules.activation.Tanh")
    with pytest.raises(RecipeError, match=r"the score's activation is torch.nn.modules.activation"):
        export_bundle(read_recipe(path), tmp_path / "bundle")


def test_a_variant_in_int8_is_judged_by_its_scores(pair_bundle: Bundles, tmp_path: Path) -> None:
    plain = pair_bundle("bert")
    for name in ("int8-dynamic", "int8-static"):
        variant = build_variant(plain, name, tmp_path / name, PASSAGES)
        parity = json.loads((variant.path / "parity.json").read_text())
        assert 0 < parity["largest_difference"] < variant.manifest.of(Cross).bound("int8")
        assert 0 <= parity["orders_agree"] <= 1
        found = encoder_of(variant).score(QUERY, PASSAGES[:5])
        assert found.tolist() == pytest.approx(scoring(plain).score(QUERY, PASSAGES[:5]), abs=0.5)


@pytest.mark.parametrize("activation", ["identity", "sigmoid"])
def test_a_graph_of_pairs_is_imported(
    pair_bundle: Bundles, tmp_path: Path, activation: str
) -> None:
    plain = pair_bundle("bert")
    given_files = find_files(plain.path / "model.onnx", tokenizer=plain.tokenizer)
    recipe = imported_recipe(plain.path, name="given", activation=activation, max_tokens=64)
    bundle = import_bundle(given_files, recipe, tmp_path / "bundle")
    assert bundle.manifest.kind == "cross" and bundle.manifest.proof == "none"
    logits = scoring(plain).score(QUERY, PASSAGES[:5])
    expected = logits if activation == "identity" else 1 / (1 + np.exp(-logits))
    assert scoring(bundle).score(QUERY, PASSAGES[:5]).tolist() == pytest.approx(expected, abs=1e-5)


def test_with_weights_it_is_said_how_near_the_scores_are(
    pair_bundle: Bundles, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    plain = pair_bundle("bert")
    model = plain.path.parent / "model"
    given_files = find_files(plain.path / "model.onnx", tokenizer=plain.tokenizer)
    recipe = imported_recipe(plain.path, name="given", activation="identity", max_tokens=64)

    def imported(weights: Path) -> tuple[str, Any]:
        made = import_bundle(given_files, recipe, tmp_path / "bundle", weights=weights)
        return made.manifest.proof, json.loads((made.path / "parity.json").read_text())

    said, parity = imported(model)
    near = parity["to_pytorch"]
    assert said.startswith(f"largest difference of a score {near['largest_difference']:.6f} to Py")
    assert said.endswith("100% of the orders the same")
    assert near["pairs"] > 160 and near["largest_difference"] < 1e-4

    shutil.copytree(model, tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    other = {name: -each if "classifier" in name else each for name, each in weights.items()}
    save_file(other, tmp_path / "model" / "model.safetensors", {"format": "pt"})
    said, parity = imported(tmp_path / "model")
    assert parity["to_pytorch"]["largest_difference"] > 0.1
    assert parity["to_pytorch"]["orders_agree"] < 1 and "100%" not in said

    with pytest.raises(ExportError, match=r"it has no config\.json"):
        imported(plain.path)
    foreign = pair_bundle("xlm-roberta").path.parent / "model"
    with pytest.raises(ExportError, match=r"gives other token ids for .* than the graph's; name"):
        imported(foreign)


def test_the_head_of_a_run_is_reranked_and_the_rest_stays_behind() -> None:
    run = {
        "q": [ScoredDoc(each, 9 - n) for n, each in enumerate("abcde")],
        "x": [ScoredDoc("a", 1)],
    }
    texts = {"a": "1", "b": "3", "c": "", "d": "2"}

    def score(query: str, those: Any) -> list[float]:
        assert query == "how"
        return [float(each) for each in those]

    done: list[int] = []
    made = reranked_run(run, {"q": "how"}, lambda ids: texts, score, 4, done.append)
    assert [hit.id for hit in made["q"]] == ["b", "d", "a", "c", "e"]
    scores = [hit.score for hit in made["q"]]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 5
    assert made["x"] == run["x"] and done == [1, 2]


def test_a_system_is_reranked_by_name() -> None:
    from densehook.evaluation import check_systems, needs_encoder, needs_reranker

    assert check_systems(["rrf+rerank", "rrf(bm25,dense)+rerank"])
    assert needs_reranker(["bm25", "bm25+rerank"]) and not needs_reranker(["bm25", "rrf"])
    assert needs_encoder(["rrf+rerank"]) and not needs_encoder(["bm25+rerank"])
    with pytest.raises(EvaluationError, match="no list 'nobody' to make 'nobody"):
        check_systems(["nobody+rerank"])


def test_a_run_is_reranked_by_the_command_line(pair_bundle: Bundles, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from densehook.cli.app import app

    bundle, folder = pair_bundle("bert"), tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": f"d{n}", "title": "T", "text": each} for n, each in enumerate(PASSAGES[:6])]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": QUERY}) + "\n")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td0\t1\n")
    run, output = tmp_path / "run.trec", tmp_path / "new.trec"
    run.write_text("".join(f"q Q0 d{n} {n + 1} {9 - n} bm25\n" for n in range(6)))
    asked = ["rerank", str(run), str(folder), "--encoder", str(bundle.path), "--top", "5"]
    done = CliRunner().invoke(app(["rerank", "bench"]), [*asked, "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert "1 queries, their first 5 reranked" in " ".join(done.output.split())
    scores = scoring(bundle).score(QUERY, [f"T {each}" for each in PASSAGES[:5]])
    expected = [f"d{n}" for n in np.argsort(-scores, kind="stable")] + ["d5"]
    assert [hit.id for hit in read_run(output)["q"]] == expected


def test_a_run_of_pyserini_is_reranked(pair_bundle: Bundles, tmp_path: Path) -> None:
    pytest.importorskip("pyserini", reason="Pyserini is not installed")
    program = (
        "import sys\n"
        "from densehook.integrations.pyserini import rerank_run\n"
        "texts = {'a': 'Water boils', 'b': 'A vaccine'}\n"
        "rerank_run(sys.argv[1], {'q': 'vaccines'}, texts, sys.argv[2], output=sys.argv[3])\n"
    )
    run, output = tmp_path / "run.trec", tmp_path / "new.trec"
    run.write_text("q Q0 a 1 2.0 bm25\nq Q0 b 2 1.0 bm25\n")
    bundle = pair_bundle("bert")
    command = [sys.executable, "-c", program, str(run), str(bundle.path), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    scores = scoring(bundle).score("vaccines", ["Water boils", "A vaccine"])
    found = {hit.id: hit.score for hit in read_run(output)["q"]}
    assert found == pytest.approx(dict(zip("ab", scores.tolist(), strict=True)), abs=1e-5)
