"""Which node runs: its folder, and the process that is really it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..errors import NodeError


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
        """Folder of the indices; each major version has its own, none opens a later one's."""
        return self.home / data_folder(self.version)

    @property
    def config(self) -> Path:
        """The server's config folder; encoder bundles lie in its densehook/."""
        return self.home / f"elasticsearch-{self.version}" / "config"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.home / "logs" / "densehook.log"

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return birth_of(self.pid) == self.born


def data_folder(version: str) -> str:
    """Name of the folder of a version's indices."""
    return f"data-{version.partition('.')[0]}"


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
    """Writes HOME/node.json, at once: who reads it meanwhile sees the old one or the new."""
    content = {"url": state.url, "pid": state.pid, "born": state.born, "version": state.version}
    unfinished = state.home / "node.json.new"
    unfinished.write_text(json.dumps(content) + "\n")
    unfinished.replace(_file(state.home))


def running(home: Path) -> NodeState | None:
    """The node of this folder while its process lives; only looks, so it needs no lock.

    Raises NodeError when the folder may not be read.
    """
    state = _parse(home)
    return state if state is not None and state.alive() else None


def forget(home: Path) -> None:
    """Removes HOME/node.json; for the holder of the folder's lock."""
    _file(home).unlink(missing_ok=True)


def birth_of(pid: int) -> str | None:
    """When the process began, in a form only good for comparing; None when there is none."""
    if Path("/proc/self/stat").exists():
        try:
            # the name, in parentheses, may hold blanks; state is the 1st field behind it, the
            # start time the 20th
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    return _ps("lstart", pid)


def command_of(pid: int) -> str | None:
    """The process's command line, its arguments apart by blanks; None when there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            return None
    return _ps("command", pid)


def _ps(column: str, pid: int) -> str | None:
    command = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or None


def _file(home: Path) -> Path:
    return home / "node.json"


def _parse(home: Path) -> NodeState | None:
    try:
        content = json.loads(_file(home).read_text())
        return NodeState(
            url=str(content["url"]),
            pid=int(content["pid"]),
            born=str(content["born"]),
            version=str(content["version"]),
            home=home,
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise NodeError(
            f"{_file(home)} cannot be read: {error.strerror}; set DENSEHOOK_HOME to a folder of"
            " yours"
        ) from error
    except (ValueError, TypeError, KeyError):  # damaged: it names no node
        return None
