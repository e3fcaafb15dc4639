"""A contestant and its process, which stands still except while it encodes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .environments import python_of


@dataclass(frozen=True)
class Contestant:
    """One library with one way to run it."""

    name: str
    library: str
    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)

    def with_batch(self, batch: int) -> Contestant:
        """The same with another batch size than its default."""
        settings = {**self.settings, "batch_size": batch}
        return Contestant(f"{self.name}, batch {batch}", self.library, self.folder, settings)


class Worker:
    """A contestant's process; stopped except while it encodes."""

    def __init__(self, contestant: Contestant, log: Path) -> None:
        self.contestant = contestant
        self._log = log
        command = [
            str(python_of(contestant.library)),
            str(Path(__file__).with_name("worker.py")),
            contestant.library,
            str(contestant.folder),
            json.dumps(dict(contestant.settings)),
        ]
        quiet = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "true"}
        with log.open("w") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, **quiet},
            )
        self.versions: Mapping[str, str] = self._answer()["versions"]
        self._stand_still()

    def encode(self, texts: Sequence[str], save: Path | None = None) -> float:
        """Seconds for the texts; the vectors go to a file where one is named."""
        assert self._process.stdin
        self._process.send_signal(signal.SIGCONT)
        asked = {"texts": list(texts), "save": str(save) if save else None}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        seconds = float(self._answer()["seconds"])
        self._stand_still()
        return seconds

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()

    def _stand_still(self) -> None:
        """Stops the process; returns when all of its threads are stopped, or it has ended."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            reason = self._log.read_text().strip().rpartition("\n")[2]
            raise SystemExit(f"{self.contestant.name} ended: {reason}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def working(contestant: Contestant, scratch: Path) -> Iterator[Worker]:
    """A worker for as long as the block runs."""
    worker = Worker(contestant, scratch / f"{contestant.name.replace(' ', '-')}.log")
    try:
        yield worker
    finally:
        worker.close()
