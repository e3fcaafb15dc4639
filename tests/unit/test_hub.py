"""From a hub comes what an export reads, whether its weights are safetensors or PyTorch's own."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMIT = "a" * 40
FETCH = (
    "from densehook.export import Recipe\n"
    "from densehook.export.sources import model_folder\n"
    f"print(model_folder(Recipe('x', 'acme/m', revision='{COMMIT}')))\n"
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """A stand-in that answers as a hub does for one repository, the folder ``repository``."""
    root = tmp_path / "repository"

    class Hub(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            file = root / path.partition(f"/resolve/{COMMIT}/")[2]
            if path.startswith("/api/models/"):
                files = [str(each.relative_to(root)) for each in root.rglob("*") if each.is_file()]
                info = {
                    "id": "acme/m",
                    "sha": COMMIT,
                    "siblings": [{"rfilename": f} for f in files],
                }
                self._answer(json.dumps(info).encode(), {"Content-Type": "application/json"})
            elif file.is_file():
                content = file.read_bytes()
                tag = f'"{hashlib.sha256(content).hexdigest()}"'
                self._answer(content, {"ETag": tag, "X-Repo-Commit": COMMIT})
            else:
                self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def _answer(self, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def asked(program: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", **settings},
        capture_output=True,
        text=True,
        timeout=300,
    )


def fetch(home: Path, **settings: str) -> Path:
    done = asked(FETCH, home, **settings)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def test_a_repository_without_safetensors_is_fetched_and_found_again_without_the_hub(
    tmp_path: Path, hub: str
) -> None:
    needed = {"config.json", "1_Pooling/config.json", "pytorch_model.bin"}
    for name in (*needed, "tf_model.h5", "onnx/model.onnx", "optimizer.bin"):
        (tmp_path / "repository" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repository" / name).write_text(name)
    folder = fetch(tmp_path / "home", HF_ENDPOINT=hub, HF_HUB_OFFLINE="0")
    found = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    assert found == needed
    assert (folder / "pytorch_model.bin").read_text() == "pytorch_model.bin"
    assert fetch(tmp_path / "home", HF_ENDPOINT=hub, HF_HUB_OFFLINE="1") == folder


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "from densehook.export import recipe_of as ask; ask('acme/m')",
            "acme/m cannot be asked for at the hub: Connection refused; with a copy on disk, give",
        ),
        (
            FETCH,
            f"acme/m at {COMMIT} cannot be fetched: Connection refused; with a copy on disk, set",
        ),
    ],
)
def test_an_id_without_a_network_is_one_line(tmp_path: Path, program: str, said: str) -> None:
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = asked(program, tmp_path, HF_ENDPOINT=nowhere, HF_HUB_OFFLINE="0")
    assert f"\ndensehook.errors.ExportError: {said}" in done.stderr
