"""Which folder a bundle's name means."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import BundleError

MODELS = Path("onnx_models")
"""Where bundles are looked for by name, below the working directory."""


def bundle_folder(name: str | Path) -> Path:
    """The folder of that path; or the bundle of that name in $DENSEHOOK_MODELS or onnx_models.

    Raises BundleError saying where was looked.
    """
    path = Path(name)
    try:
        if path.is_dir():
            return path
    except OSError as error:  # a name too long
        raise BundleError(f"no bundle {str(name)[:60]!r}…: {error.strerror}") from None
    folders = [MODELS]
    if stated := os.environ.get("DENSEHOOK_MODELS"):
        folders.insert(0, Path(stated))
    if len(path.parts) == 1:
        for folder in folders:
            if (folder / path).is_dir():
                return folder / path
        where = f"neither a folder nor in {' or '.join(str(folder) for folder in folders)}"
    else:
        where = "there is no such folder"
    raise BundleError(
        f"no bundle {str(name)!r}: {where}; make one with `densehook export`, or name its folder"
    )
