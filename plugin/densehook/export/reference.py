"""The reference: PyTorch's own vector of one text, unpadded and unbatched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModel, AutoTokenizer

from ..bundle import Role
from ..errors import ExportError, RecipeError
from .arithmetic import Arithmetic, Numbers
from .edges import edge_texts
from .folder import Settings
from .weights import load_weights, require_plain_model

ENCODER_HALVES: Mapping[str, str] = {
    "t5": "T5EncoderModel",
    "mt5": "MT5EncoderModel",
    "umt5": "UMT5EncoderModel",
}
"""By model type, the class that is the encoder alone of a model that also has a decoder."""


class Reference:
    """The model in PyTorch, fp32, with its own Hugging Face tokenizer.

    ``layers`` keeps the first so many, and what the architecture has after its last; training makes
    the early layers' output good for something (Li et al. 2024, 2D Matryoshka; Zhuang et al.
    2024, Starbucks), and any encoder can be cut. Raises RecipeError when the model has fewer.
    """

    def __init__(self, folder: Path, layers: int | None = None, model_class: Any = None) -> None:
        try:
            require_plain_model(folder)
            self.tokenizer: Any = AutoTokenizer.from_pretrained(
                folder, use_fast=True, trust_remote_code=False
            )
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
            if layers is not None:
                _keep_layers(config, layers)
            loaded = load_weights(
                folder, config, layers is not None, model_class or self.class_for(config)
            )
        except (RecipeError, ExportError):
            raise
        except Exception as error:  # transformers raises many kinds for a folder it cannot read
            reason = str(error).strip().partition("\n")[0]
            raise ExportError(f"{folder} cannot be loaded as a model: {reason}") from error
        if not self.tokenizer.is_fast:
            raise ExportError(
                f"{folder} has no fast tokenizer (tokenizer.json), which bundles need"
            )
        _require_rows(folder, self.tokenizer, loaded.model)
        self.model: Any = loaded.model
        self.sums = loaded.sums
        """SHA-256 of each weight and buffer that a vector is computed with, by name."""
        self.absent = loaded.absent
        """Weights that are not from the checkpoint, and of no use to a vector."""
        self._arithmetic = Arithmetic()

    @classmethod
    def class_for(cls, config: Any) -> Any:
        """The class of transformers that loads it: the encoder alone."""
        half = ENCODER_HALVES.get(config.model_type)
        return AutoModel if half is None else getattr(transformers, half)

    @property
    def tokenizer_limit(self) -> int | None:
        """The longest input that the tokenizer thinks right, where it says it."""
        limit = int(self.tokenizer.model_max_length)
        return limit if limit < 1_000_000 else None  # transformers' way of saying "unknown"

    @property
    def positions(self) -> int | None:
        """How many tokens the model can tell the places of; None where that has no limit.

        RoBERTa and its kin count from the padding id on, so that the first places of their table
        are nobody's.
        """
        stated = getattr(self.model.config, "max_position_embeddings", None)
        if type(stated) is not int or stated < 1:  # XLNet says -1
            return None
        for module in self.model.modules():
            table = getattr(module, "position_embeddings", None)
            first = getattr(module, "padding_idx", None)
            if isinstance(table, torch.nn.Embedding) and isinstance(first, int):
                return stated - first - 1
        return stated

    @property
    def tokenizer_json(self) -> str:
        """The tokenizer as one text, what tokenizer.json holds."""
        return str(self.tokenizer.backend_tokenizer.to_str())

    @cached_property
    def edge_texts(self) -> list[str]:
        """Texts of the ends of the vocabulary, and of added tokens."""
        return edge_texts(self.tokenizer)

    @property
    def layers(self) -> int:
        """How many the model has, after any were cut."""
        return int(self.model.config.num_hidden_layers)

    @property
    def hidden_size(self) -> int:
        """Length of the pooled vector before it is cut."""
        return int(self.model.config.hidden_size)

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

    def unpooled(self, settings: Settings) -> Mapping[str, int]:
        """How many tokens of each role's prompt are left out of the pooling; none where nothing is.

        Where queries may bring instructions, those are left out too, and so something always is.
        Counted as sentence-transformers does: those of the prompt alone, but for a special token at
        its end. Raises RecipeError for a prompt that leaves no room for a text.
        """
        if settings.include_prompt:
            return {}
        counts = {}
        for role, prompt in settings.prompts.items():
            ids = self.tokenizer(prompt)["input_ids"] if prompt else []
            ended = bool(ids) and ids[-1] in self.tokenizer.all_special_ids
            counts[role] = len(ids) - ended
            if counts[role] >= settings.max_tokens:
                raise RecipeError(
                    f"the {role} prompt has {counts[role]} tokens, max_tokens is"
                    f" {settings.max_tokens}"
                )
        return counts if any(counts.values()) or settings.instruction else {}

    def encode(self, settings: Settings, role: Role, ids: list[int]) -> NDArray[np.float32]:
        """Token ids -> float32 [dims]."""
        hidden = self.hidden(settings, ids)
        first = min(settings.unpooled.get(role, 0), len(ids) - 1)
        return self._arithmetic.vector(settings, hidden, first)

    def hidden(self, settings: Settings, ids: list[int]) -> Numbers:
        """Token ids -> their hidden states, float64 [tokens, hidden size]."""
        with torch.inference_mode():
            batch = torch.tensor([ids])
            output = self.model(
                input_ids=batch,
                attention_mask=torch.ones_like(batch),
                output_hidden_states=settings.mix is not None,
            )
        hidden = output.last_hidden_state[0].numpy().astype(np.float64)
        if settings.mix is not None:
            layers = np.stack([each[0].numpy() for each in output.hidden_states])
            hidden = self._arithmetic.mixed(settings.mix, layers.astype(np.float64))
        return np.asarray(hidden)

    def encode_spans(
        self, settings: Settings, ids: list[int], spans: Sequence[tuple[int, int]]
    ) -> NDArray[np.float32]:
        """Token ids, and of each span the first and behind its last -> float32 [spans, dims]."""
        hidden = self.hidden(settings, ids)
        vectors = [self._arithmetic.vector(settings, hidden[first:end], 0) for first, end in spans]
        return np.stack(vectors)

    def release(self) -> Mapping[str, str]:
        """Lets the model go, which a large one's memory is wanted back for; gives its sums."""
        self.model = None
        return self.sums

    def lower_cases(self) -> bool:
        """Whether the tokenizer itself makes no difference between cases."""
        upper, lower = (self.tokenizer(text)["input_ids"] for text in ("A Cell", "a cell"))
        return bool(upper == lower)


def _keep_layers(config: Any, layers: int) -> None:
    if layers > config.num_hidden_layers:
        raise RecipeError(f"layers is {layers}, the model has {config.num_hidden_layers}")
    config.num_hidden_layers = layers


def _require_rows(folder: Path, tokenizer: Any, model: Any) -> None:
    """Raises ExportError when a text may give a token id that the model has no embedding for."""
    rows = model.get_input_embeddings().num_embeddings
    beyond = {token: number for token, number in tokenizer.get_vocab().items() if number >= rows}
    if beyond:
        token = min(beyond, key=beyond.__getitem__)
        kind = "added token" if token in tokenizer.get_added_vocab() else "token"
        raise ExportError(
            f"{folder}: the tokenizer has ids up to {max(beyond.values())}, the model embeddings"
            f" for {rows} ids: the {kind} {token!r} is {beyond[token]}; resize the model's"
            " embeddings to the tokenizer and train them, or take the token out of tokenizer.json"
        )
