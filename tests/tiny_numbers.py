"""Random models of numbers, as people leave them in ONNX: small enough to make in a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from densehook.bundle import Bundle

DIMS = 24
CHANNELS = 3
STEPS = 16


class Attended(torch.nn.Module):
    """A transformer of steps with a mask, 1 for a step, that gives the mean over them."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.taken = torch.nn.Linear(channels, DIMS)
        self.query, self.key, self.value = (torch.nn.Linear(DIMS, DIMS) for _ in range(3))

    def steps(self, values: Any, mask: Any) -> Any:
        hidden = torch.tanh(self.taken(values))
        scores = self.query(hidden) @ self.key(hidden).transpose(1, 2) / DIMS**0.5
        scores = scores.masked_fill(mask[:, None] == 0, -1e9)
        return hidden + scores.softmax(-1) @ self.value(hidden)

    def forward(self, values: Any, mask: Any) -> Any:
        weights = mask.unsqueeze(-1).float()
        return (self.steps(values, mask) * weights).sum(1) / weights.sum(1)


class Steps(Attended):
    """The same without the mean: a vector for each step."""

    def forward(self, values: Any, mask: Any) -> Any:
        return self.steps(values, mask)


class Padded(Attended):
    """Whose mask is True for padding, as PyTorch's own attention has it."""

    def forward(self, values: Any, mask: Any) -> Any:
        return super().forward(values, (~mask).long())


class Heedless(Attended):
    """That takes a mask, and whose mean heeds none."""

    def forward(self, values: Any, mask: Any) -> Any:
        return self.steps(values, mask).mean(1)


class Convolved(torch.nn.Module):
    """Convolutions over one channel, channels first, that know no padding."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.first = torch.nn.Conv1d(channels, DIMS, 5, stride=2)
        self.second = torch.nn.Conv1d(DIMS, DIMS, 3)

    def forward(self, values: Any) -> Any:
        taken = values.unsqueeze(1) if values.ndim == 2 else values
        return self.second(torch.relu(self.first(taken))).mean(-1)


class Whole(torch.nn.Module):
    """A list of one length alone, as a whole."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(STEPS * channels, DIMS)

    def forward(self, values: Any) -> Any:
        return torch.tanh(self.layer(values.flatten(1)))


MODELS: Mapping[str, tuple[Callable[[], torch.nn.Module], Mapping[str, Any]]] = {
    "attended": (Attended, {"mask": torch.int64}),
    "steps": (Steps, {"mask": torch.int64, "output": "last_hidden_state"}),
    "padded": (Padded, {"mask": torch.bool}),
    "heedless": (Heedless, {"mask": torch.int64}),
    "convolved": (Convolved, {"shape": ("steps",)}),
    "channels-first": (lambda: Convolved(2), {"shape": (2, "steps")}),
    "whole": (Whole, {"shape": (STEPS, CHANNELS)}),
}
"""By name the module, and how its graph is traced: ``shape`` behind the batch, ``mask``'s type."""


def make_graph(folder: Path, name: str, seed: int = 0) -> tuple[torch.nn.Module, Path]:
    """The model in PyTorch, and its graph as anyone would trace it."""
    from densehook.export.graph import quiet

    torch.manual_seed(seed)
    make, traced = MODELS[name]
    model = make().eval()
    shape: tuple[int | str, ...] = traced.get("shape", ("steps", CHANNELS))
    sizes = [STEPS if isinstance(size, str) else size for size in shape]
    free = {1 + at: size for at, size in enumerate(shape) if isinstance(size, str)}
    given: dict[str, Any] = {"values": torch.randn(2, *sizes)}
    axes = {"values": {0: "batch", **free}, "out": {0: "batch"}}
    if "mask" in traced:
        given["mask"] = torch.ones(2, STEPS).to(traced["mask"])
        axes["mask"] = {0: "batch", 1: "steps"}
        if traced["mask"] == torch.bool:
            given["mask"] = ~given["mask"]
    output = traced.get("output", "embedding")
    axes[output] = axes.pop("out")
    if output == "last_hidden_state":
        axes[output][1] = "steps"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "model.onnx"
    with quiet(), torch.no_grad():
        torch.onnx.export(
            model,
            tuple(given.values()),
            str(file),
            input_names=list(given),
            output_names=[output],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    return model, file


def make_numbers_bundle(folder: Path, name: str = "attended", **stated: Any) -> Bundle:
    """A bundle of that name, of such a graph; ``stated`` are a recipe's keys."""
    from densehook.export import find_files, import_bundle, imported_recipe

    _, file = make_graph(folder / "graph", name)
    recipe = imported_recipe(file, name=name, **stated)
    return import_bundle(find_files(file), recipe, folder / "bundle")
