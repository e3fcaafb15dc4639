"""Plugins that only tests need: one Java file of tests/java, compiled for a node and zipped."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from densehook.java import find_java
from densehook.node.launching import java_of

SOURCES = Path(__file__).parent / "java"


def made_plugin(
    name: str, version: str, folder: Path, lib: Path, services: Mapping[str, str] | None = None
) -> Path:
    """The zip of the plugin in tests/java/NAME.java, below ``folder``, made with a node's jars.

    ``services`` are classes of it by the interface they are found by.
    """
    java = java_of(version)
    classes = folder / name
    command: list[str | Path] = [
        find_java(java, "javac") / "bin" / "javac",
        "--release",
        str(java),
        "-cp",
        f"{lib}/*",
    ]
    subprocess.run([*command, "-d", classes, SOURCES / f"{name}.java"], check=True)
    with zipfile.ZipFile(classes / "classes.jar", "w") as jar:
        for compiled in classes.glob("*.class"):
            jar.write(compiled, compiled.name)
        for interface, provider in (services or {}).items():
            jar.writestr(f"META-INF/services/{interface}", provider + "\n")
    archive = folder / f"{name}.zip"
    with zipfile.ZipFile(archive, "w") as plugin:
        plugin.write(classes / "classes.jar", f"{name}.jar")
        described = {
            "name": name.lower(),
            "description": "for tests",
            "version": "1",
            "elasticsearch.version": version,
            "java.version": str(java),
            "classname": name,
        }
        lines = "\n".join(f"{key}={value}" for key, value in described.items())
        plugin.writestr("plugin-descriptor.properties", lines + "\n")
    return archive
