"""Sums of files, and folders that appear whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ExportError


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_replaceable(target: Path, mark: str) -> None:
    """Raises ExportError when the target holds what would be lost if it were replaced.

    Nothing is lost where there is nothing, in an empty folder, and in one with the file ``mark``,
    by which a command knows its own work.
    """
    try:
        if not target.exists() or (target / mark).is_file():
            return
        if target.is_dir() and not any(target.iterdir()):
            return
    except OSError as error:
        raise ExportError(f"{target} cannot be read: {error.strerror or error}") from error
    raise ExportError(
        f"{target} is there and holds no {mark}: it is not replaced;"
        " name another folder, or remove it first"
    )


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Gives an empty folder that takes the target's place when the block ends well.

    When the block fails, for a full disk say, nothing stays behind and what was at the target is
    untouched.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        staging.chmod(0o755)  # mkdtemp's 0700 would hide the result from the node's user
        yield staging
        if target.exists():
            retired = staging.with_name(staging.name + "-old")
            target.rename(retired)
            staging.rename(target)
            shutil.rmtree(retired)
        else:
            staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
