"""Elasticsearch on disk: each version that can be had, and what is its own about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..errors import NodeError
from . import distribution, jars
from .user import NodeUser

ELASTICSEARCH_VERSION = "8.19.21"


class Launch(Protocol):
    """Starts a server; gives its pid."""

    def __call__(
        self,
        distribution: Path,
        home: Path,
        user: NodeUser,
        environment: Mapping[str, str],
        settings: Mapping[str, str],
    ) -> int:
        """The distribution, its home, whose process it becomes, environment and settings."""


@dataclass(frozen=True)
class Release:
    """A version: how it is fetched, launched and given plugins, and the settings it wants."""

    version: str
    minimum_java: int
    java_program: str
    fetch: Callable[[str, Path, Path, Callable[[str], None]], None]
    launch: Launch
    add_plugin: Callable[[Path, Path, str, NodeUser, Mapping[str, str]], None]
    settings: Mapping[str, str] = field(default_factory=dict)

    def folder(self, home: Path) -> Path:
        """Where it lies below a home."""
        return home / f"elasticsearch-{self.version}"

    def install(self, home: Path, java: Path, progress: Callable[[str], None]) -> Path:
        """Its folder below ``home``, fetched unless it is there.

        Raises NodeError when fetching or unpacking fails; then nothing half-unpacked stays.
        """
        target = self.folder(home)
        if not target.is_dir():
            try:
                for unfinished in home.glob(f".{target.name}-*"):  # of an install that was killed
                    shutil.rmtree(unfinished)
                home.mkdir(parents=True, exist_ok=True)
                self.fetch(self.version, target, java, progress)
            except OSError as error:
                reason = error.strerror or error
                raise NodeError(f"{target} cannot be written: {reason}") from error
        return target


_RELEASES = (
    Release(
        version=ELASTICSEARCH_VERSION,
        minimum_java=17,
        java_program="java",
        fetch=distribution.fetch,
        launch=distribution.launch,
        add_plugin=distribution.add_plugin,
        settings={"xpack.security.enabled": "false"},
    ),
    Release(
        version="9.5.3",
        minimum_java=21,
        java_program="javac",  # its launcher is compiled
        fetch=jars.fetch,
        launch=jars.launch,
        add_plugin=jars.add_plugin,
    ),
)

RELEASES: Mapping[str, Release] = {release.version: release for release in _RELEASES}
"""Every known version."""


def release_of(version: str) -> Release:
    """The version's release; raises NodeError naming those there are."""
    if version not in RELEASES:
        raise NodeError(f"Elasticsearch {version!r} is unknown; known: {', '.join(RELEASES)}")
    return RELEASES[version]
