"""Puts the ONNX Runtime that Python runs here into the plugin, under the Java classes of Maven's.

In eight bits the last digit of a kernel decides which way a number is rounded, so Python and the
node must run the same kernels; and Maven Central's ONNX Runtime is older than PyPI's, and slower.
PyPI's package carries the whole shared library. A newer library still has the older versions of its
C interface (OrtApiBase::GetApi in onnxruntime_c_api.h), so Java's half, libonnxruntime4j_jni.so,
may call it. But that half names the library it was linked with by a symbol version, VERS_1.29.0,
and the dynamic loader takes no other; this name is what is written anew.

    python natives.py FOLDER LICENSES

FOLDER holds the libonnxruntime4j_jni.so to be written anew; LICENSES gets the library's licences.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import struct
import sys
from pathlib import Path

JNI = "libonnxruntime4j_jni.so"
LIBRARY = "libonnxruntime.so"
LICENSES = ("LICENSE", "ThirdPartyNotices.txt")
_VERSION = re.compile(rb"\0(VERS_(\d+)\.(\d+)\.(\d+))\0")


def main(folder: Path, licenses: Path) -> None:
    """Lays the library beside the JNI half, and writes into that half the library's version."""
    library = python_library()
    jni = folder / JNI
    jni.write_bytes(relinked(jni.read_bytes(), symbol_version(library.read_bytes())))
    shutil.copyfile(library, folder / LIBRARY)
    licenses.mkdir(parents=True, exist_ok=True)
    for name in LICENSES:
        shutil.copyfile(library.parent.parent / name, licenses / name)


def python_library() -> Path:
    """The shared library in the onnxruntime package of this Python; nothing is imported."""
    package = importlib.util.find_spec("onnxruntime")
    if not package or not package.submodule_search_locations:
        sys.exit(f"{sys.executable} has no onnxruntime package: build with `make plugin`")
    capi = Path(package.submodule_search_locations[0]) / "capi"
    found = sorted(capi.glob(f"{LIBRARY}.*"))
    if len(found) != 1:
        sys.exit(f"{capi} should hold one {LIBRARY}.VERSION and holds {len(found)}")
    return found[0]


def symbol_version(elf: bytes) -> bytes:
    """The one version of ONNX Runtime's symbols that a shared library names, as VERS_1.32.0."""
    found = {match[1] for match in _VERSION.finditer(elf)}
    if len(found) != 1:
        sys.exit(f"one symbol version of ONNX Runtime was expected, there are {sorted(found)}")
    return found.pop()


def relinked(jni: bytes, version: bytes) -> bytes:
    """The JNI half, asking for the symbols of another, equally old or newer ONNX Runtime.

    A required version stands in an ELF file twice: its name among the dynamic strings, and the
    name's hash in the section .gnu.version_r (Linux Standard Base, "Symbol Versioning"). The bare
    number is what OrtEnvironment.getVersion() answers: that of the headers this half was built
    with, where the library's is meant; with that version of its symbols it can be no other.
    """
    present = symbol_version(jni)
    if _numbers(version) < _numbers(present):
        sys.exit(f"Java's half of ONNX Runtime is of {present!r}, newer than Python's {version!r}")
    if len(version) != len(present):
        sys.exit(f"{version!r} does not fit into the place of {present!r}")
    changed = _replaced(jni, _hash(present), _hash(version))
    changed = _replaced(changed, _string(present), _string(version))
    return changed.replace(_string(_number(present)), _string(_number(version)))


def _number(version: bytes) -> bytes:
    return version.removeprefix(b"VERS_")


def _numbers(version: bytes) -> list[int]:
    return [int(number) for number in _number(version).split(b".")]


def _string(content: bytes) -> bytes:
    return b"\0" + content + b"\0"


def _replaced(elf: bytes, old: bytes, new: bytes) -> bytes:
    if elf.count(old) != 1:
        sys.exit(f"{JNI} should name {old!r} once and names it {elf.count(old)} times")
    return elf.replace(old, new)


def _hash(name: bytes) -> bytes:
    """An ELF hash (System V ABI, "Hash Table"), as four little-endian bytes."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return struct.pack("<I", value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
