"""The reference of late interaction: PyTorch's own token vectors of one text, unpadded, unbatched.

What is done to hidden states is plain arithmetic here, on purpose not the code in the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..bundle import Multi, Role
from ..errors import ExportError, RecipeError
from .arithmetic import Numbers
from .checkpoint import Checkpoint
from .reference import Reference
from .token_folder import TokenFacts


@dataclass(frozen=True)
class TokenSettings:
    """What the export follows: the recipe where it speaks, else the folder."""

    part: Multi
    max_tokens: int
    prompts: Mapping[str, str]


class TokenReading:
    """How a late-interaction model reads texts, with the Hugging Face tokenizer of its folder."""

    def __init__(self, tokenizer: Any, folder: Path) -> None:
        self.tokenizer = tokenizer
        self._folder = folder

    def part(self, facts: TokenFacts, dims: int) -> Multi:
        """What the manifest states, with words as this tokenizer's ids."""
        mask_id = self.tokenizer.mask_token_id
        if facts.expands and mask_id is None:
            raise RecipeError(
                f"{self._folder}: queries are filled up with MASK, and the tokenizer has none"
            )
        masks = {"mask_id": mask_id, "attended": facts.attends}
        ids = [self._id(word) for word in facts.skipped]
        return Multi(
            dims=dims,
            query_tokens=facts.query_tokens,
            markers={role: self._marker(facts, role) for role in facts.markers},
            expansion=masks if facts.expands else {},
            skipped_ids=sorted({each for each in ids if each is not None}),
        )

    def _id(self, word: str) -> int | None:
        """The token that a word is by itself; None for one that is no token."""
        number = self.tokenizer.convert_tokens_to_ids(word)
        return None if number in (None, self.tokenizer.unk_token_id) else int(number)

    def _marker(self, facts: TokenFacts, role: str) -> int:
        number = self._id(facts.markers[role])
        if number is None:
            raise RecipeError(
                f"{self._folder}: the {role} marker {facts.markers[role]!r} is no token of its"
                " tokenizer; it must be one"
            )
        return number

    def tokenize(self, settings: TokenSettings, role: Role, text: str) -> list[int]:
        """Token ids of the prompted text, cut to the role's limit, with marker and MASK."""
        part = settings.part
        most = part.query_tokens if role == "query" else settings.max_tokens
        encoded = self.tokenizer(
            settings.prompts[role] + text,
            truncation=True,
            max_length=most - (role in part.markers),
        )
        ids = [int(number) for number in encoded["input_ids"]]
        if role in part.markers:
            ids = [ids[0], part.markers[role], *ids[1:]]
        if role == "query" and part.expansion:
            ids += [part.expansion["mask_id"]] * (part.query_tokens - len(ids))
        return ids


def attended(part: Multi, role: Role, ids: Sequence[int]) -> NDArray[np.int64]:
    """Of token ids which the others see: int64 [tokens], 0 for MASK that fills up and is unseen."""
    seen = np.ones(len(ids), dtype=np.int64)
    if role == "query" and part.expansion and not part.expansion["attended"]:
        masks = 0
        while masks < len(ids) and ids[-1 - masks] == part.expansion["mask_id"]:
            masks += 1
        seen[len(ids) - masks :] = 0
    return seen


def token_vectors(
    part: Multi, role: Role, ids: Sequence[int], hidden: Numbers, projection: Numbers | None
) -> NDArray[np.float32]:
    """Hidden states, float64 [tokens, hidden size] -> float32 [kept tokens, dims], of length 1.

    ``projection`` is float64 [dims, hidden size]; None where the states are projected already.
    """
    vectors = hidden if projection is None else hidden @ projection.T
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    skipped = set(part.skipped_ids) if role == "document" else set()
    kept = [place for place, number in enumerate(ids) if number not in skipped]
    return np.asarray(vectors[kept], dtype=np.float32)


class TokenReference:
    """A late-interaction model in PyTorch, with its own Hugging Face tokenizer.

    Raises ExportError where the projection is not in the folder, or does not fit the model.
    """

    def __init__(self, facts: TokenFacts, layers: int | None = None) -> None:
        self.plain = Reference(facts.transformer, layers)
        self.projection = projection_of(facts, self.plain.hidden_size)
        """float32 [dims, hidden size]."""
        self._reading = TokenReading(self.plain.tokenizer, facts.transformer)

    @property
    def edge_texts(self) -> list[str]:
        """As ``Reference.edge_texts``."""
        return self.plain.edge_texts

    def part(self, facts: TokenFacts) -> Multi:
        """As ``TokenReading.part``."""
        return self._reading.part(facts, len(self.projection))

    def tokenize(self, settings: TokenSettings, role: Role, text: str) -> list[int]:
        """As ``TokenReading.tokenize``."""
        return self._reading.tokenize(settings, role, text)

    def encode(self, settings: TokenSettings, role: Role, ids: list[int]) -> NDArray[np.float32]:
        """Token ids -> float32 [tokens, dims], of those that have a vector."""
        seen = torch.from_numpy(attended(settings.part, role, ids))[None]
        with torch.inference_mode():
            output = self.plain.model(input_ids=torch.tensor([ids]), attention_mask=seen)
        hidden = output.last_hidden_state[0].numpy().astype(np.float64)
        projection = self.projection.numpy().astype(np.float64)
        return token_vectors(settings.part, role, ids, hidden, projection)

    def release(self) -> Mapping[str, str]:
        """As ``Reference.release``."""
        return self.plain.release()


def reloaded_tokens(
    facts: TokenFacts, layers: int | None, traced: TokenReference
) -> TokenReference:
    """The model anew from disk; raises ExportError when the two were not the same."""
    from .weights import require_same

    sums = traced.release()
    again = TokenReference(facts, layers)
    require_same(facts.transformer, sums, again.plain.sums)
    if not torch.equal(traced.projection, again.projection):
        raise ExportError(
            f"{facts.projection} was read twice, with different numbers in its projection"
        )
    return again


def projection_of(facts: TokenFacts, hidden: int) -> Any:
    """The projection's weights, float32 [dims, hidden size], read from the folder at every call."""
    checkpoint = Checkpoint(facts.projection)
    where = checkpoint.path
    if facts.linear not in checkpoint.names:
        raise ExportError(
            f"{where} has no {facts.linear}, the projection of token vectors; the multi kind needs"
            " it: take the folder that the model's authors publish"
        )
    ((_, weight),) = checkpoint.read([facts.linear])
    if weight.ndim != 2 or weight.shape[1] != hidden or facts.dims not in (None, weight.shape[0]):
        raise ExportError(
            f"{where}: {facts.linear} is {list(weight.shape)}, it must be [{facts.dims}, {hidden}]"
        )
    return weight.to(torch.float32)
