"""What sentence-transformers puts between a transformer and its vector, as values.

Its modules are those of Reimers and Gurevych 2019, "Sentence-BERT", as the library saves them; a
bundle's graph has them inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..bundle.kinds.dense import split_pooling
from ..errors import RecipeError

ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "SiLU", "Sigmoid")
"""torch.nn's activation functions that may follow a Dense layer, as they are by default."""

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class LayerMix:
    """WeightedLayerPooling: a token's vector is a weighted mean of those that the layers gave it.

    ``layers`` is the number of the model's layers; the first taken is number ``start``, where 0
    are the embeddings.
    """

    folder: Path
    start: int
    layers: int

    @property
    def shapes(self) -> Shapes:
        """Of its weights, by name."""
        return {"layer_weights": (self.layers + 1 - self.start,)}


@dataclass(frozen=True)
class Dense:
    """A linear layer on the pooled vector, with an activation function of ``ACTIVATIONS``."""

    folder: Path
    inputs: int
    outputs: int
    bias: bool
    activation: str

    @property
    def shapes(self) -> Shapes:
        """Of its weights, by name."""
        weight = {"linear.weight": (self.outputs, self.inputs)}
        return {**weight, "linear.bias": (self.outputs,)} if self.bias else weight


@dataclass(frozen=True)
class LayerNorm:
    """Layer normalisation of the pooled vector, with PyTorch's own epsilon."""

    folder: Path
    dims: int

    @property
    def shapes(self) -> Shapes:
        """Of its weights, by name."""
        return {"norm.weight": (self.dims,), "norm.bias": (self.dims,)}


@dataclass(frozen=True)
class Normalise:
    """The vector at length 1."""


Step = Dense | LayerNorm | Normalise
Weighted = LayerMix | Dense | LayerNorm
"""What has weights of its own, in its folder."""


@dataclass(frozen=True)
class Modules:
    """What a folder's modules.json says.

    ``transformer`` is the folder of the model itself, ``pooling`` as in a manifest, ``steps`` what
    is done to the pooled vector, in order.
    """

    transformer: Path
    mix: LayerMix | None = None
    pooling: str | None = None
    include_prompt: bool = True
    steps: Sequence[Step] = ()

    @property
    def normalise(self) -> bool:
        """Whether the last step brings the vector to length 1."""
        return bool(self.steps) and isinstance(self.steps[-1], Normalise)


def vector_width(pooling: str, steps: Sequence[Step], hidden: int) -> int:
    """How many numbers a vector has that is made of ``hidden`` for each token.

    Raises RecipeError where a step does not fit what comes before it.
    """
    width = hidden * len(split_pooling(pooling))
    for step in steps:
        if isinstance(step, Normalise):
            continue
        takes = step.inputs if isinstance(step, Dense) else step.dims
        if takes != width:
            raise RecipeError(
                f"{step.folder / 'config.json'}: it takes {takes} numbers, {width} come in"
            )
        width = step.outputs if isinstance(step, Dense) else width
    return width
