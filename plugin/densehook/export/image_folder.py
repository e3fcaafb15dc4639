"""What a folder says of a model of images and text: what it does to an image before it reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RecipeError
from .modules_json import read_json

MODEL_TYPES: Mapping[str, bool] = {"clip": False, "siglip": True, "siglip2": True}
"""By type whether every text is filled up to the model's length, without a mask."""

_MODULES = "modules.json"
_ST_CLIP = "CLIPModel"
_BILINEAR, _BICUBIC = 2, 3
_FILTERS: Mapping[int, str] = {_BILINEAR: "bilinear", _BICUBIC: "bicubic"}
"""By Pillow's number."""


@dataclass(frozen=True)
class ImageSteps:
    """What the model's image processor does to an image, in this order.

    It is resized, its shorter side to ``shorter`` or both to ``size``, [height, width]; the middle
    ``size`` is cut out; its values from 0 to 255 are multiplied by ``factor``, then of each channel
    ``mean`` is taken off and the rest divided by ``std``.
    """

    size: tuple[int, int]
    shorter: int | None
    filter: str
    factor: float
    mean: Sequence[float]
    std: Sequence[float]


def model_in(folder: Path) -> Path:
    """The folder of the model itself, which sentence-transformers keeps in one of its own.

    Raises RecipeError where there are modules that no bundle has.
    """
    modules = read_json(folder / _MODULES)
    if modules is None:
        return folder
    if (
        isinstance(modules, list)
        and len(modules) == 1
        and str(modules[0].get("type", "")).rpartition(".")[2] == _ST_CLIP
    ):
        return folder / str(modules[0].get("path", ""))
    raise RecipeError(f"{folder / _MODULES}: the image-text kind has the module {_ST_CLIP} alone")


def steps_of(processor: Any, where: Path) -> ImageSteps:
    """The steps of one of transformers' image processors.

    Raises RecipeError for one that does something else.
    """
    if not processor.do_resize or not processor.do_normalize:
        raise RecipeError(
            f"{where}: images must be resized and normalised (do_resize,"
            " do_normalize); no bundle does otherwise"
        )
    resample = int(processor.resample)
    if resample not in _FILTERS:
        raise RecipeError(f"{where}: resample is {resample}; known: 2 (bilinear), 3 (bicubic)")
    size = dict(processor.size)
    shorter = size.get("shortest_edge")
    crops = bool(getattr(processor, "do_center_crop", False))
    cut = dict(processor.crop_size) if crops else size
    if set(cut) != {"height", "width"} or (shorter is None and set(size) != {"height", "width"}):
        raise RecipeError(
            f"{where}: size is {size}, and {cut} is cut out; images must come to one height and"
            " width"
        )
    if crops and (
        cut["height"] > (shorter or size["height"]) or cut["width"] > (shorter or size["width"])
    ):
        raise RecipeError(f"{where}: {cut} cannot be cut out of {size}")
    if crops and shorter is None and cut != size:
        raise RecipeError(f"{where}: {cut} is cut out of {size}; a shortest_edge was expected")
    return ImageSteps(
        (int(cut["height"]), int(cut["width"])),
        None if shorter is None else int(shorter),
        _FILTERS[resample],
        float(processor.rescale_factor) if processor.do_rescale else 1.0,
        tuple(map(float, processor.image_mean)),
        tuple(map(float, processor.image_std)),
    )
