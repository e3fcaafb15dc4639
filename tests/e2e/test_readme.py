"""What the README shows is what the demo prints."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from densehook import node
from densehook.bundle import Bundle

ROOT = Path(__file__).parent.parent.parent
MADE_WITH = "3.11.7"  # the help topics, and so the numbers, change a little with every Python
NUMBER = re.compile(r"\d\.\d{4}")
TOLERANCE = 0.01  # one rank of one question, which rounding on another CPU may change
RANKS = re.compile(r"^(?P<mark>[✓~ ]) +(?P<bm25>\d+|–) +(?P<dense>\d+|–)  ", re.MULTILINE)


@pytest.fixture(scope="module")
def shown() -> list[str]:
    block = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    return block[1].splitlines()


@pytest.fixture(scope="module")
def printed(minilm_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The demo's output, with a recipe, its bundle and no node; run twice, the second counts."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(minilm_bundle.path, folder / "onnx_models" / "all-minilm-l6-v2")
    shutil.copy(ROOT / "onnx_models" / "all-minilm-l6-v2.toml", folder / "onnx_models")
    home = Path(tempfile.mkdtemp(prefix="densehook-demo-"))
    home.chmod(0o755)  # the node's user has to get in
    environment = {**os.environ, "DENSEHOOK_HOME": str(home)}
    environment.pop("DENSEHOOK_ES_URL", None)
    try:
        for _ in range(2):
            done = subprocess.run(
                [str(Path(sys.executable).with_name("densehook")), "demo"],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
        assert (folder / "build" / "demo" / "metrics.json").is_file()
        yield done.stdout.splitlines()
    finally:
        node.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def comparable(lines: list[str]) -> list[str]:
    """Without what differs by machine: the port, where the command lies, line ends, numbers."""
    text = "\n".join(line.rstrip() for line in lines)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"\S+ (search|create|ingest|es) ", r"densehook \1 ", text)
    text = RANKS.sub(r"\g<mark> ", text)
    text = re.sub(rf"[ *]{NUMBER.pattern}", " N", text)  # which of two is best may change with it
    return text.splitlines()


def test_the_demo_fits_80_columns(printed: list[str]) -> None:
    for line in printed:
        called = re.sub(r"\S+/densehook ", ".venv/bin/densehook ", line)  # as in a checkout
        assert len(called) <= 80, line


def test_the_readme_shows_what_the_demo_prints(shown: list[str], printed: list[str]) -> None:
    if platform.python_version() != MADE_WITH:
        pytest.skip(f"the README's output was made with Python {MADE_WITH}'s help topics")
    assert comparable(printed) == comparable(shown)
    found, expected = (
        [float(number) for line in lines for number in NUMBER.findall(line)]
        for lines in (printed, shown)
    )
    assert found == pytest.approx(expected, abs=TOLERANCE)
    assert ranks(printed) == pytest.approx(ranks(shown), abs=1)


def ranks(lines: list[str]) -> list[int]:
    """Of each hit in both lists; one that a list has not comes after its hundred."""
    hits = list(RANKS.finditer("\n".join(lines)))
    assert hits
    found = [hit[name] for hit in hits for name in ("bm25", "dense")]
    return [101 if rank == "–" else int(rank) for rank in found]


def test_the_readmes_two_commands_are_the_makefiles(shown: list[str]) -> None:
    readme, makefile = ((ROOT / name).read_text() for name in ("README.md", "Makefile"))
    for target in re.findall(r"^    make (\w+)", readme, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("onnx_models/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
