"""The reference: PyTorch's own vector of one text, unpadded and unbatched.

Its pooling is plain arithmetic on one text's hidden states, on purpose not the code that goes into
the graph: a pooling mistake there must not be able to certify itself here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from ..bundle import Role
from ..errors import ExportError
from .folder import Settings

_POOLED: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "mean": lambda hidden: hidden.mean(axis=0),
    "cls": lambda hidden: hidden[0],
    "last": lambda hidden: hidden[-1],
}


# written out, so that the graph traced from it is one whose attention optimizers can recognise
_ATTENTION = "eager"


class Reference:
    """The model in PyTorch, fp32, with its own Hugging Face tokenizer."""

    def __init__(self, folder: Path) -> None:
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, use_fast=True)
            model = AutoModel.from_pretrained(
                folder, dtype=torch.float32, attn_implementation=_ATTENTION
            )
        except Exception as error:  # transformers raises many kinds for a folder it cannot read
            reason = str(error).strip().partition("\n")[0]
            raise ExportError(f"{folder} cannot be loaded as a model: {reason}") from error
        if not self.tokenizer.is_fast:
            raise ExportError(
                f"{folder} has no fast tokenizer (tokenizer.json), which bundles need"
            )
        self.model: Any = model.eval()

    @property
    def tokenizer_limit(self) -> int | None:
        """The longest input the model has positions for, where the folder says it."""
        limit = int(self.tokenizer.model_max_length)
        return limit if limit < 1_000_000 else None  # transformers' way of saying "unknown"

    @property
    def pad_id(self) -> int:
        """The padding token's id; 0 where the tokenizer has none."""
        pad = self.tokenizer.pad_token_id
        return 0 if pad is None else int(pad)

    def tokenize(self, settings: Settings, role: Role, text: str) -> list[int]:
        """Token ids of the prompted text, cut to the limit."""
        prompted = settings.prompts[role] + text
        encoded = self.tokenizer(prompted, truncation=True, max_length=settings.max_tokens)
        return [int(i) for i in encoded["input_ids"]]

    def encode(self, settings: Settings, ids: list[int]) -> NDArray[np.float32]:
        """Token ids -> float32 [dims]."""
        with torch.inference_mode():
            batch = torch.tensor([ids])
            output = self.model(input_ids=batch, attention_mask=torch.ones_like(batch))
        hidden = output.last_hidden_state[0].numpy().astype(np.float64)
        vector = _POOLED[settings.pooling](hidden)
        if settings.normalise:
            vector = vector / np.linalg.norm(vector)
        return vector.astype(np.float32)

    def lower_cases(self) -> bool:
        """Whether the tokenizer itself makes no difference between cases."""
        upper, lower = (self.tokenizer(text)["input_ids"] for text in ("A Cell", "a cell"))
        return bool(upper == lower)
