"""Sparse: a weight for each of a few tokens of the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from ...errors import BundleError
from ..stated import Stated, is_real, is_text, shown

ACTIVATIONS = ("relu", "log1p_relu")
"""What becomes of a logit, as sentence-transformers' ``SpladePooling`` names it."""

TOKEN_RELU = "token_relu"
"""What becomes of a number that a model has for each token of a text, and not of a logit."""

QUERIES = ("graph", "idf")
"""What weighs a query's tokens: the graph, as a document's, or the bundle's table ``IDF``."""

IDF = "idf.json"
"""The file of a bundle with a weight for each token that a query may have."""

SPARSE_COSINES = {"fp32": 0.99999, "fp16": 0.9999, "int8": 0.95, "int4": 0.85}
"""The lowest cosine to the golden weights that each precision may show."""
SPARSE_DIFFERENCES = {"fp32": 1e-4}
"""How far a weight may be from the golden one, in parts of the text's largest; of fewer bits that
is not asked."""


@dataclass(frozen=True, kw_only=True)
class Sparse:
    """Weights of tokens: at most ``max_terms`` of a text, the largest, all over 0.

    A weight is the largest over the text's tokens of log(1 + max(0, logit)), by activation
    ``relu``, or of log(1 + that), by ``log1p_relu``; Formal et al. 2021, SPLADE v2. By
    ``token_relu`` it is the largest max(0, number) over a token's places in the text, and tokens
    that are not in it have none; Chen et al. 2024, BGE M3. Where ``query``
    is ``idf`` the graph is for documents alone, and each token of a query weighs what the table
    says; Geng et al. 2024.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("max_terms", "activation", "query")
    OUTPUT_KEY: ClassVar[str] = "weights"

    max_terms: int
    activation: str
    query: str

    @property
    def summary(self) -> str:
        """As ``Part.summary``."""
        return f"{self.max_terms} terms"

    @property
    def space(self) -> str:
        """As ``Part.space``: weights of one making."""
        return self.activation

    def reads_plainly(self, max_tokens: int) -> bool:
        """As ``Part.reads_plainly``."""
        return self.query == "graph"

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """As ``Part.read``."""
        return cls(
            max_terms=stated.number("max_terms", 1),
            activation=stated.one_of("activation", (*ACTIVATIONS, TOKEN_RELU)),
            query=stated.one_of("query", QUERIES),
        )

    def read_output(self, golden: Stated) -> Mapping[str, float]:
        """As ``Part.read_output``: weights over 0 by token, at most ``max_terms``."""
        weights = golden.table(self.OUTPUT_KEY)
        wrong = next((each for each in weights.items() if not _is_weight(*each)), None)
        if wrong is not None:
            raise BundleError(
                f"{golden.where}: token {shown(wrong[0])} has the weight {shown(wrong[1])}; it must"
                " be a finite number over 0"
            )
        if len(weights) > self.max_terms:
            raise BundleError(
                f"{golden.where} has weights of {len(weights)} tokens; at most {self.max_terms}"
                " can be"
            )
        return weights

    def written_output(self, output: Mapping[str, float]) -> dict[str, float]:
        """As ``Part.written_output``, with the nine digits that identify a float32."""
        return {token: float(f"{weight:.9g}") for token, weight in output.items()}


def _is_weight(token: str, weight: object) -> bool:
    return is_text(token) and is_real(weight) and float(str(weight)) > 0
