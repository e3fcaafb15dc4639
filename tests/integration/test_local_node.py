"""The local node: one a folder, its data its own, ended only by its own pid."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from densehook.elastic import node
from densehook.elastic.connect import connect
from densehook.errors import AuthenticationFailed, NodeError


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a blank in its name that the node's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="densehook node "))
    folder.chmod(0o755)
    yield folder
    node.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_node_keeps_its_data_over_stop_and_kill(home: Path) -> None:
    steps: list[str] = []
    first = node.start(home=home, progress=steps.append)
    assert steps == ["Fetching 8.19.21 through Maven", "Unpacking 8.19.21", "Starting 8.19.21"]
    assert node.start(home=home) == node.status(home) == first
    connect(first.url).index(index="kept", id="1", document={"a": 1}, refresh=True)

    assert node.stop(home)
    assert not first.alive()
    assert node.status(home) is None
    assert not node.stop(home)

    second = node.start(home=home)
    assert second.pid != first.pid
    assert connect(second.url).get(index="kept", id="1")["_source"] == {"a": 1}

    os.kill(second.pid, signal.SIGKILL)
    while second.alive():
        time.sleep(0.05)
    assert node.status(home) is None
    third = node.start(home=home)
    assert connect(third.url).get(index="kept", id="1")["_source"] == {"a": 1}


def test_starts_at_once_give_one_node_and_a_bad_setting_gives_its_reason(home: Path) -> None:
    with pytest.raises(NodeError, match=r"did not start: .*no\.such\.setting"):
        node.start(home=home, settings={"no.such.setting": "1"})
    assert node.status(home) is None

    found: list[node.NodeState] = []
    threads = [
        threading.Thread(target=lambda: found.append(node.start(home=home))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len({state.pid for state in found}) == 1


def test_with_security_on_a_wrong_key_or_none_is_refused(home: Path) -> None:
    state = node.start(home=home, settings={"xpack.security.enabled": "true"})
    with pytest.raises(AuthenticationFailed, match="does not accept the credentials"):
        connect(state.url)
    with pytest.raises(AuthenticationFailed, match="does not accept the credentials"):
        connect(state.url, "bm90OmFrZXk=")
