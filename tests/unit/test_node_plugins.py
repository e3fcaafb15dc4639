"""Which zips are installed and which bundles copied; what is refused before a node starts."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from densehook.bundle import Bundle
from densehook.errors import BundleError, NodeError
from densehook.node.plugins import (
    add_bundles,
    add_plugins,
    built_plugin,
    missing_plugins,
)
from densehook.node.releases import ELASTICSEARCH_VERSION, release_of
from densehook.node.user import NodeUser

MYSELF = NodeUser(None, None)
RELEASE = release_of(ELASTICSEARCH_VERSION)


def plugin(folder: Path, version: str = RELEASE.version, content: str = "") -> Path:
    archive = folder / "probe.zip"
    with zipfile.ZipFile(archive, "w") as made:
        descriptor = f"# a comment\nname=probe\nelasticsearch.version={version}\n"
        made.writestr("plugin-descriptor.properties", descriptor)
        made.writestr("content", content)
    return archive


def test_a_plugin_is_installed_once_and_again_when_its_zip_changes(tmp_path: Path) -> None:
    installed: list[tuple[str, bytes]] = []

    def note(
        distribution: Path, archive: Path, name: str, user: NodeUser, env: Mapping[str, str]
    ) -> None:
        assert distribution == RELEASE.folder(tmp_path)
        installed.append((name, archive.read_bytes()))

    release = replace(RELEASE, add_plugin=note)
    (tmp_path / "tmp").mkdir()
    for content in ("one", "one", "two"):
        archive = plugin(tmp_path, content=content)
        missing = missing_plugins(release, tmp_path, [archive])
        add_plugins(release, tmp_path, missing, MYSELF, {})
    assert [name for name, _ in installed] == ["probe", "probe"]
    assert installed[-1] == ("probe", archive.read_bytes())
    assert not missing_plugins(release, tmp_path, [archive])
    assert not list((tmp_path / "tmp").iterdir())


def test_a_plugin_for_another_elasticsearch_is_refused_by_both_versions(tmp_path: Path) -> None:
    archive = plugin(tmp_path, "9.5.3")
    with pytest.raises(NodeError, match=r"probe\.zip is made for Elasticsearch 9\.5\.3, this node"):
        missing_plugins(RELEASE, tmp_path, [archive])


@pytest.mark.parametrize("content", [None, b"not a zip"])
def test_what_is_no_plugin_is_named(tmp_path: Path, content: bytes | None) -> None:
    archive = tmp_path / "probe.zip"
    if content is not None:
        archive.write_bytes(content)
    with pytest.raises(NodeError, match=r"probe\.zip is no Elasticsearch plugin"):
        missing_plugins(RELEASE, tmp_path, [archive])


def test_a_zip_in_the_folder_of_the_environment_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENSEHOOK_PLUGINS", str(tmp_path))
    before = built_plugin(RELEASE.version)
    assert before is None or before.parent != tmp_path
    name = "densehook-0.1.0-es8.19.21.zip"
    shutil.copyfile(plugin(tmp_path), tmp_path / name)
    assert built_plugin(RELEASE.version) == tmp_path / name
    assert built_plugin("1.0.0") is None


def test_a_bundle_lies_under_its_own_name_and_is_replaced_when_it_changes(
    tmp_path: Path, tiny_bundle: Bundle, other_tiny_bundle: Bundle
) -> None:
    name = tiny_bundle.manifest.name
    target = RELEASE.folder(tmp_path) / "config" / "densehook" / name
    add_bundles(RELEASE, tmp_path, [tiny_bundle.path], MYSELF)
    assert {path.name for path in target.iterdir()} == {p.name for p in tiny_bundle.path.iterdir()}
    inode = target.stat().st_ino
    add_bundles(RELEASE, tmp_path, [tiny_bundle.path], MYSELF)
    assert target.stat().st_ino == inode

    other = shutil.copytree(other_tiny_bundle.path, tmp_path / "other")
    add_bundles(RELEASE, tmp_path, [other], MYSELF)
    there = RELEASE.folder(tmp_path) / "config" / "densehook" / other_tiny_bundle.manifest.name
    assert (there / "encoder.json").read_bytes() == (other / "encoder.json").read_bytes()


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        add_bundles(RELEASE, tmp_path, [tmp_path], MYSELF)
