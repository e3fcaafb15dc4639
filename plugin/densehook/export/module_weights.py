"""The weights of the modules that sentence-transformers puts behind a transformer."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import ExportError
from .checkpoint import Checkpoint
from .modules import Weighted


def module_weights(module: Weighted) -> dict[str, Tensor]:
    """A module's weights in fp32 by name, read from its folder at every call.

    Raises ExportError when they are not exactly those that its configuration asks for.
    """
    checkpoint, shapes = Checkpoint(module.folder), module.shapes
    if checkpoint.names != shapes.keys():
        raise ExportError(
            f"{checkpoint.path} has the weights {', '.join(sorted(checkpoint.names)) or '(none)'};"
            f" its configuration asks for {', '.join(sorted(shapes))}"
        )
    found = {name: each.to(torch.float32) for name, each in checkpoint.read(shapes)}
    for name, shape in shapes.items():
        if tuple(found[name].shape) != shape:
            raise ExportError(
                f"{checkpoint.path}: {name} is {list(found[name].shape)}, its configuration asks"
                f" for {list(shape)}"
            )
    return found
