"""A feed that is run again and again, by one command, until it says that nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from densehook.bundle import Bundle
from densehook.elastic.checkpoints import forget_checkpoints
from densehook.elastic.indices import create_index, delete_index

from .proxy import Proxy
from .schedule import Answer, Fault, Schedule
from .world import Held, World, held_by

_RUNS = 60
_RUN_S = 300
_BUSY_REQUESTS = 4
_STOPPED = 75
_LAST_BITS = 1e-6


@dataclass
class Outcome:
    """What a feed left, and how often the command was run for it."""

    held: Held
    letters: str
    runs: int
    bulks: int
    struck: Counter[str] = field(default_factory=Counter)

    def farthest(self, alone: Outcome) -> float:
        """The largest difference of a number in a vector from one of a feed left alone."""
        return self.held.farthest(alone.held)

    def wrong(self, alone: Outcome) -> dict[str, int]:
        """How many documents are not what a feed that was left alone made of them."""
        theirs, ours = alone.held.documents, self.held.documents
        return {
            "lost": len(theirs.keys() - ours.keys()),
            "not in the source": len(ours.keys() - theirs.keys()),
            "doubled": self.held.doubled,
            "without a vector": self.held.without_vector,
            "otherwise": sum(ours[i] != theirs[i] for i in ours.keys() & theirs.keys()),
        }

    def unlike(self, alone: Outcome, tolerance: float) -> list[str]:
        """The same in words, with what is wrong with the letters, and with vectors."""
        told = [f"{count} documents {what}" for what, count in self.wrong(alone).items() if count]
        if (farthest := self.farthest(alone)) > tolerance:
            told.append(f"vectors differ by up to {farthest:.1e}")
        ours, theirs = (set(each.letters.splitlines()) for each in (self, alone))
        told += [f"a letter more: {line[:300]}" for line in sorted(ours - theirs)[:2]]
        told += [f"a letter less: {line[:300]}" for line in sorted(theirs - ours)[:2]]
        return told or (["letters in another order"] if self.letters != alone.letters else [])


class FeedFailed(Exception):
    """A feed ended as none may, or not at all."""


@dataclass(frozen=True)
class Feeding:
    """What is fed, by which encoder, into which world; ``in_node`` that encodes."""

    world: World
    corpus: Path
    bundle: Bundle
    inputs: Sequence[str]
    in_node: bool = False

    @property
    def tolerance(self) -> float:
        """How far vectors may differ from those of a feed left alone.

        A feed encodes the same texts together however often it is run. A node encodes what comes
        together, less of it where a request is sent again, and sums of other batches have other
        last bits.
        """
        return _LAST_BITS if self.in_node else 0.0

    def run(self, schedule: Schedule) -> Outcome:
        """Feeds an index of the schedule's own while its faults strike. Raises FeedFailed."""
        index = f"feed-{schedule.seed}"
        client = self.world.mended()
        manifest = self.bundle.manifest
        create_index(client, index, manifest, inputs=self.inputs, in_cluster=self.in_node)
        striking = _Striking(self.world, schedule)
        with (
            tempfile.TemporaryDirectory() as scratch,
            Proxy(lambda: self.world.url, striking.treat, striking.carried_out) as proxy,
        ):
            runs = 1
            while not self._ran(index, schedule, Path(scratch), proxy.url, striking):
                runs += 1
                if runs > _RUNS:
                    raise FeedFailed(f"{schedule}: it is not done after {_RUNS} runs")
            client = self.world.mended()
            held = held_by(client, index)
            letters = (Path(scratch) / "dead.jsonl").read_text()
        delete_index(client, index)
        forget_checkpoints(client, index)
        return Outcome(held, letters, runs, striking.bulks, striking.struck)

    def _ran(
        self, index: str, schedule: Schedule, folder: Path, url: str, striking: _Striking
    ) -> bool:
        """Runs the command once; whether it said that all is done."""
        jumping = ["benchmarks.faults.jumping", str(schedule.seed)]
        program = jumping if schedule.clock_jumps else ["densehook"]
        command = [sys.executable, "-m", *program, "ingest", index, str(self.corpus), "--url", url]
        command += [] if self.in_node else ["--encoder", str(self.bundle.path)]
        command += ["--failures", "dead.jsonl"]
        command += ["--checkpoint", schedule.checkpoint, "--patience", schedule.patience]
        with striking.feeder(command, folder) as feeder:
            try:
                out, err = feeder.communicate(timeout=_RUN_S)
            except subprocess.TimeoutExpired:
                feeder.kill()
                raise FeedFailed(f"{schedule}: a run took over {_RUN_S} s") from None
        if "indexed " in out or "nothing is left" in out:
            return True
        if feeder.returncode == _STOPPED:
            striking.struck["stopped by itself"] += 1
        elif feeder.returncode not in (1, -9):
            raise FeedFailed(f"{schedule}: exit code {feeder.returncode}: {out}{err}")
        elif feeder.returncode == 1 and not _is_the_clusters(err):
            raise FeedFailed(f"{schedule}: {err}")
        return False


def _is_the_clusters(line: str) -> bool:
    """Whether a feed did not begin since the cluster was not there."""
    return "nothing answers at" in line or " refused: 429" in line or " refused: 503" in line


class _Striking:
    """Lets a schedule's faults strike at the bulk requests they are for."""

    def __init__(self, world: World, schedule: Schedule) -> None:
        self.struck: Counter[str] = Counter()
        self._world = world
        self._schedule = schedule
        self._feeder: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.bulks = 0
        self._late: dict[int, list[Fault]] = {}
        self._busy = 0

    @contextmanager
    def feeder(self, command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
        """The process that may be killed, in the ``with``."""
        with subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as self._feeder:
            yield self._feeder

    def treat(self, number: int, path: str) -> Answer:
        """How a request is treated; faults that come before it strike now."""
        with self._lock:
            faults = self._due(number) if path.partition("?")[0].endswith("/_bulk") else []
            for fault in faults:
                if fault.late:
                    self._late.setdefault(number, []).append(fault)
                else:
                    self._strike(fault)
            if faults:
                cut = [fault.late for fault in faults if fault.kind == "connections cut"]
                return Answer(cut="after" if cut[0] else "before") if cut else Answer()
            if self._busy:
                self._busy -= 1
                return Answer(status=429 if self._busy % 2 else 503)
        return self._schedule.noise(number)

    def carried_out(self, number: int) -> None:
        """Faults that come after a request strike."""
        with self._lock:
            for fault in self._late.pop(number, []):
                self._strike(fault)

    def _due(self, number: int) -> list[Fault]:
        self.bulks += 1
        return [fault for fault in self._schedule.faults if fault.at == self.bulks]

    def _strike(self, fault: Fault) -> None:
        self.struck[fault.kind] += 1
        if fault.kind == "feeder killed" and self._feeder is not None:
            with suppress(ProcessLookupError):
                self._feeder.kill()
        elif fault.kind == "node killed":
            self._world.kill()
        elif fault.kind == "disk full":
            self._world.fill_disk()
        elif fault.kind == "node busy":
            self._busy = _BUSY_REQUESTS
