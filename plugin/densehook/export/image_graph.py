"""The two graphs of images and text: token ids or pixels in, a normalised vector out.

Images are resized as Pillow does it (libImaging/Resample.c): along each axis by a matrix of weights
of a filter that is stretched where the image shrinks, rounded to 8 bits after each axis. It is the
width first, but the height where more than twice as much of that goes, as in Pillow 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from ..bundle.kinds.image_text import IMAGE_INPUT, IMAGE_OUTPUT, PATCHES
from .graph import OUTPUT, trace
from .image_folder import ImageSteps
from .sizes import state_sizes
from .variants.graphs import write_model

_A = -0.5  # of the bicubic filter, as in Pillow
_FIXED = 2.0**22  # Pillow's weights are whole numbers of this part


def _bilinear(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


def _bicubic(x: Tensor) -> Tensor:
    x = x.abs()
    near = ((_A + 2) * x - (_A + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * _A
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


_WEIGHTS: Mapping[str, Callable[[Tensor], Tensor]] = {"bilinear": _bilinear, "bicubic": _bicubic}
"""Of a filter, by the distance to the middle."""


def features_of(output: Any) -> Tensor:
    """What a tower gave, float32 [batch, dims]; transformers 5 has it among other outputs."""
    vectors: Tensor = output if isinstance(output, Tensor) else output.pooler_output
    return vectors


def _clips_patches(model: Any, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Of every token but the first, whose own vector is the image's, what becomes of that one."""
    projected = model.visual_projection(model.vision_model.post_layernorm(hidden))
    return projected[:, 0], projected[:, 1:]


