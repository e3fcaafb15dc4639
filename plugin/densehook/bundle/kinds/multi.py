"""Multi: one vector for each token of a text, compared by late interaction.

Khattab and Zaharia 2020, "ColBERT"; markers, MASK expansion and the list of skipped tokens are as
in their code, and in PyLate's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, NamedTuple, Self

from ...errors import BundleError
from ..stated import Stated, is_number, is_real

ROLES = ("query", "document")

TOKEN_BOUNDS = {"fp32": 0.9999, "fp16": 0.999, "int8": 0.8, "int4": 0.6}
"""The lowest cosine to a golden token vector that each precision may show.

Lower than of pooled vectors, in which the errors of single tokens cancel out.
"""

_LEAST_TOKENS = 4
"""Of a query: its two special ones, its marker, and one of the text."""

SAMPLED = 8
"""Token vectors of a golden text that are kept, evenly spaced: every load compares them."""


class TokenSample(NamedTuple):
    """A golden text's output: how many token vectors there are, and some of them.

    ``vectors`` are those at ``sampled_places(tokens)``, each of ``dims`` numbers.
    """

    tokens: int
    vectors: Sequence[Sequence[float]]


def sampled_places(count: int) -> list[int]:
    """Up to ``SAMPLED`` places of so many, the first and the last among them."""
    if count <= SAMPLED:
        return list(range(count))
    return [place * (count - 1) // (SAMPLED - 1) for place in range(SAMPLED)]


def sample_of(vectors: Any) -> TokenSample:
    """Token vectors [tokens, dims] -> what golden.json keeps of them."""
    places = sampled_places(len(vectors))
    return TokenSample(len(vectors), [[float(x) for x in vectors[place]] for place in places])


@dataclass(frozen=True)
class Expansion:
    """How a short query is filled up: with MASK, whose vectors take part in its score.

    ``attended`` says whether the query's other tokens see them.
    """

    mask_id: int
    attended: bool


@dataclass(frozen=True, kw_only=True)
class Multi:
    """Vectors of length 1, float32 [tokens, dims], compared by MaxSim.

    A query has ``query_tokens`` tokens at most, and exactly so many where it is expanded.
    ``markers`` are token ids by role, put behind a text's first token; empty where the model was
    trained without. Tokens of a document whose ids are among ``skipped_ids`` have no vector.
    """

    KEYS: ClassVar[tuple[str, ...]] = (
        "dims",
        "query_tokens",
        "markers",
        "expansion",
        "skipped_ids",
    )
    OUTPUT_KEY: ClassVar[str] = "token_vectors"

    dims: int
    query_tokens: int
    markers: Mapping[str, int] = field(default_factory=dict)
    expansion: Mapping[str, Any] = field(default_factory=dict)
    skipped_ids: Sequence[int] = ()

    @property
    def summary(self) -> str:
        """As ``Part.summary``."""
        return f"{self.dims} dims a token"

    @property
    def expands(self) -> Expansion | None:
        """How queries are filled up; None where they are not."""
        return Expansion(**self.expansion) if self.expansion else None

    @property
    def space(self) -> int:
        """As ``Part.space``: as many numbers a token."""
        return self.dims

    def reads_plainly(self, max_tokens: int) -> bool:
        """As ``Part.reads_plainly``."""
        return self.query_tokens == max_tokens and not (
            self.markers or self.expansion or self.skipped_ids
        )

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """As ``Part.read``."""
        query_tokens = stated.number("query_tokens", 1)
        if query_tokens < _LEAST_TOKENS:
            raise BundleError(
                f"encoder.json: query_tokens is {query_tokens}; it must be {_LEAST_TOKENS} or more"
            )
        return cls(
            dims=stated.number("dims", 1),
            query_tokens=query_tokens,
            markers=_markers(stated.table("markers")),
            expansion=_expansion(stated.table("expansion")),
            skipped_ids=stated.list_of("skipped_ids", is_number, "token ids"),
        )

    def read_output(self, golden: Stated) -> TokenSample:
        """As ``Part.read_output``."""
        where = f"{golden.where}: {self.OUTPUT_KEY}"
        stated = Stated(golden.table(self.OUTPUT_KEY), where, ["count", "vectors"])
        count = stated.number("count", 0)
        numbers = stated.list_of("vectors", is_real, "finite numbers")
        wanted = len(sampled_places(count)) * self.dims
        if len(numbers) != wanted:
            raise BundleError(
                f"{where} has {len(numbers)} numbers for {count} tokens; it must have {wanted}"
            )
        rows = range(0, len(numbers), self.dims)
        return TokenSample(count, [numbers[row : row + self.dims] for row in rows])

    def written_output(self, output: TokenSample) -> dict[str, Any]:
        """As ``Part.written_output``, with the nine digits that identify a float32."""
        numbers = [float(f"{number:.9g}") for vector in output.vectors for number in vector]
        return {"count": output.tokens, "vectors": numbers}


def _markers(table: Mapping[str, Any]) -> Mapping[str, int]:
    if not table:
        return {}
    stated = Stated(table, "encoder.json: markers", ROLES)
    return {role: stated.number(role, 0) for role in ROLES}


def _expansion(table: Mapping[str, Any]) -> Mapping[str, Any]:
    if not table:
        return {}
    stated = Stated(table, "encoder.json: expansion", ["mask_id", "attended"])
    return asdict(Expansion(stated.number("mask_id", 0), stated.truth("attended")))
