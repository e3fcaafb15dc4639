"""Which texts run together: sorted by length, cut by tokens, little padding. Pure."""

from __future__ import annotations

from collections.abc import Sequence

TOKENS_PER_RUN = 1024
MAX_PADDING = 0.1


def pack(
    lengths: Sequence[int],
    tokens_per_run: int = TOKENS_PER_RUN,
    max_padding: float = MAX_PADDING,
    most: int | None = None,
) -> list[list[int]]:
    """Groups text positions into runs of at most ``tokens_per_run`` padded tokens.

    Every position is in exactly one run; within a run the padding is at most ``max_padding`` of
    its tokens, and there are at most ``most`` texts. A text longer than the budget runs alone.
    """
    runs: list[list[int]] = []
    run: list[int] = []
    longest = used = 0
    for position in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        length = lengths[position]
        area = (len(run) + 1) * longest
        has_room = run and len(run) != most
        if has_room and area <= tokens_per_run and area - (used + length) <= max_padding * area:
            run.append(position)
            used += length
        else:
            run = [position]
            runs.append(run)
            longest = used = length
    return runs
