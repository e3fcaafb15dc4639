"""Plugins and encoder bundles in the local node."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .._version import __version__
from ..bundle import read_bundle, replacing, sha256_of
from ..errors import NodeError
from .releases import Release
from .user import NodeUser

_DESCRIPTOR = "plugin-descriptor.properties"


def built_plugin(version: str) -> Path | None:
    """The zip of densehook itself: in $DENSEHOOK_PLUGINS, or where `make plugin` leaves it."""
    name = f"densehook-{__version__}-es{version}.zip"
    sources = Path(__file__).parents[2] / "elasticsearch"
    folders = [*sources.glob("target/*")]
    if named := os.environ.get("DENSEHOOK_PLUGINS"):
        folders.insert(0, Path(named))
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def missing_plugins(release: Release, home: Path, archives: Iterable[Path]) -> dict[str, Path]:
    """Those of the zips that are not installed as they are, by the plugin's name.

    Raises NodeError for a file that is no plugin, or one for another Elasticsearch.
    """
    installed = _installed(release, home)
    wanted = {_name(archive, release.version): archive for archive in archives}
    return {n: zip_ for n, zip_ in wanted.items() if installed.get(n) != sha256_of(zip_)}


def add_plugins(
    release: Release,
    home: Path,
    wanted: Mapping[str, Path],
    user: NodeUser,
    environment: Mapping[str, str],
) -> None:
    """Installs plugins, each in the place of an older one of its name; no node may run."""
    installed = _installed(release, home)
    for name, archive in wanted.items():
        # a copy where the node's user may read it
        copy = home / "tmp" / archive.name
        shutil.copyfile(archive, copy)
        copy.chmod(0o644)
        release.add_plugin(release.folder(home), copy, name, user, environment)
        copy.unlink()
        installed[name] = sha256_of(archive)
        _record(release, home).write_text(json.dumps(installed) + "\n")


def add_bundles(release: Release, home: Path, bundles: Sequence[Path], user: NodeUser) -> None:
    """Copies bundles to config/densehook/NAME, at once each; one that is there as it is stays.

    Raises BundleError for a folder that is no bundle.
    """
    for path in bundles:
        bundle = read_bundle(path)
        target = release.folder(home) / "config" / "densehook" / bundle.manifest.name
        same = _content(target / "encoder.json") == _content(path / "encoder.json")
        if not same:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as staging:
                leave_out = shutil.ignore_patterns("variants")  # what it was not tuned to
                shutil.copytree(path, staging, dirs_exist_ok=True, ignore=leave_out)
            user.own(target.parent)


def _name(archive: Path, version: str) -> str:
    try:
        with zipfile.ZipFile(archive) as content:
            lines = content.read(_DESCRIPTOR).decode().splitlines()
    except (OSError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise NodeError(f"{archive} is no Elasticsearch plugin: {error}") from error
    described = dict(line.split("=", 1) for line in lines if "=" in line)
    made_for = described.get("elasticsearch.version", "no version")
    if made_for != version:
        raise NodeError(
            f"{archive.name} is made for Elasticsearch {made_for}, this node is {version}; name the"
            f" zip for {version}"
        )
    return described.get("name", archive.stem)


def _record(release: Release, home: Path) -> Path:
    # not among the plugins: Elasticsearch refuses what it does not know there
    return home / f"plugins-{release.version}.json"


def _installed(release: Release, home: Path) -> dict[str, str]:
    try:
        return dict(json.loads(_record(release, home).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
