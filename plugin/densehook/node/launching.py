"""The Java of a local node's own, compiled for its version: what starts it, and ``GET /``."""

from __future__ import annotations

import subprocess
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import JavaNotFound, NodeError
from ..java import find_java

SOURCES = Path(__file__).parent / "launcher"
_ROOT = "densehook-root"
_COMPILE_TIMEOUT_S = 120

_ROOT_DESCRIPTOR = """name={name}
description=answers GET /
version={version}
elasticsearch.version={version}
java.version={java}
classname=RootPlugin
"""


def sources_of(classes: Iterable[str], version: str) -> list[Path]:
    """The files of these classes: the newest form that is not newer than the version."""
    return [_source(name, version) for name in classes]


def _source(name: str, version: str) -> Path:
    same = SOURCES / f"{name}.java"
    if same.is_file():
        return same
    forms = {_since(path): path for path in SOURCES.glob(f"since-*/{name}.java")}
    return forms[max(since for since in forms if since <= numbers(version))]


def compile_for(version: str, compiler: Path, lib: Path, classes: Iterable[str], to: Path) -> None:
    """Compiles classes against the jars in ``lib``; raises NodeError with the first complaint."""
    release = str(java_of(version))
    command = [str(compiler), "--release", release, "-cp", f"{lib}/*", "-d", str(to)]
    done = subprocess.run(
        [*command, *map(str, sources_of(classes, version))],
        capture_output=True,
        text=True,
        timeout=_COMPILE_TIMEOUT_S,
    )
    if done.returncode:
        raise NodeError(f"the launcher does not compile: {done.stderr.strip().splitlines()[:1]}")


def java_of(version: str) -> int:
    """The Java that a version's plugins are compiled for."""
    return 17 if version.startswith("8.") else 21


def add_root(version: str, distribution: Path) -> bool:
    """Gives a node that lacks it ``GET /``, as a module; whether it has it then.

    Needs a JDK: without one the node serves all the rest. Raises NodeError, OSError.
    """
    module = distribution / "modules" / _ROOT
    if module.is_dir():
        return True
    try:
        compiler = find_java(java_of(version), "javac") / "bin" / "javac"
    except JavaNotFound:
        return False
    with tempfile.TemporaryDirectory(prefix=f".{_ROOT}-", dir=distribution) as scratch:
        classes, staging = Path(scratch) / "classes", Path(scratch) / _ROOT
        compile_for(version, compiler, distribution / "lib", ("RootHandler", "RootPlugin"), classes)
        staging.mkdir()
        with zipfile.ZipFile(staging / f"{_ROOT}.jar", "w") as jar:
            for compiled in sorted(classes.glob("*.class")):
                jar.write(compiled, compiled.name)
        described = _ROOT_DESCRIPTOR.format(name=_ROOT, version=version, java=java_of(version))
        (staging / "plugin-descriptor.properties").write_text(described)
        staging.rename(module)
    return True


def _since(form: Path) -> tuple[int, ...]:
    return numbers(form.parent.name.removeprefix("since-"))


def numbers(version: str) -> tuple[int, ...]:
    """A version as it is compared."""
    return tuple(map(int, version.split(".")))
