"""What a search would take no notice of is refused, not ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import RequestError
from ..hooks import VECTOR_LISTS
from ..hooks.kinds.multi import RESCORED
from .modes import BM25, HYBRID

if TYPE_CHECKING:
    from .asked import Asked

_OF_FUSION = ("weights", "normalizer", "rank_constant")
_OF_A_TEXT = ("instruction", "min_scores", "passage_score", *_OF_FUSION)
"""What is None unless it is asked for: of a fusion, and of a search for a text."""


def require_used(asked: Asked) -> None:
    """Raises RequestError for what token vectors, and what finds the hits they order, do not use.

    Of other modes that ``first`` is given.
    """
    if asked.mode != RESCORED:
        if asked.first is not None:
            raise RequestError(
                f"first is of {RESCORED}, which orders what it finds, and mode {asked.mode!r} takes"
                " none; leave it out"
            )
        return
    for name in _unused_by(asked):
        if getattr(asked, name) is not None:
            raise RequestError(
                f"{name} means nothing to {RESCORED} of what {asked.found_by} finds; leave it out,"
                " or name another first"
            )
    for name in () if asked.found_by == HYBRID else asked.min_scores or ():
        if (name == BM25) != (asked.found_by == BM25):
            raise RequestError(
                f"min_scores has one of {name!r}, and {RESCORED} orders what {asked.found_by}"
                " finds; leave it out"
            )


def _unused_by(asked: Asked) -> list[str]:
    """Options that a search by maxsim does not use, by what finds its hits."""
    unused = ["passage_score"]
    if asked.found_by != HYBRID:
        unused += _fusion_of(asked)
    if asked.found_by == BM25:
        unused.append("num_candidates")
    return unused


def _fusion_of(asked: Asked) -> Sequence[str]:
    """A fusion's options, and it itself unless it is the one that there is anyway."""
    return _OF_FUSION if asked.fusion == "rrf" else ("fusion", *_OF_FUSION)


def require_no_text(asked: Asked, what: str, modes: Sequence[str]) -> None:
    """Raises RequestError for what only a search for a text can have.

    ``what`` is searched for instead, by these modes alone: "an image is", "numbers are".
    """
    if asked.mode not in modes or asked.passages or asked.highlight or asked.rerank is not None:
        raise RequestError(
            f"{what} searched for by {' or '.join(modes)} alone, without passages, highlight and"
            " rerank; leave them out"
        )
    if asked.found_by != VECTOR_LISTS[0]:
        raise RequestError(
            f"first is {asked.found_by!r}, and {what} found by {VECTOR_LISTS[0]} alone; leave it"
            " out"
        )
    for name in (*_OF_A_TEXT, *_fusion_of(asked)):
        if getattr(asked, name) is not None:
            raise RequestError(
                f"{what} searched for without {name}, which is a text's; leave it out"
            )
