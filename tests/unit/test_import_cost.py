"""`import densehook` is cheap and loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"torch", "transformers", "optimum", "onnx", "onnxruntime", "tokenizers", "jnius"}
HEAVY |= {"pyserini", "elasticsearch", "ir_datasets", "numpy", "typer", "rich"}
BOUND_S = 0.3

PROBE = """
import json, sys, time
started = time.perf_counter()
import densehook
seconds = time.perf_counter() - started
print(json.dumps([seconds, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def probe() -> tuple[float, set[str]]:
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    seconds, modules = json.loads(run.stdout)
    return seconds, set(modules)


def test_import_loads_nothing_heavy() -> None:
    _, modules = probe()
    assert not modules & HEAVY


def test_import_takes_under_300_ms() -> None:
    best = min(probe()[0] for _ in range(3))  # the best of three: the first may read from disk
    assert best < BOUND_S


def test_a_command_that_encodes_nothing_here_loads_no_encoder_and_half_a_client() -> None:
    probe = """
import sys
from densehook.cli import app
app(["search"])
from densehook.elastic.lightly import import_client_lightly
import_client_lightly()
import densehook.index
print(*sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert {"densehook.index", "elasticsearch"} <= loaded
    unwanted = {"numpy", "onnxruntime", "tokenizers", "aiohttp", "elasticsearch._async.client"}
    unwanted |= {"pydantic", "elasticsearch._sync.client.ml", "densehook.collections"}
    assert not unwanted & loaded


def test_making_a_variant_or_whitening_loads_no_torch() -> None:
    probe = "import sys, densehook.tune, densehook.export.variants; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
