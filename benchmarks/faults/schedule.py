"""What breaks, and when: a value made of a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """How one request is treated on its way to the node.

    After ``delay`` seconds it is answered with ``status`` in the node's stead, where that is one;
    ``cut`` says where the connection ends: before the node has the request, after it has carried
    it out, or inside the answer.
    """

    delay: float = 0.0
    status: int = 0
    retry_after: str = ""
    cut: str = ""


@dataclass(frozen=True)
class Fault:
    """What breaks at the bulk request of this number, the schedule's first being 1.

    ``kind`` is one of KINDS; ``late`` says that the node has carried the request out by then.
    """

    kind: str
    at: int
    late: bool

    def __str__(self) -> str:
        return f"{self.kind} {'after' if self.late else 'before'} bulk {self.at}"


@dataclass(frozen=True)
class Schedule:
    """A feed's faults, and how it is asked to bear them.

    Where the ``clock_jumps``, the feeder's is set whenever it is read. ``rate`` is the share of all
    requests that meet a fault of their own besides.
    """

    seed: int
    faults: Sequence[Fault]
    checkpoint: str = "feed.json"
    patience: str = "2m"
    clock_jumps: bool = False
    rate: float = 0.0

    def __str__(self) -> str:
        told = [str(fault) for fault in self.faults]
        told += ["clock jumps"] if self.clock_jumps else []
        told += [f"{self.rate:.0%} of all requests"] if self.rate else []
        told += [f"checkpoint {self.checkpoint}", f"patience {self.patience}"]
        return f"seed {self.seed}: {', '.join(told)}"

    def noise(self, number: int) -> Answer:
        """How the request of this number is treated, where no fault of the schedule strikes."""
        drawn = random.Random(f"{self.seed}:{number}")
        if drawn.random() >= self.rate:
            return Answer()
        return NOISE[drawn.choice(sorted(NOISE))](drawn)


NOISE: Mapping[str, Callable[[random.Random], Answer]] = {
    "delayed": lambda drawn: Answer(delay=drawn.uniform(0.05, 0.5)),
    "429": lambda drawn: Answer(status=429, retry_after=drawn.choice(["", "0", "1"])),
    "503": lambda drawn: Answer(status=503),
    "cut before": lambda drawn: Answer(cut="before"),
    "cut after": lambda drawn: Answer(cut="after"),
    "cut inside": lambda drawn: Answer(cut="inside"),
}
"""What may happen to any request."""

KINDS = ("feeder killed", "node killed", "connections cut", "node busy", "disk full")
"""What may break at a bulk request."""


def schedule_of(seed: int, bulks: int, rate: float = 0.0, kinds: Sequence[str] = KINDS) -> Schedule:
    """The schedule of a seed, for a feed that sends so many bulk requests when it is left alone."""
    drawn = random.Random(seed)
    faults = [
        Fault(drawn.choice(kinds), drawn.randint(1, bulks), drawn.random() < 0.5)
        for _ in range(drawn.randint(1, 4))
    ]
    return Schedule(
        seed,
        sorted(faults, key=lambda fault: fault.at),
        drawn.choice(["feed.json", "index"]),
        drawn.choice(["2s", "2m"]),
        drawn.random() < 0.25,
        rate,
    )
