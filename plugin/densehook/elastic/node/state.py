"""Which node runs: its folder, and the process that is really it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NodeState:
    """A running node.

    ``born`` is when its process began, as the system tells it, so that another process with a
    recycled pid is not mistaken for it.
    """

    url: str
    pid: int
    born: str
    version: str
    home: Path

    @property
    def data(self) -> Path:
        """Folder of the indices."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.home / "logs" / "densehook.log"

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return birth_of(self.pid) == self.born


def default_home() -> Path:
    """$DENSEHOOK_HOME, else the user's data folder, or for root one that others can search.

    Elasticsearch refuses to run as root, and another user cannot enter root's own folder.
    """
    if named := os.environ.get("DENSEHOOK_HOME"):
        return Path(named).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/densehook")
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "densehook"


def save(state: NodeState) -> None:
    """Writes HOME/node.json."""
    content = {"url": state.url, "pid": state.pid, "born": state.born, "version": state.version}
    _file(state.home).write_text(json.dumps(content) + "\n")


def running(home: Path) -> NodeState | None:
    """The node of this folder while its process lives; a stale node.json is removed."""
    try:
        state = NodeState(**json.loads(_file(home).read_text()), home=home)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):  # not ours to trust
        state = None
    if state is not None and state.alive():
        return state
    forget(home)
    return None


def forget(home: Path) -> None:
    """Removes HOME/node.json."""
    _file(home).unlink(missing_ok=True)


def birth_of(pid: int) -> str | None:
    """When the process began, in a form only good for comparing; None when there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # the name, in parentheses, may hold blanks; state is the 1st field behind it, the
            # start time the 20th
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip() or None


def _file(home: Path) -> Path:
    return home / "node.json"