def _siglips_patches(model: Any, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Every token is a patch's; the image's vector is pooled of them by a layer of its own."""
    return model.vision_model.head(hidden), hidden


PATCHES_OF: Mapping[str, Callable[[Any, Tensor], tuple[Tensor, Tensor]]] = {
    "clip": _clips_patches,
    "siglip": _siglips_patches,
}
"""By model type what becomes of the last hidden state, [batch, tokens, hidden].

That is the image's vector, [batch, dims], and those of its patches, [batch, patches, dims].
"""


class TextTower(torch.nn.Module):
    """Texts: int64 [batch, tokens] ids and mask -> float32 [batch, dims], of length 1.

    With ``length`` a text is filled up to so many tokens with ``pad_id``, as SigLIP was trained.
    """

    def __init__(self, model: Any, length: int | None, pad_id: int) -> None:
        super().__init__()
        self.model = model
        self._length = length
        self._pad_id = pad_id

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """As the class says."""
        if self._length is None:
            output = self.model.get_text_features(
                input_ids=input_ids, attention_mask=attention_mask
            )
        else:
            ids = torch.where(attention_mask > 0, input_ids, self._pad_id)
            filled = torch.nn.functional.pad(ids, (0, self._length), value=self._pad_id)
            output = self.model.get_text_features(input_ids=filled[:, : self._length])
        return torch.nn.functional.normalize(features_of(output), dim=-1)


class ImageTower(torch.nn.Module):
    """An image: uint8 [height, width, 3] -> float32 [1, dims], of length 1."""

    def __init__(self, model: Any, steps: ImageSteps) -> None:
        super().__init__()
        self.model = model
        self.steps = steps
        self._mean = torch.tensor(steps.mean, dtype=torch.float32)[:, None, None]
        self._std = torch.tensor(steps.std, dtype=torch.float32)[:, None, None]

    def forward(self, pixels: Tensor) -> Tensor:
        """As the class says."""
        output = self.model.get_image_features(pixel_values=self.prepared(pixels)[None])
        return torch.nn.functional.normalize(features_of(output), dim=-1)

    def prepared(self, pixels: Tensor) -> Tensor:
        """What the model reads: float32 [3, height, width]."""
        shape = torch._shape_as_tensor(pixels)
        new_height, new_width = self._new_size(shape[0], shape[1])
        rows, columns = self.steps.size
        resized: Tensor = _resized(
            pixels,
            self._matrix(shape[0], new_height, rows),
            self._matrix(shape[1], new_width, columns),
            shape[0] - new_height,
            shape[1] - new_width,
        )
        values = resized.permute(2, 0, 1) * self.steps.factor
        return torch.div(values - self._mean, self._std)

    def _new_size(self, height: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
        """To how many pixels the whole image is resized."""
        rows, columns = self.steps.size
        if self.steps.shorter is None:
            return torch.full_like(height, rows), torch.full_like(width, columns)
        shorter = torch.minimum(height, width)
        return (
            torch.div(height * self.steps.shorter, shorter, rounding_mode="floor"),
            torch.div(width * self.steps.shorter, shorter, rounding_mode="floor"),
        )

    def _matrix(self, length: Tensor, new_length: Tensor, kept: int) -> Tensor:
        """Float32 [kept, length]: what each of the middle ``kept`` places is made of."""
        first = torch.div(new_length - kept, 2, rounding_mode="floor")
        scale = length.double() / new_length.double()
        stretch = scale.clamp(min=1.0)
        middles = ((torch.arange(kept) + first).double() + 0.5) * scale
        places = torch.arange(cast(int, length)).double() + 0.5
        weights = _WEIGHTS[self.steps.filter]((places[None] - middles[:, None]) / stretch)
        weights = weights / weights.sum(dim=1, keepdim=True)
        return ((weights * _FIXED + 0.5).floor() / _FIXED).float()


def _to_bytes(values: Tensor) -> Tensor:
    return (values + 0.5).floor().clamp(0, 255)


def _by_axes(
    pixels: Tensor, down: Tensor, across: Tensor, rows_lost: Tensor, columns_lost: Tensor
) -> Tensor:
    """Pixels [height, width, 3] by the matrices of both axes -> float32 [rows, columns, 3]."""
    if bool((rows_lost > 0) & (rows_lost > 2 * columns_lost)):
        low = _to_bytes(torch.matmul(down, pixels.flatten(1).float()))
        return _to_bytes(torch.matmul(across, low.reshape(down.shape[0], -1, 3)))
    by_rows = pixels.permute(0, 2, 1).flatten(0, 1).float()
    narrow = _to_bytes(torch.matmul(by_rows, across.t())).reshape(pixels.shape[0], -1)
    small = _to_bytes(torch.matmul(down, narrow))
    return small.reshape(down.shape[0], 3, across.shape[0]).permute(0, 2, 1)


_resized: Callable[..., Tensor] = torch.jit.script_if_tracing(  # type: ignore[no-untyped-call]
    _by_axes
)
"""The same, with a branch in the graph."""


def write_text_graph(tower: TextTower, path: Path, dims: int) -> list[str]:
    """Writes the graph of texts and gives the names of its inputs; raises ExportError as trace."""
    inputs = ["input_ids", "attention_mask"]
    ids = torch.ones(2, 4, dtype=torch.int64)
    traced = trace(tower, inputs, [ids, ids], path, axes={OUTPUT: {0: "batch_size"}})
    traced.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = dims
    state_sizes(traced)
    write_model(traced, path)
    return inputs


class PatchTower(ImageTower):
    """An image, and its patches: uint8 [height, width, 3] -> float32 [1, dims], [1, patches, dims].

    Each vector is of length 1.
    """

    def forward(self, pixels: Tensor) -> Any:
        """As the class says."""
        hidden = self.model.vision_model(pixel_values=self.prepared(pixels)[None]).last_hidden_state
        both = PATCHES_OF[self.model.config.model_type](self.model, hidden)
        return tuple(torch.nn.functional.normalize(each, dim=-1) for each in both)


def write_image_graph(tower: ImageTower, path: Path) -> None:
    """Writes the graph of images; raises ExportError as ``trace`` does."""
    rows, columns = tower.steps.size
    pixels = torch.randint(0, 256, (rows + 3, columns + 9, 3), dtype=torch.uint8)
    outputs = [IMAGE_OUTPUT, *([PATCHES] if isinstance(tower, PatchTower) else [])]
    axes = {IMAGE_INPUT: {0: "height", 1: "width"}, **{each: dict[int, str]() for each in outputs}}
    traced = trace(tower, [IMAGE_INPUT], [pixels], path, axes=axes, outputs=outputs)
    state_sizes(traced)
    write_model(traced, path)
