"""How every benchmark says what it found."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)

SCIFACT = Path(
    os.environ.get(
        "DENSEHOOK_SCIFACT",
        Path(__file__).parent.parent.parent / "shared" / "data" / "scifact",
    )
)


@dataclass(frozen=True)
class Result:
    """One measured value beside the bar it has to meet."""

    name: str
    value: float
    bar: str
    holds: bool


def at_most(name: str, value: float, bar: float) -> Result:
    """A value that must not exceed its bar."""
    return Result(name, value, f"<= {bar:g}", value <= bar)


def at_least(name: str, value: float, bar: float) -> Result:
    """A value that must reach its bar."""
    return Result(name, value, f">= {bar:g}", value >= bar)


def near(name: str, value: float, bar: float, tolerance: float) -> Result:
    """A value that must be its bar, give or take the tolerance."""
    holds = abs(value - bar) <= tolerance + 1e-9  # the tolerance itself still holds
    return Result(name, value, f"{bar:.4f} ± {tolerance:g}", holds)


def parser(description: str) -> argparse.ArgumentParser:
    """The options every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", action="store_true", help="print the results as JSON, last")
    return made


def require_scifact() -> Path:
    """SciFact's folder; ends the benchmark with one line when it is absent."""
    if not (SCIFACT / "corpus.jsonl").is_file():
        raise SystemExit(f"SciFact is absent: no corpus.jsonl in {SCIFACT}; set DENSEHOOK_SCIFACT")
    return SCIFACT


def show(title: str, results: Sequence[Result], as_json: bool) -> int:
    """Prints the results; the exit status, 1 when a bar is missed."""
    table = Table("measure", "value", "bar", "", title=title, box=None, title_justify="left")
    for result in results:
        mark = "holds" if result.holds else "MISSED"
        value = f"{result.value:.4f}" if abs(result.value) >= 0.001 else f"{result.value:.1e}"
        table.add_row(result.name, value, result.bar, mark)
    out.print(table)
    out.print(machine())
    if as_json:
        out.print_json(json.dumps([asdict(result) for result in results]))
    return 0 if all(result.holds for result in results) else 1


def machine() -> str:
    """The machine and the versions that a result belongs to."""
    names = ("densehook", "onnxruntime", "elasticsearch", "pyserini")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    cores = len(os.sched_getaffinity(0))
    return f"{_cpu()}, {cores} cores, Python {platform.python_version()}, {versions}"


def _cpu() -> str:
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((x.partition(":")[2] for x in info.splitlines() if x.startswith("model name")), "")
    features = [f for f in ("amx_int8", "avx512_vnni", "avx512f", "avx2") if f" {f}" in info]
    return f"{model.strip() or platform.processor()} ({features[0] if features else 'no AVX2'})"
