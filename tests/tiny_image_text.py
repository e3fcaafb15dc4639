"""Random models of images and text, small enough to make and export in seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from densehook.bundle import Bundle
from tiny_models import POSITIONS, _byte_pairs, _save

_TOWER = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
IMAGE_SIZE = 32
PATCH_SIZE = 8
_VISION = {**_TOWER, "image_size": IMAGE_SIZE, "patch_size": PATCH_SIZE}
PROJECTED = 24
SIGLIP_TOKENS = 16


def make_clip(folder: Path) -> None:
    from tokenizers.processors import TemplateProcessing
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast

    start, end = "<|startoftext|>", "<|endoftext|>"
    raw = _byte_pairs(start, end)
    raw.post_processor = TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, 0), (end, 1)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token=start, eos_token=end, pad_token=end, unk_token=end
    )
    config = CLIPConfig(
        text_config={
            **_TOWER,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": POSITIONS,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 1,
        },
        vision_config=_VISION,
        projection_dim=PROJECTED,
    )
    _save(folder, CLIPModel(config), tokenizer)
    CLIPImageProcessor(
        size={"shortest_edge": IMAGE_SIZE}, crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    ).save_pretrained(folder)


def make_siglip(folder: Path) -> None:
    """Whose texts are filled up to one length, with a token that is its end too."""
    from tokenizers.processors import TemplateProcessing
    from transformers import (
        PreTrainedTokenizerFast,
        SiglipConfig,
        SiglipImageProcessor,
        SiglipModel,
    )

    end = "</s>"
    raw = _byte_pairs("<unk>", end)
    raw.post_processor = TemplateProcessing(single=f"$A {end}", special_tokens=[(end, 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=end, pad_token=end, unk_token="<unk>"
    )
    config = SiglipConfig(
        text_config={
            **_TOWER,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": SIGLIP_TOKENS,
            "projection_size": 32,
        },
        vision_config=_VISION,
    )
    _save(folder, SiglipModel(config), tokenizer)
    SiglipImageProcessor(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}).save_pretrained(folder)


MODELS: Mapping[str, Callable[[Path], None]] = {"clip": make_clip, "siglip": make_siglip}


def make_image_text_bundle(
    folder: Path, model: str = "clip", seed: int = 0, also: str = ""
) -> Bundle:
    """A bundle of that name and seed, as clip-0; with ``also`` a kind that it gives beside."""
    import torch

    from densehook.export import export_bundle, read_recipe

    torch.manual_seed(seed)
    MODELS[model](folder / "model")
    path = folder / f"{model}-{seed}.toml"
    heads = f'also = ["{also}"]\n' if also else ""
    path.write_text(f'source = "model"\nkind = "image-text"\n{heads}')
    return export_bundle(read_recipe(path), folder / "bundle")


def shown(bundle: Bundle) -> Any:
    """What the export measured."""
    import json

    return json.loads((bundle.path / "parity.json").read_text())
