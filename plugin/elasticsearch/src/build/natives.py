"""Puts the ONNX Runtime that Python runs into the plugin, under the Java classes of Maven's.

In eight bits the last digit of a kernel decides which way a number is rounded, so Python and the
node must run the same kernels; and Maven Central's ONNX Runtime is older than PyPI's, and slower.
PyPI's package carries the whole shared library. A newer library still has the older versions of its
C interface (OrtApiBase::GetApi in onnxruntime_c_api.h), so Java's half, libonnxruntime4j_jni.so,
may call it. But that half names the library it was linked with by a symbol version, VERS_1.29.0,
and the dynamic loader takes no other; this name is what is written anew.

    python natives.py FOLDER LICENSES

FOLDER, named like linux-x86_64, holds the libonnxruntime4j_jni.so to be written anew; LICENSES gets
the library's licences. For another machine than this one the library comes from the wheel of the
same version that PyPI has for it.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

JNI = "libonnxruntime4j_jni.so"
LIBRARY = "libonnxruntime.so"
LICENSES = ("LICENSE", "ThirdPartyNotices.txt")
MACHINES = {"linux-x86_64": 62, "linux-aarch64": 183}
"""The platforms there are natives for, and their number in an ELF header (e_machine)."""

_LOCK = Path(__file__).parents[4] / "requirements.lock"
_LOCKED = re.compile(r"^onnxruntime==(?:.*\\\n)*.*", re.MULTILINE)
_VERSION = re.compile(rb"\0(VERS_(\d+)\.(\d+)\.(\d+))\0")


def main(folder: Path, licenses: Path) -> None:
    """Lays the library beside the JNI half, and writes into that half the library's version."""
    with tempfile.TemporaryDirectory() as scratch:
        library = library_for(folder.name, Path(scratch))
        jni = folder / JNI
        jni.write_bytes(relinked(jni.read_bytes(), symbol_version(library.read_bytes())))
        shutil.copyfile(library, folder / LIBRARY)
        licenses.mkdir(parents=True, exist_ok=True)
        for name in LICENSES:
            shutil.copyfile(library.parent.parent / name, licenses / name)
    for native in sorted(folder.iterdir()):
        require_machine(native.name, native.read_bytes(), folder.name)


def library_for(name: str, scratch: Path) -> Path:
    """A platform's shared library: this Python's, or that of a wheel put into ``scratch``."""
    if name not in MACHINES:
        sys.exit(f"there are no natives for {name}; it is one of {', '.join(MACHINES)}")
    machine = name.removeprefix("linux-")
    if machine == platform.machine():
        return python_library()
    (locked,) = _LOCKED.findall(_LOCK.read_text())
    (scratch / "requirements.txt").write_text(locked + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(scratch)]
    command += ["--platform", f"manylinux_2_28_{machine}", "-r", str(scratch / "requirements.txt")]
    if subprocess.run(command).returncode:
        sys.exit(f"pip cannot fetch the onnxruntime of {name}, of the version in {_LOCK.name}")
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(scratch)
    return only_library(scratch / "onnxruntime" / "capi")


def require_machine(name: str, elf: bytes, wanted: str) -> None:
    """Ends the build unless a shared library is for the platform that is built for."""
    (machine,) = struct.unpack_from("<H", elf, 18) if elf[:4] == b"\x7fELF" else (0,)
    if machine != MACHINES[wanted]:
        sys.exit(f"{name} is for the ELF machine {machine}, {wanted} is {MACHINES[wanted]}")


def python_library() -> Path:
    """The shared library in the onnxruntime package of this Python; nothing is imported."""
    package = importlib.util.find_spec("onnxruntime")
    if not package or not package.submodule_search_locations:
        sys.exit(f"{sys.executable} has no onnxruntime package: build with `make plugin`")
    return only_library(Path(package.submodule_search_locations[0]) / "capi")


def only_library(capi: Path) -> Path:
    """The shared library in a package's folder."""
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
