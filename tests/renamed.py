"""A bundle under another name, as the node and the command line know it by that."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from densehook.bundle import Bundle, write_manifest


def renamed(bundle: Bundle, folder: Path, name: str) -> Bundle:
    """A copy in the folder."""
    path = shutil.copytree(bundle.path, folder / name)
    manifest = replace(bundle.manifest, name=name)
    return Bundle(path, write_manifest(path, manifest, manifest.files))
