"""The server's process: waited for, ended by its own pid."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

from ..errors import NodeError
from .state import NodeState, birth_of, command_of

START_TIMEOUT_S = 180
_STOP_TIMEOUT_S = 30
_TELLING = (
    re.compile(r"insufficient memory"),  # the JVM says it below an exception that tells nothing
    re.compile(r"\[(ERROR|FATAL) *\]|^(ERROR|FATAL)\b"),
    re.compile(r"\w(Exception|Error): "),  # which may be of a mere warning's stack trace
)
_LOG_PREFIX = re.compile(r"^(\[[^]]*\] ?)+|^# ")  # [time][level][logger] [node]


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until_it_answers(node: NodeState, log_start: int) -> None:
    """Returns when the node has answered its first request.

    Raises NodeError with what the log says from byte ``log_start`` on when it does not.
    """
    # the node is on this very machine: a proxy named in the environment has no business with it
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and node.alive():
        try:
            direct.open(f"{node.url}/_cluster/health?wait_for_status=yellow", timeout=30).close()
        except urllib.error.HTTPError:
            return  # it answers: that it wants a password is the caller's to settle
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        else:
            return
    raise NodeError(
        f"Elasticsearch started and does not answer: {reason(node.log, log_start)}; see {node.log}"
    )


def end(node: NodeState) -> None:
    """Ends the process and waits until it is gone; by force when it does not heed.

    Raises NodeError when even that does not help.
    """
    for means in (signal.SIGTERM, signal.SIGKILL):
        if not node.alive():
            return
        try:
            os.kill(node.pid, means)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while time.monotonic() < deadline:
            if not node.alive():
                return
            time.sleep(0.1)
    raise NodeError(f"process {node.pid} does not end; end it by hand: kill -9 {node.pid}")


def leftover(home: Path) -> NodeState | None:
    """The server whose start was cut off before it was written down, if there is one.

    Its command line must name this folder: the pid in its file may be another process's by now.
    """
    try:
        pid = int(pidfile_of(home).read_text())
    except (OSError, ValueError):
        return None
    born, command = birth_of(pid), command_of(pid)
    if born is None or command is None or f"path.home={home}/" not in command:
        return None
    return NodeState(url="", pid=pid, born=born, version="", home=home)


def reason(log: Path, start: int = 0) -> str:
    """The line of a log that tells most: the first error, else exception, else the last line.

    Only what was written from byte ``start`` on counts; a log begun anew meanwhile counts whole.
    """
    content = log.read_bytes() if log.is_file() else b""
    fresh = content[start:] if len(content) >= start else content
    lines = [line.strip() for line in fresh.decode(errors="replace").splitlines() if line.strip()]
    lines = [line for line in lines if "[WARN" not in line] or lines
    telling = [line for pattern in _TELLING for line in lines if pattern.search(line)]
    found = (telling or lines[-1:] or ["it gave no reason"])[0]
    return _LOG_PREFIX.sub("", found) or found


def pidfile_of(home: Path) -> Path:
    """Where the pid of a server is before it is written down with its address."""
    return home / "tmp" / "pid"
