"""The node runs the onnxruntime that Python does: int8 rounds by the last bit of its kernels."""

from __future__ import annotations

import importlib.util
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from densehook.node import RELEASES, built_plugin

_SCRIPT = Path(__file__).parents[2] / "plugin" / "elasticsearch" / "src" / "build" / "natives.py"
_SPEC = importlib.util.spec_from_file_location("natives", _SCRIPT)
assert _SPEC and _SPEC.loader
natives = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(natives)

# as `objdump -p` prints the hashes of both names
HASH_OF_1_29, HASH_OF_1_32 = (0x027BFD80).to_bytes(4, "little"), (0x027BC480).to_bytes(4, "little")


def jni(name: bytes = b"VERS_1.29.0", value: bytes = HASH_OF_1_29) -> bytes:
    return b"\x7fELF " + value + b" \0libonnxruntime.so.1\0" + name + b"\0GLIBC_2.14\0"


def test_name_and_hash_of_the_version_are_written_anew_and_nothing_else() -> None:
    expected = jni(b"VERS_1.32.0", HASH_OF_1_32)
    assert natives.relinked(jni(), b"VERS_1.32.0") == expected
    assert natives.relinked(expected, b"VERS_1.32.0") == expected


@pytest.mark.parametrize(
    ("content", "asked", "reason"),
    [
        (jni(), b"VERS_1.28.9", "newer than Python's"),
        (jni(), b"VERS_1.100.0", "does not fit"),
        (jni(value=b"none"), b"VERS_1.32.0", "names it 0 times"),
        (jni() + HASH_OF_1_29, b"VERS_1.32.0", "names it 2 times"),
        (jni(b"VERS_none"), b"VERS_1.32.0", "one symbol version"),
        (jni() + jni(b"VERS_1.30.0"), b"VERS_1.32.0", "one symbol version"),
    ],
)
def test_what_cannot_be_relinked_ends_the_build(content: bytes, asked: bytes, reason: str) -> None:
    with pytest.raises(SystemExit, match=reason):
        natives.relinked(content, asked)


def test_pythons_library_is_found_and_names_its_version() -> None:
    library = natives.python_library().read_bytes()
    assert natives.symbol_version(library) == f"VERS_{version('onnxruntime')}".encode()


def test_a_library_for_another_machine_ends_the_build() -> None:
    header = b"\x7fELF" + bytes(14) + (183).to_bytes(2, "little")
    natives.require_machine("libtokenizers.so", header, "linux-aarch64")
    with pytest.raises(SystemExit, match=r"libtokenizers.so is for the ELF machine 183, linux-x86"):
        natives.require_machine("libtokenizers.so", header, "linux-x86_64")
    with pytest.raises(SystemExit, match="is for the ELF machine 0"):
        natives.require_machine("libtokenizers.so", b"MZ" + header, "linux-x86_64")


def test_a_platform_without_natives_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="linux-x86_64, linux-aarch64"):
        natives.library_for("windows-x86_64", tmp_path)


def test_a_python_without_onnxruntime_ends_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="has no onnxruntime package: build with `make plugin`"):
        natives.python_library()


@pytest.mark.parametrize("release", RELEASES)
def test_each_zip_carries_pythons_library_and_a_half_for_java_that_asks_for_it(
    release: str,
) -> None:
    archive = built_plugin(release)
    assert archive is not None, "build it with: make plugin"
    with zipfile.ZipFile(archive) as built:
        folder = "native/linux-x86_64"
        library = built.read(f"{folder}/{natives.LIBRARY}")
        assert library == natives.python_library().read_bytes()
        half = built.read(f"{folder}/{natives.JNI}")
        assert natives.symbol_version(half) == natives.symbol_version(library)
        for name in built.namelist():
            if name.endswith(".so"):
                natives.require_machine(name, built.read(name), "linux-x86_64")
    assert archive.stat().st_size < 40e6


@pytest.mark.parametrize("release", RELEASES)
def test_each_zip_carries_the_licences_of_what_is_in_it(release: str) -> None:
    archive = built_plugin(release)
    assert archive is not None, "build it with: make plugin"
    with zipfile.ZipFile(archive) as built:
        names = built.namelist()
        own = built.read("LICENSE.txt").decode()
        assert own == (_SCRIPT.parents[4] / "LICENSE").read_text()
        for name in ("LICENSE", "ThirdPartyNotices.txt"):
            assert built.read(f"licenses/onnxruntime/{name}")
        assert b"Oniguruma" in built.read("licenses/tokenizers/NOTICE.txt")
        notice = built.read("NOTICE.txt").decode()
    assert "${" not in notice
    ours = [name for name in names if name.startswith("densehook-")]
    others = [n for n in names if n.endswith((".jar", ".so")) and n not in ours]
    assert len(ours) == 1
    assert len(others) == 6
    for name in others:
        assert name in notice, f"NOTICE.txt says nothing of {name}"
