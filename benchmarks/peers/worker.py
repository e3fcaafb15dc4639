"""One library in its own environment: loads the model, encodes texts, says how long that took.

Started by the comparison with the peer's Python, with the peer's name, the model's folder and a
JSON object of settings. Answers each line of stdin, a JSON object, with one on stdout; nothing else
goes there, whatever the libraries print. Imports nothing that a peer's environment may lack.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

Encode = Callable[[Sequence[str]], Any]
"""Texts -> vectors, [n, dims] or a list of them, of unit length."""

_VERSIONS_OF = (
    "densehook",
    "fastembed",
    "infinity-emb",
    "light-embed",
    "numpy",
    "onnxruntime",
    "optimum",
    "optimum-onnx",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
)


def densehook(folder: str, settings: dict[str, Any]) -> Encode:
    """Our encoder, with its own settings or those given."""
    from densehook.bundle import read_bundle
    from densehook.encode import Encoder

    return Encoder(read_bundle(folder), **settings).encode_documents


def sentence_transformers(folder: str, settings: dict[str, Any]) -> Encode:
    """As its documentation has it, on the CPU."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    return lambda texts: model.encode(list(texts), normalize_embeddings=True, **settings)


def fastembed(folder: str, settings: dict[str, Any]) -> Encode:
    """The ONNX model as one of the user's own."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    name = "benchmark/all-minilm-l6-v2"
    TextEmbedding.add_custom_model(
        name,
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf=name),
        dim=384,
        model_file="model.onnx",
    )
    model = TextEmbedding(name, specific_model_path=folder)
    return lambda texts: list(model.embed(texts, **settings))


def light_embed(folder: str, settings: dict[str, Any]) -> Encode:
    """The ONNX model from a folder."""
    from light_embed import TextEmbedding

    model = TextEmbedding(
        folder,
        model_config={
            "onnx_file": "model.onnx",
            "pooling_config_path": "1_Pooling",
            "normalize": True,
        },
    )
    return lambda texts: model.encode(list(texts), **settings)


def optimum(folder: str, settings: dict[str, Any]) -> Encode:
    """Optimum's model in transformers' pipeline, its tokens averaged as the model asks."""
    import torch
    from optimum.onnxruntime import ORTModelForFeatureExtraction
    from transformers import AutoTokenizer, FeatureExtractionPipeline

    class SentenceEmbedding(FeatureExtractionPipeline):
        def _forward(self, inputs: Any) -> Any:
            hidden = self.model(**inputs)[0]
            mask = inputs["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * mask).sum(1) / mask.sum(1)
            return {"vectors": torch.nn.functional.normalize(pooled, dim=-1)}

        def postprocess(self, outputs: Any, **kwargs: Any) -> Any:
            return outputs["vectors"][0].numpy()

    pipeline = SentenceEmbedding(
        model=ORTModelForFeatureExtraction.from_pretrained(folder),
        tokenizer=AutoTokenizer.from_pretrained(folder),
        tokenize_kwargs={"truncation": True},
        device=torch.device("cpu"),
    )
    return lambda texts: pipeline(list(texts), **settings)


def infinity(folder: str, settings: dict[str, Any]) -> Encode:
    """Its engine without the HTTP server in front."""
    from infinity_emb import AsyncEmbeddingEngine, EngineArgs

    os.chdir(folder)  # with today's optimum it finds an ONNX file by a relative path alone
    arguments = EngineArgs(
        model_name_or_path=".",
        device="cpu",
        bettertransformer=False,  # gone from the transformers it installs
        model_warmup=False,
        **settings,
    )
    engine = AsyncEmbeddingEngine.from_args(arguments)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(engine.astart())
    return lambda texts: loop.run_until_complete(engine.embed(sentences=list(texts)))[0]


LOADERS = {
    "densehook": densehook,
    "sentence-transformers": sentence_transformers,
    "fastembed": fastembed,
    "light-embed": light_embed,
    "optimum": optimum,
    "infinity": infinity,
}


def versions() -> dict[str, str]:
    """Of the packages that matter, those that are installed here."""
    found = {}
    for name in _VERSIONS_OF:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Loads, says so, then encodes what it is given until stdin ends."""
    library, folder, settings = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to stderr

    def answer(**content: Any) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    encode = LOADERS[library](folder, json.loads(settings))
    answer(versions=versions())
    import numpy as np

    for line in sys.stdin:
        asked = json.loads(line)
        started = time.perf_counter()
        vectors = encode(asked["texts"])
        seconds = time.perf_counter() - started
        if asked.get("save"):
            np.save(asked["save"], np.asarray(vectors, dtype=np.float32))
        answer(seconds=seconds)


if __name__ == "__main__":
    main()
