"""An index that follows another takes its place, while nothing is written to that."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..elastic.succession import index_behind, move_aliases, no_writes
from ..errors import ClusterUnavailable, ClusterUnreachable, ElasticError, RequestError
from ..ingest.following import Following
from ..ingest.pace import Pace

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

LONGEST_BLOCK_S = 30
"""In which nothing may be written; what is not done by then is left, and tried again."""

_STEPS = 20
_SHORT_S = 2.0
_SHORTER = 0.8
"""Of the step before; one that took more of it is as short as they become."""
_FEW = 100
_TRIES = 3


def catch_up(following: Following) -> None:
    """Steps until as little is left as there will be, or a document failed.

    What is left then is copied while nothing may be written, so that short steps go on as long as
    they become shorter. Raises RequestError where none is short.
    """
    before_s = math.inf
    for _ in range(_STEPS):
        started = time.monotonic()
        done = following.step()
        took_s = time.monotonic() - started
        if following.copied.failed or done <= _FEW or _SHORTER * before_s < took_s < _SHORT_S:
            return
        before_s = took_s
    if before_s >= _SHORT_S:
        raise RequestError(
            "more is written than is copied; give a higher pace (--requests-per-second), or run it"
            " again when less is"
        )


def move(
    client: Elasticsearch,
    alias: str,
    old: str,
    new: str,
    following: Following,
    prepare: Callable[[], None],
    *,
    remove: bool = False,
) -> tuple[Sequence[str], float]:
    """Makes both the same and moves the aliases, while nothing is written to the old one.

    ``prepare`` is called before they move. Gives them, and for how many seconds that was. Raises
    ClusterUnavailable where the time was not enough, ElasticError where the two are not the same.
    """
    for tries_left in reversed(range(_TRIES)):
        started = time.monotonic()
        try:
            with no_writes(client, old):
                following.step(Pace(None), started + LONGEST_BLOCK_S)
                _require_same(following, old, new)
                prepare()
                moved = _moved(client, alias, old, new, remove)
            return moved, time.monotonic() - started
        except _NotTheSame:
            if not tries_left:
                raise
            following.mend()
        except ClusterUnavailable:
            if not tries_left:
                raise
            catch_up(following)
    raise AssertionError("the last try returns or raises")


class _NotTheSame(ElasticError):
    """The new index has not just the documents of the old."""


def _require_same(following: Following, old: str, new: str) -> None:
    if following.copied.failed:
        raise ElasticError(f"{following.copied.failures[-1]}; it is not in index {new!r}")
    if not following.is_same():
        raise _NotTheSame(
            f"index {new!r} has not just the documents of {old!r}; does anybody else write to it?"
        )


def _moved(client: Elasticsearch, alias: str, old: str, new: str, remove: bool) -> Sequence[str]:
    try:
        return move_aliases(client, old, new, name_too=remove)
    except ClusterUnreachable:  # the answer may be lost, and all done
        if index_behind(client, alias, itself=True)[0] != new:
            raise
        return [alias]
