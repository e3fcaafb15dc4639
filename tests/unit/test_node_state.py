"""Only the node's own process is taken for the node, and what stops a start is one line."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from densehook import node
from densehook.errors import JavaNotFound, NodeError
from densehook.node import NodeState, distribution
from densehook.node.releases import release_of
from densehook.node.state import birth_of, default_home, running, save
from densehook.node.user import NodeUser


def state_of(pid: int, home: Path, born: str | None = None) -> NodeState:
    return NodeState("http://127.0.0.1:1", pid, born or birth_of(pid) or "", "8.19.21", home)


def test_a_saved_state_reads_back_while_the_process_lives(tmp_path: Path) -> None:
    state = state_of(os.getpid(), tmp_path)
    save(state)
    assert running(tmp_path) == state


def test_a_recycled_pid_is_not_the_node(tmp_path: Path) -> None:
    save(state_of(os.getpid(), tmp_path, born="some other process"))
    assert running(tmp_path) is None
    assert not node.stop(tmp_path)  # nobody was ended: this test goes on
    assert not (tmp_path / "node.json").exists()  # and the stale file is gone


def test_a_process_that_is_gone_is_not_the_node(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    save(state_of(process.pid, tmp_path))
    assert running(tmp_path) is not None
    process.kill()
    process.wait()
    assert running(tmp_path) is None


def test_a_zombie_is_not_the_node(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    state = state_of(process.pid, tmp_path)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet reaped
    assert not state.alive()
    process.wait()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x"}', json.dumps({"zzz": 1})])
def test_a_damaged_state_file_is_no_node(tmp_path: Path, content: str) -> None:
    (tmp_path / "node.json").write_text(content)
    assert node.status(tmp_path) is None


def test_looking_never_removes_what_a_start_is_just_writing(tmp_path: Path) -> None:
    save(state_of(os.getpid(), tmp_path, born="some other process"))
    assert node.status(tmp_path) is None
    assert (tmp_path / "node.json").exists()


def test_a_home_that_is_no_folder_of_ones_own_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert node.status(tmp_path / "file") is None
    with pytest.raises(NodeError, match=r"file/home cannot be made: .*; set DENSEHOOK_HOME"):
        node.start(home=tmp_path / "file" / "home")
    (tmp_path / "home" / "lock").mkdir(parents=True)
    with pytest.raises(NodeError, match="lock: Is a directory; DENSEHOOK_HOME must be"):
        node.start(home=tmp_path / "home")
    (tmp_path / "home" / "node.json").mkdir()
    with pytest.raises(NodeError, match=r"node\.json cannot be read: .*; set DENSEHOOK_HOME"):
        node.status(tmp_path / "home")


@pytest.mark.parametrize("heap", ["lots", "1g -version", "", "-1g", "1"])
def test_a_heap_that_is_no_size_is_refused_before_anything_is_done(
    tmp_path: Path, heap: str
) -> None:
    with pytest.raises(NodeError, match="is no heap size; write it like 1g"):
        node.start(home=tmp_path / "home", heap=heap)
    assert list(tmp_path.iterdir()) == []


def test_the_home_can_be_named_and_may_hold_blanks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENSEHOOK_HOME", str(tmp_path / "my node"))
    assert default_home() == tmp_path / "my node"


def test_roots_own_folder_is_never_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DENSEHOOK_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not default_home().is_relative_to(Path("/root"))


def test_missing_maven_is_one_line_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeError, match=r"Maven is not installed.*apt-get install maven"):
        install(tmp_path, lambda step: None)
    assert list(tmp_path.iterdir()) == []


def test_missing_java_is_one_line_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from densehook import java

    (tmp_path / "old" / "bin").mkdir(parents=True)
    (tmp_path / "old" / "bin" / "java").write_text("#!/bin/sh\n")
    (tmp_path / "old" / "bin" / "java").chmod(0o755)
    (tmp_path / "old" / "release").write_text('JAVA_VERSION="11.0.2"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(java, "JVM_FOLDERS", ())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(JavaNotFound, match=r"Java 17 or newer is needed.*11.*install") as caught:
        node.start(home=tmp_path / "home")
    assert "\n" not in str(caught.value)


def test_an_unknown_version_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"'7\.0\.0' is not supported; it is one of 8\.18\.x"):
        release_of("7.0.0")


def test_maven_that_finds_nothing_gives_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho '[ERROR] Could not find artifact'\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NodeError, match=r"Maven cannot fetch .*: Could not find artifact"):
        install(tmp_path / "home", lambda step: None)
    assert not (tmp_path / "home" / "elasticsearch-8.19.21").exists()


def install(home: Path, progress: Callable[[str], None]) -> Path:
    return release_of("8.19.21").install(home, Path("no-java"), progress)


def fake_maven(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a ``mvn`` first on PATH that runs the script in the output folder."""
    folder.mkdir()
    (folder / "mvn").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_an_archive_is_unpacked_whole_with_its_executables_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        program = zipfile.ZipInfo("elasticsearch-8.19.21/bin/elasticsearch")
        program.external_attr = 0o100755 << 16
        archive.writestr(program, "#!/bin/sh\n")
    fake_maven(tmp_path / "bin", f"cp '{tmp_path}/whole.zip' elasticsearch.zip", monkeypatch)
    home = tmp_path / "my home"
    killed = home / ".elasticsearch-8.19.21-killed"
    killed.mkdir(parents=True)

    target = install(home, lambda step: None)
    assert os.access(target / "bin" / "elasticsearch", os.X_OK)
    assert list(home.iterdir()) == [target]  # what an install that was killed left is gone too
    steps: list[str] = []
    assert install(home, steps.append) == target
    assert steps == []


def test_a_damaged_archive_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_maven(tmp_path / "bin", "echo half > elasticsearch.zip", monkeypatch)
    with pytest.raises(NodeError, match=r"elasticsearch\.zip from Maven is damaged: .*; remove"):
        install(tmp_path / "home", lambda step: None)
    assert list((tmp_path / "home").iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(archive: Path, folder: Path) -> None:
        (folder / "half").write_text("")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    fake_maven(tmp_path / "bin", "touch elasticsearch.zip", monkeypatch)
    monkeypatch.setattr(distribution, "_unpack", full)
    with pytest.raises(NodeError, match="cannot be written: No space left on device"):
        install(tmp_path / "home", lambda step: None)
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the node as another user")
def test_a_folder_the_nodes_user_cannot_enter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "home").mkdir(parents=True)
    closed.chmod(0o700)
    for parent in closed.parents:
        if parent.is_relative_to("/tmp/pytest-of-root"):
            parent.chmod(0o755)
    with pytest.raises(NodeError, match=f"may not enter {closed}; set DENSEHOOK_HOME"):
        NodeUser(65534, 65534).require_access(closed / "home", "set DENSEHOOK_HOME")


def test_a_home_made_for_the_nodes_user_can_be_entered_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        NodeUser(os.getuid(), os.getgid()).make(tmp_path / "a" / "b")
        NodeUser(None, None).make(tmp_path / "private")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
