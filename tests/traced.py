"""Graphs as others trace and leave them, and the bundles that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

import tiny_models
from densehook.bundle import Bundle
from densehook.export import find_files, import_bundle, imported_recipe
from densehook.export.graph import quiet
from densehook.export.masks import traceable_masks
from densehook.export.token_folder import read_token_folder
from densehook.export.token_reference import projection_of


class Tokens(torch.nn.Module):
    """A transformer as exporters leave it: its last hidden state, and nothing behind it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


class Placed(Tokens):
    """With the places of tokens as an input, as exporters leave decoders."""

    def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any) -> Any:  # type: ignore[override]
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids
        ).last_hidden_state


class Logits(Tokens):
    """A masked language model as exporters leave it."""

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


class Pooled(Logits):
    """With the weights of a text on top, as SPLADE's authors leave it."""

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        logits = super().forward(input_ids, attention_mask)
        return (torch.log1p(torch.relu(logits)) * attention_mask.unsqueeze(-1)).amax(1)


class Projected(Tokens):
    """With the projection on top, as the authors of late-interaction models leave them."""

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        return super().forward(input_ids, attention_mask) @ self.model.projection.T


class Unit(Projected):
    """And brought to length 1."""

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        vectors = super().forward(input_ids, attention_mask)
        return torch.nn.functional.normalize(vectors, dim=-1)


class Texts(Tokens):
    """With the mean on top, as optimum leaves a model of sentence-transformers."""

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        hidden = super().forward(input_ids, attention_mask)
        weights = attention_mask.unsqueeze(-1).float()
        return (hidden * weights).sum(1) / weights.sum(1)


def exported(
    folder: Path,
    head: type[torch.nn.Module] = Tokens,
    output: str = "last_hidden_state",
    *,
    name: str = "onnx/model.onnx",
    opset: int = 17,
    dynamic: Sequence[int] = (0, 1),
    inputs: Sequence[str] = ("input_ids", "attention_mask"),
    shape: tuple[int, int] = (2, 4),
    of: Any = AutoModel,
) -> Path:
    """A model folder's graph, traced as anyone would."""
    model = of.from_pretrained(folder, attn_implementation="eager").eval()
    model.config.use_cache = False
    if issubclass(head, Projected):
        facts = read_token_folder(folder)
        model.register_buffer("projection", projection_of(facts, tiny_models.HIDDEN))
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    ids = torch.ones(*shape, dtype=torch.int64)
    axes = {axis: ("batch", "tokens")[axis] for axis in dynamic}
    with traceable_masks(), quiet():
        torch.onnx.export(
            head(model).eval(),
            tuple(ids for _ in inputs),
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes=dict.fromkeys([*inputs, output], axes),
            opset_version=opset,
            dynamo=False,
        )
    return path


def imported(model: Path, output: Path, **stated: Any) -> Bundle:
    kind, weights = stated.pop("kind", None), stated.pop("weights", None)
    file = stated.pop("file", None)
    recipe = imported_recipe(model, **stated)
    return import_bundle(find_files(model, file=file), recipe, output, kind=kind, weights=weights)
