"""What the graph of each kind gives: one row a text, in arrays of numpy's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ...bundle import Bundle, GoldenText, Manifest
from ..session import Rows
from ..tokenizer import Tokenizer
from . import cross, dense, multi, sparse


class Output(Protocol):
    """A kind's module here."""

    def blank(self, manifest: Manifest, texts: int) -> Any:
        """Rows of so many texts, of which none has been encoded."""

    def decoded(self, manifest: Manifest, output: Rows) -> Any:
        """What the graph gave for a batch -> a row for each of its texts.

        Raises EncodeError when it is not what the manifest says.
        """

    def similarity(self, manifest: Manifest, queries: Any, documents: Any) -> Any:
        """Scores: rows of n queries and of m documents -> float32 [n, m]."""

    def golden_objection(self, manifest: Manifest, found: Any, golden: Sequence[GoldenText]) -> str:
        """Which of these rows is not as near to its golden output as it must be; else empty."""


OUTPUTS: Mapping[str, Output] = {
    "dense": dense,
    "cross": cross,
    "sparse": sparse,
    "multi": multi,
    "image-text": dense,
    "numbers": dense,
}
"""The module of each kind."""


class Lexicon(Protocol):
    """What is read of a bundle where outputs are of tokens."""

    @property
    def weighs_queries(self) -> bool:
        """Whether a query needs no graph."""

    def named(self, rows: Any) -> Any:
        """Rows by token ids -> the same rows by tokens."""

    def weighed(self, ids: Sequence[int]) -> Any:
        """The token ids of a query -> its row."""


LEXICONS: Mapping[str, Callable[[Bundle, Tokenizer], Lexicon]] = {"sparse": sparse.Lexicon}
"""Of the kinds whose outputs are of tokens."""
