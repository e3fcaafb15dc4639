"""The user that Elasticsearch runs as: oneself, or, for root, one without rights."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NodeError

_UNPRIVILEGED = ("elasticsearch", "nobody")


@dataclass(frozen=True)
class NodeUser:
    """Whose process and files the node's are; ``None`` means the current user's."""

    uid: int | None
    gid: int | None

    def popen(self) -> dict[str, Any]:
        """Arguments for subprocess that make the child this user's."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def make(self, folder: Path) -> None:
        """Makes the folder where it is missing; this user may enter what is new, whatever umask.

        Raises NodeError when it cannot be made.
        """
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self.uid is not None:
                for each in missing:
                    each.chmod(0o755)
        except OSError as error:
            raise NodeError(
                f"{folder} cannot be made: {error.strerror}; set DENSEHOOK_HOME to a folder you"
                " may write"
            ) from error

    def own(self, folder: Path) -> None:
        """Gives the folder and all below it to this user."""
        if self.uid is None or self.gid is None:
            return
        for parent, _, files in os.walk(folder):
            for path in (parent, *(os.path.join(parent, name) for name in files)):  # noqa: PTH118
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def require_access(self, folder: Path, remedy: str) -> None:
        """Raises NodeError naming the parent folder this user may not search, and the remedy."""
        if self.uid is None:
            return
        for parent in (*reversed(folder.parents), folder):
            probe = subprocess.run(["test", "-x", str(parent)], **self.popen())
            if probe.returncode:
                name = pwd.getpwuid(self.uid).pw_name
                raise NodeError(
                    f"Elasticsearch refuses to run as root, and user {name!r} may not enter"
                    f" {parent}; {remedy}"
                )


def node_user() -> NodeUser:
    """The current user; for root an unprivileged one. Raises NodeError when there is none."""
    if os.geteuid() != 0:
        return NodeUser(None, None)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return NodeUser(entry.pw_uid, entry.pw_gid)
    raise NodeError(
        "Elasticsearch refuses to run as root and there is no user"
        f" {' or '.join(_UNPRIVILEGED)}; add one with: useradd --system elasticsearch"
    )
