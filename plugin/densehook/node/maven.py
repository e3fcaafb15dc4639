"""What comes from Maven: an artifact, or an artifact with all that it needs."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import NodeError

_FETCH_TIMEOUT_S = 900
_POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>densehook</groupId>
  <artifactId>fetch</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>{group}</groupId>
      <artifactId>{name}</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""


def copy_artifact(artifact: str, folder: Path) -> None:
    """Puts one artifact, written group:name:version:type, into the folder.

    Raises NodeError with Maven's reason.
    """
    options = [f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
    _maven("dependency:copy", options, artifact, folder)


def copy_with_dependencies(artifact: str, folder: Path) -> None:
    """Puts the jars of group:name:version and of all it needs into the folder; raises NodeError."""
    group, name, version = artifact.split(":")
    pom = folder / "pom.xml"
    pom.write_text(_POM.format(group=group, name=name, version=version))
    options = [f"--file={pom}", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    _maven("dependency:copy-dependencies", options, artifact, folder)
    pom.unlink()


def _maven(goal: str, options: Sequence[str], artifact: str, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NodeError(
            "Maven is not installed, Elasticsearch cannot be fetched; install it"
            " (Debian: apt-get install maven), or name an existing cluster with --url"
        )
    command = [maven, "--batch-mode", "--quiet", goal, *options]
    try:
        with _alone():
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=folder, timeout=_FETCH_TIMEOUT_S
            )
    except subprocess.TimeoutExpired:
        raise NodeError(f"Maven did not fetch {artifact} in {_FETCH_TIMEOUT_S} s") from None
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "[ERROR]" in line]
        reason = errors[0].replace("[ERROR]", "").strip() if errors else done.stderr.strip()
        raise NodeError(f"Maven cannot fetch {artifact}: {reason or 'it gave no reason'}")


@contextmanager
def _alone() -> Iterator[None]:
    """One fetch of a user at a time: Maven's local repository does not bear two writers."""
    with (Path(tempfile.gettempdir()) / f"densehook-maven-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
