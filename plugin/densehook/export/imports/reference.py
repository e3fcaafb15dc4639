"""What a graph gave before anything was added to it, text by text."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from ...bundle import Role
from ...encode.session import Session
from ...errors import ExportError
from ..edges import edge_texts
from ..folder import Settings
from . import Importing
from .graph import Adapted


def read_tokenizer(file: Path) -> Any:
    """Transformers' own for the folder that tokenizer.json is in, or for the file alone.

    Raises ExportError where neither can be read.
    """
    try:
        found = AutoTokenizer.from_pretrained(file.parent, use_fast=True, trust_remote_code=False)
        if found.is_fast:
            return found
    except Exception:  # of a folder without the files that name the class: the file says enough
        pass
    try:
        return PreTrainedTokenizerFast(tokenizer_file=str(file))
    except Exception as error:  # tokenizers raises bare Exception
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(f"{file} is not a tokenizer: {reason}") from error


class GivenTokenizer:
    """What texts are to a graph: its tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @cached_property
    def edge_texts(self) -> list[str]:
        """Texts of the ends of the vocabulary, and of added tokens."""
        return edge_texts(self.tokenizer)

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


class GivenGraph(GivenTokenizer):
    """The untouched graph with its tokenizer; each text runs alone, and is pooled in numpy."""

    def __init__(self, session: Session, tokenizer: Any, kind: Importing, adapted: Adapted) -> None:
        super().__init__(tokenizer)
        self._session = session
        self._kind = kind
        self._adapted = adapted

    def encode(self, settings: Settings, role: Role, ids: list[int]) -> Any:
        """As its kind has it."""
        batch = np.array([ids], dtype=np.int64)
        (value,) = self._session.values([self._adapted.source], batch)
        return self._kind.expected(settings, self._adapted, value[0])
