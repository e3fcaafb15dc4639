"""Vectors of tokens: in PyTorch, to be put on a graph, and in numpy, of the graph as it came."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...bundle import Multi, Role
from ...encode.session import Batch, Session
from ..graph import AXES
from ..token_folder import TokenFacts
from ..token_graph import TOKEN_MASK
from ..token_reference import TokenReading, TokenSettings, attended, token_vectors
from ..variants.graphs import Model
from .graph import Graph
from .heads import HIDDEN, traced_head
from .reference import GivenTokenizer


class GivenVectors(GivenTokenizer):
    """The untouched graph, each text by itself, read as its folder says.

    ``projection``, float32 [dims, width], is put on the output ``source``; None where the graph has
    it.
    """

    def __init__(
        self, session: Session, tokenizer: Any, source: str, projection: Any, facts: TokenFacts
    ) -> None:
        super().__init__(tokenizer)
        self.projection = projection
        self._session = session
        self._source = source
        self._reading = TokenReading(tokenizer, facts.transformer)
        self._matrix = None if projection is None else projection.numpy().astype(np.float64)

    def part(self, facts: TokenFacts) -> Multi:
        """What the manifest states, with words as the tokenizer's ids."""
        dims = facts.dims if self.projection is None else len(self.projection)
        return self._reading.part(facts, int(dims or 0))

    def tokenize(self, settings: Any, role: Role, text: str) -> list[int]:
        """As ``TokenReading.tokenize``."""
        return self._reading.tokenize(settings, role, text)

    def encode(self, settings: TokenSettings, role: Role, ids: list[int]) -> NDArray[np.float32]:
        """Token ids -> float32 [tokens, dims], of those that have a vector."""
        batch = np.array([ids], dtype=np.int64)
        mask = attended(settings.part, role, ids)[None]
        every = np.ones_like(batch)
        (value,) = self._session.run_each(
            Batch(batch, mask, every[:, None], np.zeros_like(batch), every), [self._source]
        )
        hidden = np.asarray(value[0], dtype=np.float64)
        return token_vectors(settings.part, role, ids, hidden, self._matrix)


def token_head(graph: Graph, source: str, projection: Any) -> Model:
    """From the output's numbers, [batch, tokens, width], to the bundle's vectors of length 1.

    Its other input is ``TOKEN_MASK``. Raises ExportError as ``traced_head`` does.
    """
    shape = graph.outputs[source]
    example = {HIDDEN: torch.ones(2, *shape[1:]), TOKEN_MASK: torch.ones(2, shape[1]).long()}
    return traced_head(_Vectors(projection), example, graph, AXES)


class _Vectors(torch.nn.Module):
    def __init__(self, projection: Tensor | None) -> None:
        super().__init__()
        self._projection = projection

    def forward(self, hidden: Tensor, token_mask: Tensor) -> Tensor:
        vectors = hidden.float()
        if self._projection is not None:
            vectors = vectors @ self._projection.T
        unit = torch.nn.functional.normalize(vectors, dim=-1)
        return unit * token_mask.unsqueeze(-1).to(unit.dtype)
