"""transformers' masks of attention, worked out in a way that a trace can follow.

What is put in the place of transformers' own functions stands there as long as a trace lasts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import masking_utils

Mask = Callable[..., Tensor]


@contextlib.contextmanager
def traceable_masks() -> Iterator[None]:
    """Has transformers make masks of operations that are traced, and that optimizers know."""
    replacements = {
        "_vmap_for_bhqkv": _at_all_places,
        "_vmap_expansion_sdpa": _at_all_places,
        "TransformGetItemToIndex": contextlib.nullcontext,
    }
    there = {
        name: vars(masking_utils)[name] for name in replacements if hasattr(masking_utils, name)
    }
    try:
        for name in there:
            setattr(masking_utils, name, replacements[name])
        with _plain_masks_of_padding():
            yield
    finally:
        for name, each in there.items():
            setattr(masking_utils, name, each)


def _at_all_places(mask_of: Mask, *_: object, **__: object) -> Mask:
    """A mask for all places at once.

    By default transformers asks torch.vmap for some, in versions before 5 for all; that leaves no
    trace.
    """

    def mask(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        shape = [each.shape[0] for each in (batch, head, query, key)]
        places = (
            each.view([-1 if axis == place else 1 for axis in range(4)])
            for place, each in enumerate((batch, head, query, key))
        )
        return mask_of(*places).expand(shape)

    return mask


@contextlib.contextmanager
def _plain_masks_of_padding() -> Iterator[None]:
    """Has a mask that hides padding alone be made as before transformers 5.

    Version 5 asks for each pair of places whether the second may be seen from the first: the same
    numbers, but from operations in which no optimizer finds the attention, and a matrix of them
    where a row is enough.
    """
    plain = getattr(masking_utils, "bidirectional_mask_function", None)
    registered = getattr(masking_utils, "ALL_MASK_ATTENTION_FUNCTIONS", None)
    if plain is None or registered is None:
        yield
        return
    made: Mask = registered["eager"]

    def mask(*, mask_function: Any, attention_mask: Any = None, **rest: Any) -> Tensor:
        if mask_function is not plain or attention_mask is None:
            return made(mask_function=mask_function, attention_mask=attention_mask, **rest)
        dtype = rest.get("dtype", torch.float32)
        row = attention_mask[:, None, None, :]
        # of no effect, and what onnxruntime's optimizer looks for
        row = row.expand(attention_mask.shape[0], 1, 1, attention_mask.shape[1])
        hidden: Tensor = 1.0 - row.to(dtype)
        return torch.where(hidden.to(torch.bool), torch.finfo(dtype).min, hidden)

    registered["eager"] = mask
    try:
        yield
    finally:
        del registered["eager"]  # what every instance has stands behind it
