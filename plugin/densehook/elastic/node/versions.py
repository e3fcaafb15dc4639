"""Elasticsearch on disk: each version that can be had, and how it is fetched."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ...bundle import replacing
from ...errors import NodeError

ELASTICSEARCH_VERSION = "8.19.21"
_ZIP = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
_FETCH_TIMEOUT_S = 900


def install(version: str, home: Path, progress: Callable[[str], None]) -> Path:
    """The folder of this version below ``home``, fetched and unpacked unless it is there.

    Raises NodeError for an unknown version, without Maven, or when fetching or unpacking fails;
    then nothing half-unpacked stays.
    """
    if version not in INSTALLERS:
        raise NodeError(f"Elasticsearch {version!r} is unknown; known: {', '.join(INSTALLERS)}")
    target = home / f"elasticsearch-{version}"
    if not target.is_dir():
        try:
            for unfinished in home.glob(f".{target.name}-*"):  # of an install that was killed
                shutil.rmtree(unfinished)
            home.mkdir(parents=True, exist_ok=True)
            INSTALLERS[version](version, target, progress)
        except OSError as error:
            raise NodeError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _from_maven_zip(version: str, target: Path, progress: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        progress(f"Fetching {version} through Maven")
        _maven_copy(_ZIP.format(version=version), Path(scratch))
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


def _maven_copy(artifact: str, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NodeError(
            "Maven is not installed, Elasticsearch cannot be fetched; install it"
            " (Debian: apt-get install maven), or name an existing cluster with --url"
        )
    command = [maven, "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={artifact}"]
    command.append(f"-DoutputDirectory={folder}")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, timeout=_FETCH_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise NodeError(f"Maven did not fetch {artifact} in {_FETCH_TIMEOUT_S} s") from None
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "[ERROR]" in line]
        reason = errors[0].replace("[ERROR]", "").strip() if errors else done.stderr.strip()
        raise NodeError(f"Maven cannot fetch {artifact}: {reason or 'it gave no reason'}")


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


INSTALLERS: Mapping[str, Callable[[str, Path, Callable[[str], None]], None]] = {
    ELASTICSEARCH_VERSION: _from_maven_zip,
}
"""How each known version comes onto the disk."""
