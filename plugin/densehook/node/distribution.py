"""A whole distribution, with its own scripts: Elasticsearch 8."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..bundle import replacing
from ..errors import NodeError
from . import maven, process
from .user import NodeUser

_ZIP = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
_PLUGIN_TIMEOUT_S = 180


def fetch(version: str, target: Path, java: Path, progress: Callable[[str], None]) -> None:
    """Brings the distribution through Maven and unpacks it; raises NodeError, OSError."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        progress(f"Fetching {version} through Maven")
        maven.copy_artifact(_ZIP.format(version=version), Path(scratch))
        progress(f"Unpacking {version}")
        (archive,) = Path(scratch).glob("*.zip")
        try:
            with replacing(target) as staging:
                _unpack(archive, staging)
        except zipfile.BadZipFile as error:
            raise NodeError(
                f"{archive.name} from Maven is damaged: {error}; remove the folder of"
                f" {_ZIP.format(version=version)} from the local Maven repository and try again"
            ) from error


def launch(
    distribution: Path,
    home: Path,
    user: NodeUser,
    environment: Mapping[str, str],
    settings: Mapping[str, str],
) -> int:
    """Starts the server as a daemon that outlives this process; gives its pid.

    Raises NodeError with the reason the server gives, or after a time-out; then, as after Ctrl-C,
    no process stays behind.
    """
    pidfile = process.pidfile_of(home)
    pidfile.unlink(missing_ok=True)
    command = [str(distribution / "bin" / "elasticsearch"), "--daemonize"]
    command += ["--pidfile", str(pidfile)]
    command += [f"-E{key}={value}" for key, value in settings.items()]
    output = home / "logs" / "launcher.log"
    with output.open("w") as sink:
        launcher = subprocess.Popen(
            command,
            cwd=distribution,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **user.popen(),
        )
        try:
            failed = launcher.wait(process.START_TIMEOUT_S)
        except BaseException as error:
            # the session is the launcher's and the server's alone, and the launcher is not reaped
            os.killpg(launcher.pid, signal.SIGKILL)
            launcher.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise NodeError(
                    f"Elasticsearch did not start in {process.START_TIMEOUT_S} s; see {output}"
                ) from None
            raise
    if failed:
        raise NodeError(
            f"Elasticsearch did not start: {process.reason(output)}; see {home / 'logs'}"
        )
    return int(pidfile.read_text())


def add_plugin(
    distribution: Path, archive: Path, name: str, user: NodeUser, environment: Mapping[str, str]
) -> None:
    """Installs a plugin, in the place of an older one, by the distribution's own script."""
    if (distribution / "plugins" / name).is_dir():
        _plugin_script(distribution, user, environment, "remove", name)
    _plugin_script(distribution, user, environment, "install", "--batch", archive.as_uri())


def _plugin_script(
    distribution: Path, user: NodeUser, environment: Mapping[str, str], *arguments: str
) -> None:
    done = subprocess.run(
        [str(distribution / "bin" / "elasticsearch-plugin"), *arguments],
        cwd=distribution,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PLUGIN_TIMEOUT_S,
        **user.popen(),
    )
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        said = (lines or [done.stderr.strip() or "it gave no reason"])[0]
        raise NodeError(f"elasticsearch-plugin {arguments[0]} failed: {said}")


def _unpack(archive: Path, folder: Path) -> None:
    """Unpacks the archive's one folder into ``folder``, executables as executables."""
    with zipfile.ZipFile(archive) as content:
        for entry in content.infolist():
            inside = Path(*Path(entry.filename).parts[1:])
            if entry.is_dir():
                (folder / inside).mkdir(parents=True, exist_ok=True)
                continue
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            with content.open(entry) as source, (folder / inside).open("wb") as file:
                shutil.copyfileobj(source, file)
            (folder / inside).chmod((entry.external_attr >> 16) & 0o777 or 0o644)
