"""Which software makes the vectors here, for evidence of what it was measured with."""

from __future__ import annotations

from importlib.metadata import packages_distributions, version

from .._version import __version__


def versions() -> dict[str, str]:
    """Versions of densehook and onnxruntime, whichever of its packages is installed."""
    package = packages_distributions()["onnxruntime"][0]
    return {"densehook": __version__, "onnxruntime": version(package)}
