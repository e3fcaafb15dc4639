"""Image-text: both towers of a CLIP or SigLIP model, compared with the same in PyTorch."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...bundle import (
    GOLDEN_IMAGES,
    IMAGE_MODEL,
    UNSTATED_POOLING,
    GoldenImage,
    Head,
    ImageText,
    Manifest,
    Multi,
    write_golden_images,
)
from ...bundle.kinds.image_text import PATCHES
from ...bundle.kinds.multi import sample_of
from ...errors import RecipeError
from ..finishing import Draft
from ..image_folder import model_in
from ..recipe import Recipe, stated_of
from ..sources import model_folder
from ..tokenizer_file import write_tokenizer

if TYPE_CHECKING:
    from ...encode import Encoder
    from ..image_reference import ImageTextReference, TowerSettings
    from ..kinds import Parity

_VERSIONS_OF = ("torch", "transformers", "onnx", "pillow")
_OF_OTHERS = ("pooling", "normalise", "similarity", "dims", "layers", "late_chunking")
"""Keys of a recipe that the model itself decides here."""


def read(recipe: Recipe, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``."""
    _require_keys(recipe)
    progress("Finding the model")
    folder = model_in(model_folder(recipe))
    progress("Loading PyTorch")
    from ..image_reference import ImageTextReference, reloaded_towers

    reference = ImageTextReference(folder)
    settings = _settled(recipe, reference)

    def write(staging: Path) -> Draft:
        progress("Tracing the graphs")
        manifest = _write_models(staging, recipe, settings, reference)
        progress("Loading PyTorch again")
        again = reloaded_towers(folder, reference)
        progress("Comparing with PyTorch")
        return _draft(staging, manifest, settings, again)

    return write


def _require_keys(recipe: Recipe) -> None:
    """Raises RecipeError for a key that is of other kinds."""
    if stated := stated_of(recipe, _OF_OTHERS):
        raise RecipeError(
            f"recipe {recipe.name}: {', '.join(stated)} is what a model of images and text decides"
            " itself; leave it out"
        )


def _settled(recipe: Recipe, reference: ImageTextReference) -> TowerSettings:
    from ..image_reference import TowerSettings

    max_tokens = recipe.max_tokens or reference.positions
    if max_tokens > reference.positions:
        raise RecipeError(
            f"max_tokens is {max_tokens}, the model has positions for {reference.positions} at most"
        )
    prompts = {role: recipe.prompts.get(role, "") for role in ("query", "document")}
    return TowerSettings(max_tokens, prompts)


def _write_models(
    staging: Path, recipe: Recipe, settings: TowerSettings, reference: ImageTextReference
) -> Manifest:
    from ..graph import OUTPUT
    from ..image_graph import (
        ImageTower,
        PatchTower,
        TextTower,
        write_image_graph,
        write_text_graph,
    )

    write_tokenizer(reference.tokenizer, staging)
    text = TextTower(reference.model, reference.length, reference.pad_id)
    inputs = write_text_graph(text, staging / "model.onnx", reference.dims)
    tower = PatchTower if recipe.also else ImageTower
    write_image_graph(tower(reference.model, reference.steps), staging / IMAGE_MODEL)
    return Manifest(
        name=recipe.name,
        kind=recipe.kind,
        part=ImageText(
            dims=reference.dims,
            similarity="dot_product",
            pooling=UNSTATED_POOLING,
            normalise=True,
            image_tokens=reference.image_tokens,
        ),
        max_tokens=settings.max_tokens,
        pad_id=reference.pad_id,
        prompts=settings.prompts,
        joiner=recipe.joiner,
        inputs=inputs,
        output=OUTPUT,
        also={
            kind: Head(PATCHES, Multi(dims=reference.patch_dims, query_tokens=settings.max_tokens))
            for kind in recipe.also
        },
        source=recipe.origin,
        files={},
    )


def _draft(
    staging: Path, manifest: Manifest, settings: TowerSettings, reference: ImageTextReference
) -> Draft:
    from ..goldens import golden_texts
    from ..images import golden_images

    images = golden_images()
    golden = [GoldenImage(file, reference.encode_image(image)) for file, image in images.items()]
    also = [
        (head.part, [sample_of(reference.encode_patches(image)) for image in images.values()])
        for head in manifest.also.values()
    ]
    write_golden_images(staging / GOLDEN_IMAGES, golden, manifest.part, also)
    return Draft(
        staging,
        manifest,
        golden_texts(settings, reference),
        lambda encoder: _gated(encoder, settings, reference),
        versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    )


def _gated(encoder: Encoder, settings: TowerSettings, reference: ImageTextReference) -> Parity:
    from PIL import Image

    from ...images import pixels_of
    from ..gate import run_gate
    from ..image_gate import Expected, compared_images, gate_images

    texts = run_gate(encoder, reference, settings)
    files = compared_images()
    images = [Image.fromarray(pixels_of(file)) for file in files]
    expected = Expected(
        np.stack([reference.encode_image(image) for image in images]),
        {
            kind: [reference.encode_patches(image) for image in images]
            for kind in encoder.manifest.also
        },
    )
    return gate_images(texts, encoder, files, expected, "PyTorch's")
