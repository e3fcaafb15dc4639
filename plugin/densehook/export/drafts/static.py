"""Static embeddings: a row of the table for each token, and their mean, in the graph.

The batch is padded like any other: padding is a tenth of it at most, and a row that is not counted
costs less than the offsets with which model2vec's own graphs avoid it.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from ...bundle import Manifest, Role
from ...errors import ExportError, RecipeError
from ..arithmetic import Arithmetic
from ..edges import edge_texts
from ..finishing import Draft
from ..folder import FolderFacts, Settings, settle
from ..graph import OPSET, OUTPUT, quiet
from ..kinds.dense import part
from ..pooling import Head
from ..recipe import Recipe
from ..static import StaticFolder, read_static, read_table
from ..variants.graphs import write_model

_VERSIONS_OF = ("torch", "transformers", "onnx")
_INPUTS = ("input_ids", "attention_mask")
_AXES = {0: "batch_size", 1: "sequence_length"}

Table = NDArray[np.float32]


def read(recipe: Recipe, folder: Path, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``, of the embeddings in a folder."""
    stated = read_static(folder)
    if recipe.layers is not None or recipe.late_chunking:
        what = "layers" if recipe.layers is not None else "late_chunking"
        raise RecipeError(f"recipe {recipe.name}: {what} is for transformers; this is a table")
    facts = FolderFacts(pooling="mean", normalise=stated.normalise)
    settings = settle(recipe, facts, stated.max_tokens, None)
    reference = StaticReference(stated)
    if settings.dims is not None and settings.dims > reference.table.shape[1]:
        raise RecipeError(f"dims is {settings.dims}, the model has {reference.table.shape[1]}")

    def write(staging: Path) -> Draft:
        from ..gate import run_gate
        from ..goldens import golden_texts

        progress("Writing the graph")
        manifest = _write(staging, recipe, settings, stated, reference)
        progress("Comparing with the table")
        again = StaticReference(stated)
        return Draft(
            staging,
            manifest,
            golden_texts(settings, again),
            lambda encoder: run_gate(encoder, again, settings, "the table's"),
            versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
        )

    return write


class StaticReference:
    """The table and the tokenizer by themselves; a text's vector in plain arithmetic."""

    def __init__(self, stated: StaticFolder) -> None:
        self.table = read_table(stated.weights)
        self.tokenizer = _tokenizer(stated.tokenizer)
        _require_rows(stated, self.tokenizer, self.table)
        self.dropped = _unknown(self.tokenizer_json) if stated.drops_unknown else None
        self._arithmetic = Arithmetic()

    @cached_property
    def edge_texts(self) -> list[str]:
        """Texts of the ends of the vocabulary, and of added tokens."""
        return [text for text in edge_texts(self.tokenizer) if self._counted(self._ids(text))]

    @property
    def tokenizer_json(self) -> str:
        """What tokenizer.json holds: nothing that puts special tokens around a text."""
        content = json.loads(self.tokenizer.backend_tokenizer.to_str())
        content |= {"post_processor": None, "truncation": None, "padding": None}
        return json.dumps(content, ensure_ascii=False)

    def tokenize(self, settings: Settings, role: Role, text: str) -> list[int]:
        """Token ids of the prompted text, no special ones among them, cut to the limit."""
        return self._ids(settings.prompts[role] + text)[: settings.max_tokens]

    def _ids(self, text: str) -> list[int]:
        return [int(each) for each in self.tokenizer(text, add_special_tokens=False)["input_ids"]]

    def _counted(self, ids: Sequence[int]) -> list[int]:
        return [each for each in ids if each != self.dropped]

    def encode(self, settings: Settings, role: Role, ids: list[int]) -> Any:
        """Token ids -> float32 [dims]; zeros where none of them counts."""
        counted = self._counted(ids)
        if not counted:
            dims = settings.dims or self.table.shape[1]
            return np.zeros(dims, dtype=np.float32)
        return self._arithmetic.vector(settings, self.table[counted].astype(np.float64), 0)


class _Static(Head):
    def __init__(self, settings: Settings, table: Table, dropped: int | None) -> None:
        super().__init__(settings)
        self._table = torch.nn.Parameter(torch.from_numpy(table), requires_grad=False)
        self._dropped = dropped

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        counted = attention_mask
        if self._dropped is not None:
            counted = attention_mask * (input_ids != self._dropped).long()
        return self.pooled(self._table[input_ids], attention_mask, counted)


def _write(
    staging: Path,
    recipe: Recipe,
    settings: Settings,
    stated: StaticFolder,
    reference: StaticReference,
) -> Manifest:
    (staging / "tokenizer.json").write_text(reference.tokenizer_json, encoding="utf-8")
    graph = staging / "model.onnx"
    ids = torch.ones(2, 4, dtype=torch.int64)
    with quiet(), torch.no_grad():
        torch.onnx.export(
            _Static(settings, reference.table, reference.dropped).eval(),
            (ids, ids),
            str(graph),
            input_names=list(_INPUTS),
            output_names=[OUTPUT],
            dynamic_axes={**dict.fromkeys(_INPUTS, _AXES), OUTPUT: {0: _AXES[0]}},
            opset_version=OPSET,
            dynamo=False,
        )
    traced = onnx.load(str(graph))
    sample = reference.encode(settings, "query", reference.tokenize(settings, "query", "water"))
    traced.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = len(sample)
    write_model(traced, graph)
    return Manifest(
        name=recipe.name,
        kind=recipe.kind,
        part=part(settings, sample),
        max_tokens=settings.max_tokens,
        pad_id=0,
        prompts=settings.prompts,
        instruction=recipe.instruction,
        joiner=recipe.joiner,
        inputs=_INPUTS,
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )


def _tokenizer(path: Path) -> Any:
    try:
        return PreTrainedTokenizerFast(tokenizer_file=str(path))
    except Exception as error:  # tokenizers raises bare Exception
        raise ExportError(f"{path} is not a tokenizer: {error}") from error


def _unknown(tokenizer_json: str) -> int | None:
    """The id of the unknown token, which model2vec counts for nothing."""
    model = json.loads(tokenizer_json)["model"]
    if isinstance(token := model.get("unk_token"), str):
        found = model["vocab"].get(token)
        return None if found is None else int(found)
    stated = model.get("unk_id")
    return int(stated) if isinstance(stated, int) else None


def _require_rows(stated: StaticFolder, tokenizer: Any, table: Table) -> None:
    """Raises ExportError when a text may give a token id that the table has no row for."""
    highest = max(tokenizer.get_vocab().values(), default=-1)
    if highest >= len(table):
        raise ExportError(
            f"{stated.tokenizer} has ids up to {highest}, {stated.weights} rows for {len(table)};"
            " take the two from one model"
        )
