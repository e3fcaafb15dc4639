"""What a migration did, as its commands print it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from .console import note, out
from .feeding import print_cut

if TYPE_CHECKING:
    from ..migration import Migrated


def print_migrated(alias: str, done: Migrated, rollback: bool) -> None:
    """What was done, and what may be done next. Raises Exit where the alias stayed."""
    if done.stream:
        _print_stream(done, rollback)
    else:
        _print(alias, done, rollback)


def _print(alias: str, done: Migrated, rollback: bool) -> None:
    """As ``print_migrated``, of an index behind an alias."""
    copied = done.copied
    if done.from_files is not None:
        read = done.from_files
        out.print(f"{done.new}: {read.indexed:,} documents read from files, {read.failed:,} failed")
        print_cut(read.encoded, None)
    since = " that were written since" if rollback else ""
    out.print(
        f"{done.new}: {copied.written:,} documents copied{since}, {copied.deleted:,} deleted,"
        f" {copied.failed:,} failed"
    )
    print_cut(copied.encoded, None)
    _print_verdict(alias, done, rollback)
    out.print(
        f"{', '.join(done.aliases)} moved from {done.old} to {done.new}; for"
        f" {1000 * done.blocked_s:,.0f} ms nothing could be written"
    )
    if done.renamed is not None:
        before, now = done.renamed
        out.print(f"vectors are in field {now} now: searches that name {before} find nothing there")
    if done.templates:
        out.print(f"index template {', '.join(done.templates)}: its next index is like {done.new}")
    for each in done.others:
        note(f"{each} makes indices like {done.old}; it is as it was: change it by hand")
    if rollback and copied.written:
        out.print(f"those without a vector get one by: densehook embed {alias}")
    if not rollback:
        out.print(f"back: densehook migrate {alias} --rollback; {done.old} is kept until --finish")


def _print_stream(done: Migrated, rollback: bool) -> None:
    """As ``print_migrated``, of a data stream."""
    if done.copied.written or done.copied.failed:
        copied, failed = done.copied.written, done.copied.failed
        out.print(f"{copied:,} documents copied to be measured, {failed:,} failed")
    print_cut(done.copied.encoded, None)
    _print_verdict(done.stream, done, rollback)
    out.print(f"{done.stream} is rolled over: {done.new} is written to now, after {done.old}")
    out.print(f"index template {', '.join(done.templates)}: the next indices are like {done.new}")
    if done.renamed is not None:
        before, now = done.renamed
        out.print(f"vectors are in field {now} from then on, in earlier indices in {before}")
    if not rollback:
        out.print(
            f"earlier indices keep their vectors, and are searched with it; back: densehook migrate"
            f" {done.stream} --rollback"
        )


def _print_verdict(alias: str, done: Migrated, rollback: bool) -> None:
    """How well it finds, and why nothing moved, if so; raises Exit then."""
    if done.verdict is not None:
        out.print(str(done.verdict))
    if done.refused:
        out.print(f"{alias} stays with {done.old}: {done.refused}")
        if not rollback:
            out.print(
                f"index {done.new} is kept for a look; densehook migrate {alias} --abort deletes it"
            )
        raise typer.Exit(1)
