"""Elasticsearch on disk: each version that can be had, and what is its own about it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Protocol

from ..errors import NodeError
from . import distribution, jars
from .launching import java_of
from .user import NodeUser

ELASTICSEARCH_VERSION = "8.19.21"
_VERSION = re.compile(r"(\d+\.\d+)\.\d+")


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


def _of_distribution(version: str) -> Release:
    return Release(
        version=version,
        minimum_java=17,
        java_program="java",
        fetch=distribution.fetch,
        launch=distribution.launch,
        add_plugin=distribution.add_plugin,
        settings={"xpack.security.enabled": "false"},
    )


def _of_jars(version: str) -> Release:
    return Release(
        version=version,
        minimum_java=java_of(version),
        java_program="javac",  # its launcher is compiled
        fetch=jars.fetch,
        launch=jars.launch,
        add_plugin=jars.add_plugin,
    )


MINORS = ("8.18", "8.19", "9.0", "9.1", "9.2", "9.3", "9.5")
"""The minor versions that the plugin is built for and a node can be made of."""

_DISTRIBUTIONS = ("8.18.0", "8.19.0", "8.19.2", "8.19.4", "8.19.21")
"""The versions of which a distribution is published; of the others there are jars."""

RELEASES: Mapping[str, Release] = {
    ELASTICSEARCH_VERSION: _of_distribution(ELASTICSEARCH_VERSION),
    "9.5.3": _of_jars("9.5.3"),
}
"""Those that `make plugin` builds the plugin for and every test runs on."""


def default_version() -> str:
    """The one of ``RELEASES`` for the Elasticsearch client that is installed.

    A client of 9 does not talk to a node of 8; one of 8 talks to both.
    """
    major, _, _ = metadata.version("elasticsearch").partition(".")
    return next((each for each in RELEASES if each.startswith(f"{major}.")), ELASTICSEARCH_VERSION)


def release_of(version: str) -> Release:
    """The version's release; raises NodeError naming those there are."""
    written = _VERSION.fullmatch(version)
    if written is None or written[1] not in MINORS:
        listed = ", ".join(f"{minor}.x" for minor in MINORS)
        raise NodeError(f"Elasticsearch {version!r} is not supported; it is one of {listed}")
    return _of_distribution(version) if version in _DISTRIBUTIONS else _of_jars(version)
