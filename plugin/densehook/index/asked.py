"""What a search asks for, checked where it is said."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from ..bundle import is_blank
from ..errors import RequestError
from ..fusion import FUSIONS, LEARNED, NORMALIZERS
from ..hooks import RERANKED, VECTOR_LISTS, PassageScore, passage_score
from ..hooks.kinds.multi import RESCORED
from .modes import BM25, FIRSTS, HYBRID, MODES, TWO_LISTS
from .unused import require_used

WINDOW = 100
"""Hits of each list that a hybrid search fuses, unless more are wanted."""
RANK_CONSTANT = 60
"""Of reciprocal rank fusion, unless given; Cormack et al. 2009."""

_MOST = 10_000  # index.max_result_window, and Elasticsearch's bound of num_candidates
_MOST_PASSAGES = 100
_WINDOW_SETTING = "index.max_result_window"
_PASSAGES_SETTING = "index.max_inner_result_window"
"""Elasticsearch's settings that have these as they are by themselves."""

Query = Mapping[str, Any]
"""A query of Elasticsearch's query language, as ``{"term": {"lang": "en"}}``."""


class Options(TypedDict, total=False):
    """What ``search`` takes by name; the meaning is in ``Asked``."""

    mode: str
    size: int
    from_: int
    filter: Query | Sequence[Query] | None
    fusion: str
    weights: Mapping[str, float] | Literal["learned"] | None
    min_scores: Mapping[str, float] | None
    normalizer: str | None
    rank_constant: float | None
    window: int | None
    first: str | None
    num_candidates: int | None
    fields: Sequence[str] | None
    highlight: bool
    passages: int
    passage_score: str | Mapping[str, Any] | None
    explain: bool
    instruction: str | None
    rerank: Any
    rerank_window: int | None
    rerank_chunks: int | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How to search, and what of the hits to give; RequestError for what makes no sense.

    ``mode`` is bm25, hybrid, or how the vector field is searched, dense or sparse; or maxsim: of a
    field of token vectors, which order what ``first`` finds, its first ``window`` hits: bm25 unless
    that is said to be dense, sparse or hybrid, where the index has those fields; of an image dense.
    ``instruction`` is what the vector field's encoder is told to do with the query, where its
    recipe has instructions, in the place of its own prompt. ``size`` hits are given, from the one
    at ``from_``, counted from 0, of those that match ``filter``: a query or a list of queries,
    which dense search heeds before it looks for neighbours. ``fusion`` is
    rrf or linear, over the first ``window`` hits of both lists, without those below the list's one
    of ``min_scores``; ``weights`` are theirs by name, 1 each, or ``"learned"``: those, and the
    fusion, that ``densehook optimise --query-wise`` has learned and kept in the index.
    ``rank_constant`` is of rrf, ``normalizer`` of linear.
    ``num_candidates`` is kNN's, for each shard. ``fields`` are those of the source that are
    wanted, all but the vectors by default. With ``highlight`` hits show where words of the query
    stand; with ``explain`` also one that the cluster fused says what each list gave it. So many
    ``passages`` of each, the chunks that are most like the query, come with it, where the index
    has chunks. There dense search scores a document by its best chunk, or as ``passage_score``
    says: ``max``, ``first``, ``sum`` or ``mean``, ``mean-3`` of the best three, or the object
    ``passages`` of the plugin's query ``dense``, with weights of sections.

    ``rerank`` is a cross-encoder that densehook.load gave, or the name of one that the cluster has
    in service, or of a bundle: it puts the first ``rerank_window`` hits, 50 or as many as are
    wanted, in the order of its scores for the text that the field's vectors are made of, or, with
    ``rerank_chunks``, for the best of that text's first so many chunks.
    """

    mode: str = HYBRID
    size: int = 10
    from_: int = 0
    filter: Query | Sequence[Query] | None = None
    fusion: str = "rrf"
    weights: Mapping[str, float] | Literal["learned"] | None = None
    min_scores: Mapping[str, float] | None = None
    normalizer: str | None = None
    rank_constant: float | None = None
    window: int | None = None
    first: str | None = None
    num_candidates: int | None = None
    fields: Sequence[str] | None = None
    highlight: bool = False
    passages: int = 0
    passage_score: str | Mapping[str, Any] | None = None
    explain: bool = False
    instruction: str | None = None
    rerank: Any = None
    rerank_window: int | None = None
    rerank_chunks: int | None = None

    def __post_init__(self) -> None:
        _one_of("mode", self.mode, MODES)
        _one_of("fusion", self.fusion, FUSIONS)
        self._require_instruction()
        self._require_counts()
        self._require_reranked()
        _number("rank_constant", self.rank_constant, least=1, most=math.inf)
        passage_score(self.passage_score)
        if self.window is not None and self.window < self.last:
            raise RequestError(
                f"window is {self.window}, hits up to {self.last} are wanted; it must be that"
            )
        if self.normalizer is not None:
            _one_of("normalizer", self.normalizer, NORMALIZERS)
        self._require_fusion("normalizer", self.normalizer, "linear")
        self._require_fusion("rank_constant", self.rank_constant, "rrf")
        if isinstance(self.weights, str):
            _one_of("weights", self.weights, (LEARNED,))
            self._require_alone()
        else:
            _numbers_of_lists("weights", "weight", self.weights)
        _numbers_of_lists("min_scores", "minimum score", self.min_scores)
        for each in self.filters:
            if not isinstance(each, Mapping):
                raise RequestError(
                    f"filter {each!r} is no query; write it like {{'term': {{'lang': 'en'}}}}"
                )
        if isinstance(self.fields, str):
            raise RequestError(f"fields is {self.fields!r}; it must be a list of names")
        if self.first is not None:
            _one_of("first", self.first, FIRSTS)
        require_used(self)

    def _require_counts(self) -> None:
        _whole_number("size", self.size, least=0, most=_MOST, of=_WINDOW_SETTING)
        _whole_number("from_", self.from_, least=0, most=_MOST - self.size, of=_WINDOW_SETTING)
        _whole_number("passages", self.passages, least=0, most=_MOST_PASSAGES, of=_PASSAGES_SETTING)
        _whole_number("window", self.window, least=1, most=_MOST, of=_WINDOW_SETTING)
        _whole_number("num_candidates", self.num_candidates, least=1, most=_MOST)
        _whole_number("rerank_window", self.rerank_window, least=1, most=_MOST, of=_WINDOW_SETTING)
        _whole_number("rerank_chunks", self.rerank_chunks, least=1, most=_MOST)

    def _require_instruction(self) -> None:
        if self.instruction is None:
            return
        if self.mode == BM25:
            raise RequestError("an instruction is for an encoder, and bm25 has none; leave it out")
        if is_blank(self.instruction):
            raise RequestError(
                f"the instruction {self.instruction!r} is blank; leave it out for the encoder's own"
            )

    def _require_reranked(self) -> None:
        for name in ("rerank_window", "rerank_chunks"):
            if self.rerank is None and getattr(self, name) is not None:
                raise RequestError(f"{name} is of rerank; name the cross-encoder, or leave it out")
        if self.rerank_window is not None and self.rerank_window < self.last:
            raise RequestError(
                f"rerank_window is {self.rerank_window}, hits up to {self.last} are wanted; it must"
                " be that"
            )

    def _require_fusion(self, name: str, value: object, fusion: str) -> None:
        if value is not None and self.fusion != fusion:
            raise RequestError(
                f"{name} is of {fusion}; fusion {self.fusion!r} takes none, leave it out"
            )

    def _require_alone(self) -> None:
        if self.fusion != "rrf":
            raise RequestError(
                f"fusion {self.fusion!r} cannot be chosen where weights are 'learned': they are for"
                " one fusion; leave it out"
            )
        for name in (
            "normalizer",
            "rank_constant",
            "min_scores",
            "num_candidates",
            "passage_score",
        ):
            if getattr(self, name) is not None:
                raise RequestError(
                    f"{name} cannot be chosen where weights are 'learned': they are for one fusion;"
                    " leave it out"
                )

    def require_plain_lists(self, why: str) -> None:
        """RequestError where something is asked of the lists that cannot be, which ``why`` says."""
        for name in ("weights", "min_scores", "num_candidates"):
            if getattr(self, name) is not None:
                raise RequestError(
                    f"{name} cannot be chosen where {why}; leave it out, or name one index"
                )

    @property
    def scores_passages(self) -> bool:
        """Whether documents of chunks are scored by more than their best one."""
        return self.mode != BM25 and not self.passage_scoring.is_of_best_chunk

    @property
    def passage_scoring(self) -> PassageScore:
        """How documents of chunks are scored."""
        return passage_score(self.passage_score)

    @property
    def is_learned(self) -> bool:
        """Whether weights and fusion are those that the index keeps."""
        return self.mode == HYBRID and self.weights == LEARNED

    @classmethod
    def of(cls, options: Options) -> Asked:
        """What these options ask. Raises RequestError for one that is not known."""
        known = [each.name for each in dataclasses.fields(cls)]
        for name in options:
            if name not in known:
                raise RequestError(f"nothing is called {name!r} here; known: {', '.join(known)}")
        return cls(**options)

    @property
    def filters(self) -> Sequence[Query]:
        """The filter as a list."""
        if self.filter is None:
            return []
        given: Any = self.filter  # as it was said; __post_init__ checks what comes of it
        several = isinstance(given, Sequence) and not isinstance(given, str)
        return list(given) if several else [given]

    @property
    def last(self) -> int:
        """How many hits there must be for all that are wanted."""
        return self.from_ + self.size

    @property
    def depth(self) -> int:
        """Hits of each list that are fused."""
        return self.window or max(WINDOW, self.last)

    @property
    def reranked(self) -> int:
        """Hits that are reranked."""
        return self.rerank_window or max(RERANKED, self.last)

    @property
    def found_by(self) -> str:
        """The mode that finds hits: its own, unless token vectors order those of another."""
        return (self.first or BM25) if self.mode == RESCORED else self.mode

    @property
    def finding(self) -> Asked:
        """The search whose hits token vectors order, and of which nothing is shown."""
        return dataclasses.replace(self.whole, mode=self.found_by, first=None, explain=False)

    @property
    def whole(self) -> Asked:
        """The same for all hits of the window, as they are found, of which nothing is shown."""
        return dataclasses.replace(
            self,
            size=self.depth,
            from_=0,
            window=self.depth,
            fields=[],
            highlight=False,
            rerank=None,
            rerank_window=None,
            rerank_chunks=None,
        )

    @property
    def first_stage(self) -> Asked:
        """What finds the hits that are to be reranked."""
        return dataclasses.replace(
            self,
            size=self.reranked,
            from_=0,
            window=max(self.depth, self.reranked),
            rerank=None,
            rerank_window=None,
            rerank_chunks=None,
        )

    @property
    def list_weights(self) -> list[float]:
        """The weight of BM25 and of one vector field; else as ``weights_of``."""
        return self.weights_of(TWO_LISTS)

    def weights_of(self, lists: Sequence[str]) -> list[float]:
        """The weight of each of these lists; RequestError where a query decides."""
        if isinstance(self.weights, str):
            raise RequestError(
                f"weights {self.weights!r} are Index.search's; here give numbers for bm25 and dense"
            )
        return [1.0 if each is None else each for each in self.of_lists(self.weights, lists)]

    @property
    def constant(self) -> float:
        """The constant of rrf."""
        return RANK_CONSTANT if self.rank_constant is None else self.rank_constant

    def of_lists(
        self, stated: Mapping[str, float] | None, lists: Sequence[str]
    ) -> list[float | None]:
        """What is stated of these lists, BM25's first; of two the other by whatever name it has."""
        given = stated or {}
        if len(lists) > 2:
            return [given.get(name) for name in lists]
        return [
            given.get(BM25),
            next((given[name] for name in VECTOR_LISTS if name in given), None),
        ]

    def fuse(self, lists: Sequence[str] = TWO_LISTS) -> Callable[..., Any]:
        """The fusion, which takes the rankings of these lists."""
        given: dict[str, Any] = {"weights": self.weights_of(lists)}
        if self.rank_constant is not None:
            given["rank_constant"] = self.rank_constant
        if self.normalizer is not None:
            given["normalizer"] = self.normalizer
        chosen: Callable[..., Any] = FUSIONS[self.fusion]
        return lambda rankings: chosen(rankings, **given)


