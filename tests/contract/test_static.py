"""Static embeddings are exported to the numbers that the libraries they come from give."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, StaticEmbedding
from tokenizers import Tokenizer

import tiny_models
from densehook.bundle import Bundle, Dense
from densehook.encode import load
from densehook.errors import ExportError, RecipeError
from densehook.export import Recipe, export_bundle
from densehook.export.texts import AWKWARD, PASSAGES, QUESTIONS

DIMS = 24
TEXTS = [*PASSAGES, *QUESTIONS, *[text for text in AWKWARD if text.strip()], "a"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A word-piece tokenizer.json, with [CLS] and [SEP] around a text."""
    folder = tmp_path_factory.mktemp("tokenizer")
    tiny_models.make_bert(folder)
    return folder / "tokenizer.json"


def table(tokenizer: Path) -> np.ndarray:
    rows = Tokenizer.from_file(str(tokenizer)).get_vocab_size()
    return np.random.default_rng(5).normal(size=(rows, DIMS)).astype(np.float32)


def exported(folder: Path, output: Path, **stated: Any) -> Bundle:
    return export_bundle(Recipe("static", str(folder), **stated), output)


@pytest.mark.parametrize("normalise", [True, False])
def test_it_gives_what_sentence_transformers_gives(
    normalise: bool, tokenizer: Path, tmp_path: Path
) -> None:
    module = StaticEmbedding(
        Tokenizer.from_file(str(tokenizer)), embedding_weights=table(tokenizer)
    )
    theirs = SentenceTransformer(modules=[module, *([Normalize()] if normalise else [])])
    theirs.save(str(tmp_path / "model"))
    bundle = exported(tmp_path / "model", tmp_path / "bundle")
    assert bundle.manifest.of(Dense).normalise is normalise
    ours = load(bundle.path)
    long = " ".join(TEXTS)
    for role in ("query", "document"):
        found = ours.encode_counted([*TEXTS, long], role)
        assert not found.stats.truncated_texts
        np.testing.assert_allclose(
            found.vectors, theirs.encode([*TEXTS, long]), atol=1e-5, rtol=1e-5
        )


def model2vec(folder: Path, tokenizer: Path, **more: np.ndarray) -> Path:
    folder.mkdir()
    shutil.copy(tokenizer, folder)
    save_file({"embeddings": table(tokenizer), **more}, folder / "model.safetensors")
    stated = {"model_type": "model2vec", "normalize": True, "hidden_dim": DIMS}
    (folder / "config.json").write_text(json.dumps(stated))
    return folder


def as_model2vec(folder: Path, text: str) -> np.ndarray:
    """What its documentation says: known tokens alone, weighted, their mean, of length 1."""
    held = load_file(folder / "model.safetensors")
    reading = Tokenizer.from_file(str(folder / "tokenizer.json"))
    unknown = reading.token_to_id("[UNK]")
    ids = reading.encode(text, add_special_tokens=False).ids[:512]
    known = [each for each in ids if each != unknown]
    if not known:
        return np.zeros(DIMS, dtype=np.float32)
    places = held["mapping"][known] if "mapping" in held else known
    rows = held["embeddings"].astype(np.float64)[places]
    if "weights" in held:
        rows = rows * held["weights"].astype(np.float64)[known][:, None]
    mean = rows.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


@pytest.mark.parametrize("form", ["plain", "weighted", "shared", "int8"])
def test_every_form_of_model2vec_s_tables_is_read(
    form: str, tokenizer: Path, tmp_path: Path
) -> None:
    folder = model2vec(tmp_path / "m", tokenizer)
    held = load_file(folder / "model.safetensors")
    rows = len(held["embeddings"])
    if form == "weighted":
        held["weights"] = np.linspace(0.1, 2, rows)
    elif form == "shared":
        held["mapping"] = np.arange(rows) % 100
        held["embeddings"] = np.ascontiguousarray(held["embeddings"][:100])
    elif form == "int8":
        held["embeddings"] = (held["embeddings"] * 40).astype(np.int8)
    save_file(held, folder / "model.safetensors")
    ours = load(exported(folder, tmp_path / "bundle").path)
    assert ours.manifest.max_tokens == 512
    unknown = "water \u4e16\u754c vaccines"  # tokens that the vocabulary has not
    texts = [*PASSAGES, *QUESTIONS, unknown, " ".join(PASSAGES * 3)]
    expected = np.stack([as_model2vec(folder, text) for text in texts])
    np.testing.assert_allclose(ours.encode_documents(texts), expected, atol=1e-5)
    cut = ours.encode_counted([" ".join(PASSAGES * 30)], "document").stats
    assert cut.truncated_texts == 1


def test_what_is_no_table_is_refused(tokenizer: Path, tmp_path: Path) -> None:
    folder = model2vec(tmp_path / "m", tokenizer)
    kept = load_file(folder / "model.safetensors")

    def said(**held: np.ndarray) -> str:
        save_file(held, folder / "model.safetensors")
        with pytest.raises(ExportError) as refused:
            exported(folder, tmp_path / "bundle")
        return str(refused.value)

    assert "has no table of embeddings, but other" in said(other=np.zeros((3, 2), np.float32))
    assert "has strange beside its table" in said(**kept, strange=np.zeros(3, np.float32))
    short = said(embeddings=np.ascontiguousarray(kept["embeddings"][:7]))
    assert "rows for 7; take the two from one model" in short
    broken = kept["embeddings"].copy()
    broken[3, 1] = np.nan
    assert "holds numbers that are not finite" in said(embeddings=broken)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(RecipeError, match="static embeddings are a table and a tokenizer"):
        exported(folder, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_dims_are_cut_and_what_is_a_transformer_s_is_refused(
    tokenizer: Path, tmp_path: Path
) -> None:
    folder = model2vec(tmp_path / "m", tokenizer)
    cut = load(exported(folder, tmp_path / "cut", dims=8).path)
    expected = as_model2vec(folder, "water and ice")[:8]
    found = cut.encode_documents(["water and ice"])[0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)
    with pytest.raises(RecipeError, match="late_chunking is for transformers; this is a table"):
        exported(folder, tmp_path / "late", late_chunking=True)
    with pytest.raises(RecipeError, match="layers is for transformers"):
        exported(folder, tmp_path / "layers", layers=2)
