"""What the terminal shows while something goes on: spinners and bars, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..files import Meter
from .console import err


@contextmanager
def steps(what: str) -> Iterator[Callable[[str], None]]:
    """A spinner with the running time; call the function given with each new step."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def step(name: str) -> None:
            progress.update(task, description=f"{what}: {name[:1].lower()}{name[1:]}")

        yield step


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar; call the function given with the number done."""
    with bars() as show:
        yield lambda done: show(what, done, total)


@contextmanager
def reading_bar(what: str, meter: Meter) -> Iterator[Callable[[int], None]]:
    """A bar of the bytes read; call the function given with the number of documents done."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TextColumn("{task.fields[done]:,} documents"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=meter.total, done=0)
        yield lambda done: progress.update(task, completed=meter.read, total=meter.total, done=done)


@contextmanager
def bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """Several progress bars, each begun when its label is first named."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks = {}

        def show(label: str, done: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(label, total=total)
            progress.update(tasks[label], completed=done, total=total)

        yield show