def _one_of(what: str, value: object, known: Sequence[str] | Mapping[str, Any]) -> None:
    if value not in known:
        raise RequestError(f"{what} {value!r} is unknown; known: {', '.join(known)}")


def _numbers_of_lists(what: str, one: str, given: Mapping[str, float] | None) -> None:
    if not isinstance(given, Mapping | None):
        raise RequestError(f"{what} is {given!r}; write them like {{'bm25': 1, 'dense': 2}}")
    for name, number in (given or {}).items():
        _one_of(f"a list of {what}", name, (BM25, *VECTOR_LISTS))
        _number(f"the {one} of {name}", number, least=0, most=math.inf)


def _whole_number(what: str, value: int | None, *, least: int, most: int, of: str = "") -> None:
    if isinstance(value, float):
        raise RequestError(f"{what} is {value!r}; it must be a whole number")
    _number(what, value, least=least, most=most, of=of)


def _number(what: str, value: float | None, *, least: float, most: float, of: str = "") -> None:
    """``of`` is the setting of Elasticsearch's that has the bound, if any."""
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        bounds = f"{least:,} or more" if most == math.inf else f"from {least:,} to {most:,}"
        named = f" (Elasticsearch's {of})" if of else ""
        raise RequestError(f"{what} is {value!r}; it must be {bounds}{named}")
