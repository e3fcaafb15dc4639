"""Starting and stopping the node, one at a time for each folder."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import NodeError
from ..java import find_java
from . import launching, process
from . import state as states
from .plugins import add_bundles, add_plugins, missing_plugins
from .releases import Release, default_version, release_of
from .state import NodeState, birth_of, data_folder, default_home
from .user import NodeUser, node_user

_HEAP = re.compile(r"\d+[kKmMgG]")

Progress = Callable[[str], None]


def start(
    version: str | None = None,
    home: Path | None = None,
    heap: str = "1g",
    settings: Mapping[str, str] | None = None,
    plugins: Sequence[Path] = (),
    bundles: Sequence[Path] = (),
    progress: Progress = lambda step: None,
) -> NodeState:
    """The node of this folder, started unless it runs; returns when it answers requests.

    ``version`` is by default one that the installed client talks to. ``heap`` is the JVM's, as -Xmx
    takes it, and $ES_JAVA_OPTS has further options; ``settings`` are further Elasticsearch
    settings, ``plugins`` zips to install, ``bundles`` encoders for config/densehook, which a node
    that runs takes up when it is told to. Raises NodeError with the line of the log that says why
    when it does not come up, or when what runs is another version or has other plugins;
    JavaNotFound.
    """
    if not _HEAP.fullmatch(heap):
        raise NodeError(f"{heap!r} is no heap size; write it like 1g or 512m")
    version = version or default_version()
    release = release_of(version)
    home = (home or default_home()).absolute()
    user = node_user()
    user.make(home)
    with _alone(home):
        wanted = missing_plugins(release, home, plugins)
        if (found := states.running(home)) is not None:
            _require_as_wanted(found, release, wanted)
            add_bundles(release, home, bundles, user)
            return found
        _clear(home)
        java = find_java(release.minimum_java, release.java_program)
        user.require_access(home, "set DENSEHOOK_HOME to a folder that others may search")
        user.require_access(java / "bin", "set JAVA_HOME to a JDK that others may run")
        distribution = release.install(home, java, progress)
        if not launching.add_root(version, distribution):
            progress("There is no JDK, so GET / is not answered")
        _give_folders(home, distribution, release, user)
        environment = _environment(java, home, heap)
        if wanted:
            progress(f"Installing {', '.join(wanted)}")
        add_plugins(release, home, wanted, user, environment)
        add_bundles(release, home, bundles, user)
        progress(f"Starting {version}")
        chosen = _settings(home, release, settings or {})
        log_start = _log_size(home)
        pid = release.launch(distribution, home, user, environment, chosen)
        url = f"http://127.0.0.1:{chosen['http.port']}"
        started = NodeState(url, pid, birth_of(pid) or "", version, home)
        with _ended_unless_it_comes_up(started):
            process.wait_until_it_answers(started, log_start)
            states.save(started)
        return started


def _require_as_wanted(running: NodeState, release: Release, wanted: Mapping[str, Path]) -> None:
    if running.version != release.version:
        raise NodeError(
            f"Elasticsearch {running.version} runs in {running.home}, not {release.version}; stop"
            " it first: densehook es stop"
        )
    if wanted:
        raise NodeError(
            f"the running Elasticsearch has another or no plugin {', '.join(wanted)}; stop it"
            " first, so that it can be installed: densehook es stop"
        )


def stop(home: Path | None = None) -> bool:
    """Ends this folder's node, by its pid; its data stays. Gives whether one was running."""
    home = (home or default_home()).absolute()
    if not home.is_dir():
        return False
    with _alone(home):
        found = states.running(home)
        if found is not None:
            process.end(found)
        return _clear(home) or found is not None


def status(home: Path | None = None) -> NodeState | None:
    """The running node of this folder, or None. Raises NodeError when it may not be looked at."""
    return states.running((home or default_home()).absolute())


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Lets one caller at a time start or stop the node of a folder."""
    try:
        with (home / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise NodeError(
            f"{error.filename or home}: {error.strerror or error}; DENSEHOOK_HOME must be a folder"
            " of yours with room on its disk"
        ) from error


def _clear(home: Path) -> bool:
    """Removes a stale node.json, ends a server whose start was cut off; gives whether one was."""
    states.forget(home)
    unrecorded = process.leftover(home)
    if unrecorded is not None:
        process.end(unrecorded)
    return unrecorded is not None


def _give_folders(home: Path, distribution: Path, release: Release, user: NodeUser) -> None:
    for name in (data_folder(release.version), "logs", "tmp"):
        (home / name).mkdir(exist_ok=True)
        user.own(home / name)
    user.own(distribution)


def _environment(java: Path, home: Path, heap: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "ES_JAVA_HOME": str(java),
        "ES_JAVA_OPTS": f"{os.environ.get('ES_JAVA_OPTS', '')} -Xms{heap} -Xmx{heap}".strip(),
        "ES_TMPDIR": str(home / "tmp"),
    }


def _settings(home: Path, release: Release, further: Mapping[str, str]) -> dict[str, str]:
    http, transport = process.free_ports(2)
    return {
        "cluster.name": "densehook",
        "node.name": "densehook",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": str(http),
        "transport.port": str(transport),
        "path.data": str(home / data_folder(release.version)),
        "path.logs": str(home / "logs"),
        # the node is one person's: a disk nearly full is theirs to judge
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        **release.settings,
        **further,
    }


def _log_size(home: Path) -> int:
    log = home / "logs" / "densehook.log"
    return log.stat().st_size if log.is_file() else 0


@contextmanager
def _ended_unless_it_comes_up(node: NodeState) -> Iterator[None]:
    try:
        yield
    except BaseException:  # Ctrl-C too: nobody would know of the node
        process.end(node)
        raise
