"""How far encoding is, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown_progress(texts: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error; what it gives is told how many texts more are encoded."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Encoding", total=texts)
        yield lambda more: bar.advance(task, more)
