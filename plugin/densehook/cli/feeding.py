"""What commands that feed an index share: failures shown and kept, and what was done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from ..errors import CollectionError
from .console import note, out

if TYPE_CHECKING:
    from ..encode import Encoder
    from ..ingest import Checkpoint, Failure, FeedReport
    from ..types import EncodeStats

_FAILURES_SHOWN = 10


def is_read(path: Path, source: str) -> bool:
    """Whether a file is the source, or may be read with that folder or pattern the next time."""
    path, given = path.resolve(), Path(source).resolve()
    within = given.is_dir() and given in path.parents
    return within or path == given or path.match(str(given))


class Refused:
    """Shows the first failures and writes all of them where the user asked, in a ``with``."""

    def __init__(self, path: Path | None, checkpoint: Checkpoint | None = None) -> None:
        """What ``checkpoint`` has noted stays in the file; what came behind will come again."""
        self._path = path
        self._checkpoint = checkpoint
        self._file: TextIO | None = None
        self._shown = 0

    def __enter__(self) -> Self:
        if self._path is not None:
            with _writing(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                # a lone surrogate becomes the escape that JSON has for it
                self._file = self._path.open("a", encoding="utf-8", errors="backslashreplace")
                kept = 0 if self._checkpoint is None else self._checkpoint.letters
                if self._length() < kept:
                    raise CollectionError(
                        f"{self._path} has lost letters that the checkpoint counts; delete the"
                        " checkpoint to begin anew, with --replace"
                    )
                self._file.truncate(kept)
        if self._checkpoint is not None:
            self._checkpoint.length_of_letters = self._length
        return self

    def __exit__(self, *error: object) -> None:
        if self._path is not None and self._file is not None:
            with _writing(self._path):
                self._file.close()

    def _length(self) -> int:
        """Bytes in the file, all of them on the disk."""
        if self._file is None:
            return 0
        self._file.flush()
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def add(self, failure: Failure) -> None:
        """Takes note of one more."""
        self._shown += 1
        if self._shown <= _FAILURES_SHOWN:
            note(str(failure))
        elif self._shown == _FAILURES_SHOWN + 1:
            note("… more; --failures FILE writes them all" if self._file is None else "…")
        if self._path is not None and self._file is not None:
            with _writing(self._path):
                self._file.write(failure.letter() + "\n")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Raises CollectionError where the block cannot write the file."""
    try:
        yield
    except OSError as error:
        raise CollectionError(f"{path} cannot be written: {error.strerror or error}") from error


def print_report(index: str, report: FeedReport, encoder: Encoder | None) -> None:
    """What a feed did, as far as there is something to say of it."""
    out.print(f"indexed {report.indexed:,} documents into {index}, {report.failed:,} failed")
    if report.reused:
        out.print(f"{report.reused:,} have the vector that was there already, of the same text")
    if report.brought:
        out.print(f"{report.brought:,} brought a vector of their own")
    if encoder is not None or report.indexed > report.brought + report.without_text:
        print_cut(report.in_cluster if encoder is None else report.encoded, encoder)
    for name, count in report.missing.items():
        if count >= report.indexed + report.failed > 0:
            out.print(f"no document has the input field {name}; is it called otherwise?")
        else:
            out.print(f"{count:,} have nothing in the input field {name}")
    if report.without_text:
        out.print(f"{report.without_text:,} have no text at all, and so no vector")
    if report.unrefreshed:
        note(
            f"the index could not be refreshed ({report.unrefreshed}); the last documents can be"
            " found when it has refreshed itself"
        )


def print_cut(stats: EncodeStats | None, encoder: Encoder | None) -> None:
    """How many texts were longer than the encoder reads, or a rule allows, if that is known."""
    if stats is None:
        note(
            "how many texts were longer than the encoder reads is not known: the cluster does not"
            " say (it takes the privilege monitor, and nodes that stay)"
        )
    elif stats.truncated_texts:
        lost = stats.lost_tokens / (stats.tokens + stats.lost_tokens)
        limit = "the encoder reads" if encoder is None else f"{encoder.manifest.max_tokens} tokens"
        by = " (counted by the cluster, over all clients)" if encoder is None else ""
        out.print(
            f"{stats.truncated_texts:,} are longer than {limit}:"
            f" {stats.lost_tokens:,} tokens ({lost:.0%}) were not encoded{by}"
        )
    if stats is not None and stats.short_texts:
        out.print(
            f"{stats.short_texts:,} have more chunks than max_chunks: what is behind the last was"
            " not encoded"
        )
