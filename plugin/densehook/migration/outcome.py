"""How a migration goes about it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..ingest import Failure
from ..ingest.following import Copied
from ..types import PATIENCE, EncodeStats
from .gate import Progress, Verdict


@dataclass(frozen=True)
class Way:
    """How documents are copied: how many a second, with what patience, and who hears of it."""

    requests_per_second: float | None = None
    patience: float | str = PATIENCE
    on_failure: Callable[[Failure], None] = lambda failure: None
    on_progress: Progress = lambda label, done, total: None


@dataclass(frozen=True)
class FromFiles:
    """What came of the files that the new index was filled from, over all runs.

    ``first`` is this run's first failure; ``encoded`` counts its texts, None where the cluster does
    not say.
    """

    indexed: int
    failed: int
    first: Failure | None
    encoded: EncodeStats | None


@dataclass
class Migrated:
    """What was done, and whether the aliases moved; ``refused`` says why they did not.

    ``from_files`` is what was read of those, where it was filled so, and ``copied`` what was left.
    For ``blocked_s`` seconds nothing was written to the index that they were moved from.
    ``templates`` are those that make indices like the one that is in service now, ``others`` such
    as make indices like the old one and were not changed. ``renamed`` has the names of the vector
    field before and now, where they are two. ``stream`` is the data stream whose next index ``new``
    is; no aliases move then.
    """

    old: str
    new: str
    copied: Copied
    from_files: FromFiles | None = None
    aliases: Sequence[str] = ()
    blocked_s: float = 0.0
    verdict: Verdict | None = None
    templates: Sequence[str] = ()
    others: Sequence[str] = ()
    renamed: tuple[str, str] | None = None
    refused: str = ""
    stream: str = ""


def objection(done: Migrated) -> str:
    """Why the new index is not to be in service; empty for nothing."""
    if done.from_files is not None and done.from_files.failed:
        first = done.from_files.first
        return (
            f"{done.from_files.failed:,} documents of the files could not be indexed"
            f"{'' if first is None else f', the first: {first}'}; mend them, and run it again"
        )
    if done.copied.failed:
        return (
            f"{done.copied.failed:,} documents could not be copied, the first:"
            f" {done.copied.failures[0]}"
        )
    if done.verdict is not None and not done.verdict.passed:
        return f"index {done.new} finds less"
    return ""
