"""Both runtimes run the same onnxruntime: int8 rounds by the last bit of its kernels."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

POM = Path(__file__).parent.parent.parent / "plugin" / "elasticsearch" / "pom.xml"


def test_the_plugins_onnxruntime_is_pythons() -> None:
    stated = re.search(r"<onnxruntime.version>([\d.]+)<", POM.read_text())
    assert stated is not None
    assert stated[1].split(".")[:2] == version("onnxruntime").split(".")[:2]
