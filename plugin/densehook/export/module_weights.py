"""The weights of the modules that sentence-transformers puts behind a transformer."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import ExportError
from .modules import Dense, LayerMix, LayerNorm

_FILES = ("model.safetensors", "pytorch_model.bin")  # in the order in which they are looked for


def module_weights(module: LayerMix | Dense | LayerNorm) -> dict[str, Tensor]:
    """A module's weights in fp32 by name, read from its folder at every call.

    Raises ExportError when they are not exactly those that its configuration asks for.
    """
    folder, shapes = module.folder, module.shapes
    path = next((folder / name for name in _FILES if (folder / name).is_file()), None)
    if path is None:
        raise ExportError(f"{folder} has no weights: neither {' nor '.join(_FILES)} is there")
    found = _read(path)
    if found.keys() != shapes.keys():
        raise ExportError(
            f"{path} has the weights {', '.join(sorted(found)) or '(none)'}; its configuration asks"
            f" for {', '.join(sorted(shapes))}"
        )
    for name, shape in shapes.items():
        if tuple(found[name].shape) != shape:
            raise ExportError(
                f"{path}: {name} is {list(found[name].shape)}, its configuration asks for"
                f" {list(shape)}"
            )
    return {name: each.to(torch.float32) for name, each in found.items()}


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(f"{path} cannot be read: {reason}") from error
    except Exception as error:  # pickle's own errors share no root
        raise ExportError(f"{path} holds more than tensors, or is damaged: {error!r}") from error
    if not isinstance(content, dict) or not all(isinstance(x, Tensor) for x in content.values()):
        raise ExportError(f"{path} holds no tensors by name")
    return content
