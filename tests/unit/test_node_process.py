"""A process is ended only when it is the node's, and a log gives the one line that tells."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from densehook import node
from densehook.errors import NodeError
from densehook.node import NodeState, process
from densehook.node.state import birth_of

_UP_AND_WAITING = "print('up', flush=True); import time; time.sleep(60)"
Children = list[subprocess.Popen[bytes]]


@pytest.fixture
def children() -> Iterator[Children]:
    started: Children = []
    yield started
    for child in started:
        child.kill()
        child.wait()


def run(children: Children, program: str, *arguments: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", f"{program}\n{_UP_AND_WAITING}", *arguments],
        stdout=subprocess.PIPE,
    )
    children.append(child)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def state_of(child: subprocess.Popen[bytes], home: Path) -> NodeState:
    return NodeState("http://127.0.0.1:9", child.pid, birth_of(child.pid) or "", "8.19.21", home)


def test_ports_are_free_and_differ() -> None:
    ports = process.free_ports(8)
    assert len(set(ports)) == 8
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_a_process_that_heeds_is_asked_not_killed(children: Children, tmp_path: Path) -> None:
    child = run(children, "")
    process.end(state_of(child, tmp_path))
    assert child.wait() == -signal.SIGTERM


def test_a_process_that_does_not_heed_is_killed(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_STOP_TIMEOUT_S", 0.3)
    child = run(children, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    process.end(state_of(child, tmp_path))
    assert child.wait() == -signal.SIGKILL


def test_a_process_of_another_birth_is_not_ended(children: Children, tmp_path: Path) -> None:
    child = run(children, "")
    process.end(NodeState("", child.pid, "another birth", "8.19.21", tmp_path))
    time.sleep(0.1)
    assert child.poll() is None


def test_a_server_whose_start_was_cut_off_is_ended_and_a_stranger_with_its_pid_is_not(
    children: Children, tmp_path: Path
) -> None:
    home = tmp_path / "my home"
    (home / "tmp").mkdir(parents=True)
    server = run(children, "", f"-Des.path.home={home}/elasticsearch-8.19.21")
    (home / "tmp" / "pid").write_text(str(server.pid))
    assert node.stop(home)
    assert server.wait() == -signal.SIGTERM

    stranger = run(children, "", f"-Des.path.home={tmp_path}/elsewhere/elasticsearch-8.19.21")
    (home / "tmp" / "pid").write_text(str(stranger.pid))
    assert not node.stop(home)
    time.sleep(0.1)
    assert stranger.poll() is None


def test_a_node_that_dies_before_it_answers_gives_the_last_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    gone = NodeState("http://127.0.0.1:9", os.getpid(), "another birth", "8.19.21", tmp_path)
    gone.log.write_text("java.io.IOException: last week\n")
    start = gone.log.stat().st_size
    with gone.log.open("a") as log:
        log.write("[now][ERROR][o.e.Node ] [densehook] the disk is on fire\n")
    with pytest.raises(
        NodeError, match=r"does not answer: the disk is on fire; see .*densehook\.log"
    ):
        process.wait_until_it_answers(gone, start)


@pytest.mark.parametrize("status", [200, 401, 408])
def test_any_answer_is_an_answer_and_no_proxy_is_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(process, "START_TIMEOUT_S", 2)
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        born = birth_of(os.getpid()) or ""
        process.wait_until_it_answers(NodeState(url, os.getpid(), born, "8.19.21", tmp_path), 0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "it gave no reason"),
        ("[t][INFO ][o] [n] starting\n[t][INFO ][o] [n] closed\n", "closed"),
        ("[t][WARN ][o] [n] x.OddException: no harm\n[t][ERROR][o] [n] the reason\n", "the reason"),
        (
            "[t][WARN ][o] [n] no native access\njava.lang.ExceptionInInitializerError: null\n"
            "[t][ERROR][o] [n] fatal exception while booting: it\n",
            "fatal exception while booting: it",
        ),
        ("noise\njava.io.IOException: broken\n\tat a.b.C\n", "java.io.IOException: broken"),
        (
            "java.lang.RuntimeException: starting java failed with [1]\noutput:\n#\n"
            "# There is insufficient memory for the Java Runtime Environment to continue.\n",
            "There is insufficient memory for the Java Runtime Environment to continue.",
        ),
    ],
)
def test_of_a_log_the_line_that_tells_most_is_given(
    tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "log").write_text(content)
    assert process.reason(tmp_path / "log") == told


def test_a_log_begun_anew_counts_whole(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("[t][ERROR][o] [n] today\n")
    assert process.reason(tmp_path / "log", start=10_000) == "today"
