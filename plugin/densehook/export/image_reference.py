"""The reference of images and text: PyTorch's own towers, and transformers' image processor.

An image is resized by Pillow there, and by matrices in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoConfig, AutoImageProcessor, AutoModel, PreTrainedTokenizerFast

from ..bundle import Role
from ..errors import ExportError, RecipeError
from .arithmetic import Numbers
from .edges import edge_texts
from .image_folder import MODEL_TYPES, ImageSteps, steps_of
from .image_graph import features_of
from .weights import PROBE_TOKENS, load_weights, require_plain_model


@dataclass(frozen=True)
class TowerSettings:
    """What the export follows: the recipe where it speaks, else the folder."""

    max_tokens: int
    prompts: Mapping[str, str]
    unpooled: Mapping[str, int] = field(default_factory=dict)


class ImageTextReference:
    """Both towers in PyTorch, fp32, with the folder's tokenizer and image processor.

    Raises ExportError for a model of another type, or files that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        try:
            require_plain_model(folder)
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
            _require_known(folder, config)
            self.tokenizer: Any = _tokenizer(folder)
            self.processor: Any = AutoImageProcessor.from_pretrained(
                folder, use_fast=False, trust_remote_code=False
            )
            self.steps: ImageSteps = steps_of(self.processor, folder)
            size = config.vision_config.image_size
            if self.steps.size != (size, size):
                raise RecipeError(
                    f"{folder}: images come to {self.steps.size}, the model reads {size} x {size}"
                )
            loaded = load_weights(folder, config, model_class=AutoModel, probe=_both_towers)
        except (RecipeError, ExportError):
            raise
        except Exception as error:  # transformers raises many kinds for a folder it cannot read
            reason = str(error).strip().partition("\n")[0]
            raise ExportError(f"{folder} cannot be loaded as a model: {reason}") from error
        self.model: Any = loaded.model
        self.sums = loaded.sums
        """SHA-256 of each weight and buffer that a vector is computed with, by name."""
        self._filled = MODEL_TYPES[config.model_type]
        self.positions = int(config.text_config.max_position_embeddings)
        """How many tokens a text may have."""
        self.dims = int(getattr(config, "projection_dim", 0) or self._sample_dims())
        self.image_tokens = (size // int(config.vision_config.patch_size)) ** 2

    @property
    def patch_dims(self) -> int:
        """How many numbers the vector of a patch has."""
        projected = hasattr(self.model, "visual_projection")
        return self.dims if projected else int(self.model.config.vision_config.hidden_size)

    @property
    def length(self) -> int | None:
        """To how many tokens the model has every text filled up; None where to none."""
        return self.positions if self._filled else None

    @property
    def pad_id(self) -> int:
        """What padding is."""
        pad = self.tokenizer.pad_token_id
        return 0 if pad is None else int(pad)

    @cached_property
    def edge_texts(self) -> list[str]:
        """As ``Reference.edge_texts``."""
        return edge_texts(self.tokenizer)

    def tokenize(self, settings: TowerSettings, role: Role, text: str) -> list[int]:
        """Token ids of the prompted text, cut to the limit."""
        encoded = self.tokenizer(
            settings.prompts[role] + text, truncation=True, max_length=settings.max_tokens
        )
        return [int(each) for each in encoded["input_ids"]]

    def encode(self, settings: TowerSettings, role: Role, ids: list[int]) -> NDArray[np.float32]:
        """Token ids -> float32 [dims]."""
        filled = ids + [self.pad_id] * ((self.length or len(ids)) - len(ids))
        with torch.inference_mode():
            output = self.model.get_text_features(input_ids=torch.tensor([filled]))
        return _unit(features_of(output))

    def encode_image(self, image: Any) -> NDArray[np.float32]:
        """An image of Pillow's, RGB and upright -> float32 [dims]."""
        values = self.processor(images=image, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            output = self.model.get_image_features(pixel_values=values)
        return _unit(features_of(output))

    def release(self) -> Mapping[str, str]:
        """As ``Reference.release``."""
        self.model = None
        return self.sums

    def encode_patches(self, image: Any) -> NDArray[np.float32]:
        """The same image -> of each of its patches, row by row, float32 [patches, dims].

        From PyTorch's hidden states on in plain arithmetic, on purpose not the code in the graph.
        """
        values = self.processor(images=image, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            tower = self.model.vision_model
            hidden = tower(pixel_values=values).last_hidden_state[0].numpy().astype(np.float64)
        vectors = _PATCHES[self.model.config.model_type](self.model, hidden)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / lengths, dtype=np.float32)

    def _sample_dims(self) -> int:
        with torch.inference_mode():
            ids = torch.zeros(1, self.positions, dtype=torch.int64)
            return int(features_of(self.model.get_text_features(input_ids=ids)).shape[-1])


def _require_known(folder: Path, config: Any) -> None:
    if config.model_type not in MODEL_TYPES:
        raise RecipeError(
            f"{folder}: model_type is {config.model_type!r}; the image-text kind knows"
            f" {', '.join(MODEL_TYPES)}"
        )
    if not hasattr(config.vision_config, "image_size"):
        raise RecipeError(
            f"{folder}: the model reads images of many sizes (naflex); take one of a fixed size"
        )


def _tokenizer(folder: Path) -> Any:
    if not (folder / "tokenizer.json").is_file():
        raise ExportError(f"{folder} has no fast tokenizer (tokenizer.json), which bundles need")
    return PreTrainedTokenizerFast.from_pretrained(folder)


def _both_towers(model: Any) -> Tensor:
    text, vision = model.config.text_config, model.config.vision_config
    ids = torch.linspace(0, text.vocab_size - 1, PROBE_TOKENS).long()[None]
    ids = ids.repeat(1, text.max_position_embeddings)[:, : text.max_position_embeddings]
    pixels = torch.zeros(1, vision.num_channels, vision.image_size, vision.image_size)
    output: Tensor = (
        features_of(model.get_text_features(input_ids=ids)).sum()
        + features_of(model.get_image_features(pixel_values=pixels)).sum()
    )
    return output


def _clips_patches(model: Any, hidden: Numbers) -> Numbers:
    """All tokens but the first, normed and projected as the model does that one."""
    norm = model.vision_model.post_layernorm
    weight, bias, projection = (
        each.detach().numpy().astype(np.float64)
        for each in (norm.weight, norm.bias, model.visual_projection.weight)
    )
    patches = hidden[1:]
    centred = patches - patches.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + norm.eps)
    return np.asarray((centred / spread * weight + bias) @ projection.T)


_PATCHES: Mapping[str, Callable[[Any, Numbers], Numbers]] = {
    "clip": _clips_patches,
    "siglip": lambda model, hidden: hidden,
}
"""By model type: hidden states, float64 [tokens, hidden] -> [patches, dims]."""


def _unit(vectors: Tensor) -> NDArray[np.float32]:
    vector = vectors[0].numpy().astype(np.float64)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def reloaded_towers(folder: Path, traced: ImageTextReference) -> ImageTextReference:
    """The model anew from disk; raises ExportError when the two were not the same."""
    from .weights import require_same

    sums = traced.release()
    again = ImageTextReference(folder)
    require_same(folder, sums, again.sums)
    return again
