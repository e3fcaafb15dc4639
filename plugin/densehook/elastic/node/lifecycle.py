"""Starting and stopping the node, one at a time for each folder."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...errors import NodeError
from ...java import find_java
from . import state as states
from .state import NodeState, birth_of, default_home
from .user import NodeUser, node_user
from .versions import ELASTICSEARCH_VERSION, install

MINIMUM_JAVA = 17
_START_TIMEOUT_S = 180
_STOP_TIMEOUT_S = 30
_TELLING = re.compile(r"\[(ERROR|FATAL) *\]|^(ERROR|FATAL)|\b\w+(Exception|Error): ")

Progress = Callable[[str], None]


def start(
    version: str = ELASTICSEARCH_VERSION,
    home: Path | None = None,
    heap: str = "1g",
    settings: Mapping[str, str] | None = None,
    progress: Progress = lambda step: None,
) -> NodeState:
    """The node of this folder, started unless it runs; returns when it answers requests.

    ``heap`` is the JVM's, ``settings`` are further Elasticsearch settings. Raises NodeError with
    the line of the log that says why when it does not come up, JavaNotFound without a Java 17.
    """
    home = home or default_home()
    _make(home)
    with _alone(home):
        if (found := states.running(home)) is not None:
            return found
        java = find_java(MINIMUM_JAVA)
        user = node_user()
        user.require_access(home)
        distribution = install(version, home, progress)
        progress(f"Starting {version}")
        started = _launch(
            distribution, version, home, user, _environment(java, home, heap), settings
        )
        states.save(started)
        return started


def stop(home: Path | None = None) -> bool:
    """Ends this folder's node, by its pid; its data stays. Gives whether one was running."""
    home = home or default_home()
    if not home.is_dir():
        return False
    with _alone(home):
        found = states.running(home)
        if found is None:
            return False
        _end(found)
        states.forget(home)
        return True


def status(home: Path | None = None) -> NodeState | None:
    """The running node of this folder, or None."""
    return states.running(home or default_home())


def _make(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NodeError(
            f"{home} cannot be made: {error.strerror}; set DENSEHOOK_HOME to a folder you may write"
        ) from error


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Lets one caller at a time start or stop the node of a folder."""
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _environment(java: Path, home: Path, heap: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "ES_JAVA_HOME": str(java),
        "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap}",
        "ES_TMPDIR": str(home / "tmp"),
    }


def _launch(
    distribution: Path,
    version: str,
    home: Path,
    user: NodeUser,
    environment: Mapping[str, str],
    settings: Mapping[str, str] | None,
) -> NodeState:
    for name in ("data", "logs", "tmp"):
        (home / name).mkdir(exist_ok=True)
        user.own(home / name)
    user.own(distribution)
    http, transport = _free_ports(2)
    chosen = {
        "cluster.name": "densehook",
        "node.name": "densehook",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": str(http),
        "transport.port": str(transport),
        "path.data": str(home / "data"),
        "path.logs": str(home / "logs"),
        # the node is one person's: a disk nearly full is theirs to judge
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "xpack.security.enabled": "false",
        **(settings or {}),
    }
    pidfile = home / "tmp" / "pid"
    pidfile.unlink(missing_ok=True)
    command = [
        str(distribution / "bin" / "elasticsearch"),
        "--daemonize",
        "--pidfile",
        str(pidfile),
    ]
    command += [f"-E{key}={value}" for key, value in chosen.items()]
    output = home / "logs" / "launcher.log"
    with output.open("w") as sink:
        launcher = subprocess.Popen(
            command,
            cwd=distribution,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **user.popen(),
        )
        try:
            failed = launcher.wait(_START_TIMEOUT_S)
        except BaseException as error:  # a time-out or the user's Ctrl-C: nothing stays behind
            os.killpg(launcher.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise NodeError(
                    f"Elasticsearch did not start in {_START_TIMEOUT_S} s; see {output}"
                ) from None
            raise
    if failed:
        raise NodeError(f"Elasticsearch did not start: {_reason(output)}; see {home / 'logs'}")
    pid = int(pidfile.read_text())
    url = f"http://127.0.0.1:{http}"
    started = NodeState(url, pid, birth_of(pid) or "", version, home)
    _wait_until_it_answers(started)
    return started


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _wait_until_it_answers(node: NodeState) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and node.alive():
        try:
            urllib.request.urlopen(f"{node.url}/_cluster/health?wait_for_status=yellow", timeout=30)
        except urllib.error.HTTPError:
            return  # it answers: that it wants a password is the caller's to settle
        except OSError:
            time.sleep(0.2)
        else:
            return
    reason = _reason(node.log)
    _end(node)
    raise NodeError(f"Elasticsearch started and does not answer: {reason}; see {node.log}")


def _end(node: NodeState) -> None:
    for means in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        try:
            os.kill(node.pid, means)
        except ProcessLookupError:
            return
        while time.monotonic() < deadline:
            if not node.alive():
                return
            time.sleep(0.1)
    raise NodeError(f"process {node.pid} does not end; end it by hand: kill -9 {node.pid}")


def _reason(log: Path) -> str:
    """The line of a log that tells most: the first exception or error, else the last line."""
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    lines = [line.strip() for line in lines if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines[-1:] or ["it gave no reason"])[0]
