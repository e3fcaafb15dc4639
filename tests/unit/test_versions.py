"""Which sources, launcher and parts go with an Elasticsearch version; which are refused."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest

from densehook import java
from densehook.errors import NodeError
from densehook.node import MINORS, RELEASES, default_version
from densehook.node.jars import transport_of
from densehook.node.launching import SOURCES, add_root, sources_of
from densehook.node.releases import release_of

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugin" / "elasticsearch"
_SPEC = importlib.util.spec_from_file_location("compat", PLUGIN / "src" / "build" / "compat.py")
assert _SPEC and _SPEC.loader
compat = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(compat)


@pytest.mark.parametrize(("client", "node"), [("8.19.3", "8.19.21"), ("9.5.1", "9.5.3")])
def test_a_node_is_one_that_the_installed_client_talks_to(
    monkeypatch: pytest.MonkeyPatch, client: str, node: str
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: client)
    assert default_version() == node


def forms_of(version: str) -> dict[str, str]:
    return {
        change.name: compat.chosen_form(change, version).name for change in compat.FOLDER.iterdir()
    }


@pytest.mark.parametrize(
    ("version", "change", "form"),
    [
        ("8.18.8", "retriever", "8.18_9.0"),
        ("8.19.0", "retriever", "8.19_9.1"),  # 9.0 came before 8.19
        ("9.0.8", "retriever", "8.18_9.0"),
        ("9.1.0", "retriever", "8.19_9.1"),
        ("8.19.21", "nodes", "8.18"),
        ("9.0.0", "nodes", "9.0"),
        ("9.1.10", "knn", "8.18_9.0"),
        ("9.3.4", "knn", "9.2"),
        ("9.5.3", "knn", "9.5"),
        ("9.2.8", "base64", "8.18_9.0"),
        ("9.3.0", "base64", "9.3"),
    ],
)
def test_each_version_has_the_form_that_it_came_with(version: str, change: str, form: str) -> None:
    assert forms_of(version)[change] == form


@pytest.mark.parametrize("minor", MINORS)
def test_every_class_of_compat_is_there_once_in_each_version(minor: str) -> None:
    classes = [
        path.name
        for change, form in forms_of(f"{minor}.0").items()
        for path in (compat.FOLDER / change / form).rglob("*.java")
    ]
    assert len(classes) == len(set(classes))
    assert set(classes) == {path.name for path in compat.FOLDER.rglob("*.java")}


def test_no_form_is_one_that_no_version_uses() -> None:
    used = {(change, form) for minor in MINORS for change, form in forms_of(f"{minor}.0").items()}
    assert used == {(path.parent.name, path.name) for path in compat.FOLDER.glob("*/*")}


def test_the_plugin_is_built_for_the_versions_that_a_node_can_be_made_of() -> None:
    assert compat.MINORS == MINORS
    pom = (PLUGIN / "pom.xml").read_text()
    assert set(re.findall(r"<elasticsearch.version>([\d.]+)<", pom)) == set(RELEASES)
    assert {re.sub(r"\.\d+$", "", version) for version in RELEASES} <= set(MINORS)


@pytest.mark.parametrize("version", ["7.17.0", "9.4.1", "9.2", "latest", "10.0.0"])
def test_what_is_not_supported_is_refused_with_the_list(version: str) -> None:
    listed = ", ".join(f"{minor}.x" for minor in MINORS)
    with pytest.raises(SystemExit) as built:
        compat.require_supported(version)
    assert str(built.value) == f"Elasticsearch {version} is not supported; ES is one of {listed}"
    with pytest.raises(NodeError, match=re.escape(f"is one of {listed}")):
        release_of(version)


def run_make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`make`, run as from a shell also where `make test` runs this: it would pass on its flags."""
    passed_on = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
    env = {name: value for name, value in os.environ.items() if name not in passed_on}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["ES=7.17.0"], "Elasticsearch 7.17.0 is not supported; ES is one of 8.18.x"),
        (["PLATFORM=windows"], "PLATFORM=windows is not supported; it is one of linux-x86_64"),
    ],
)
def test_make_refuses_in_one_line_before_it_builds(asked: list[str], said: str) -> None:
    done = run_make("--old-file=.venv/.installed", "plugin", *asked)
    assert done.returncode
    assert not done.stdout
    assert said in done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("asked", "folder", "options"),
    [
        ([], "es8", "-Pes8 -Dfolder=es8 -Dplatform=linux-x86_64"),
        ([], "es9", "-Pes9 -Dfolder=es9 -Dplatform=linux-x86_64"),
        (["ES=9.5.3"], "es9", "-Pes9 -Dfolder=es9 -Dplatform=linux-x86_64"),
        (
            ["ES=8.18.8"],
            "es8.18.8",
            "-Pes8 -Dfolder=es8.18.8 -Delasticsearch.version=8.18.8 -Dplatform=linux-x86_64",
        ),
        (
            ["ES=9.2.8", "PLATFORM=linux-aarch64"],
            "es9.2.8-linux-aarch64",
            "-Pes9 -Dfolder=es9.2.8-linux-aarch64 -Delasticsearch.version=9.2.8"
            " -Dplatform=linux-aarch64",
        ),
    ],
)
def test_make_gives_maven_the_version_and_the_platform(
    asked: list[str], folder: str, options: str
) -> None:
    done = run_make("--dry-run", "--always-make", "plugin", *asked)
    assert not done.returncode
    said = " ".join(done.stdout.replace("\\\n", " ").split())
    assert options in said
    assert f"touch plugin/elasticsearch/target/{folder}/.built" in said


@pytest.mark.parametrize(
    ("version", "transport"),
    [("9.2.8", "9.2.2"), ("9.2.1", "9.2.0"), ("9.5.3", "9.5.3"), ("8.18.8", "8.18.8")],
)
def test_a_node_has_the_newest_transport_that_is_not_newer_than_it(
    version: str, transport: str
) -> None:
    assert transport_of(version) == transport


@pytest.mark.parametrize(
    ("version", "root", "bundles"),
    [
        ("8.18.8", "since-8.18", "since-8.18"),
        ("9.3.4", "since-8.18", "since-8.18"),
        ("9.5.3", "since-9.5", "since-9.5"),
    ],
)
def test_a_node_is_started_by_java_of_its_version(version: str, root: str, bundles: str) -> None:
    assert sources_of(("Launcher", "RootPlugin", "Bundles"), version) == [
        SOURCES / "Launcher.java",
        SOURCES / root / "RootPlugin.java",
        SOURCES / bundles / "Bundles.java",
    ]


def test_without_a_jdk_a_node_has_no_greeting_and_serves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(java, "JVM_FOLDERS", ())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "modules").mkdir()
    assert not add_root("8.19.21", tmp_path)
    assert not list((tmp_path / "modules").iterdir())
    (tmp_path / "modules" / "densehook-root").mkdir()  # made when there was one
    assert add_root("8.19.21", tmp_path)
