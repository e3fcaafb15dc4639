"""A feed's memory does not grow with the corpus."""

from __future__ import annotations

import subprocess
import sys

import pytest

from conftest import ROOT
from densehook.bundle import Bundle

# One feed in a process of its own: prints its peak memory, in MiB.
PROGRAM = """
import sys
from benchmarks.memory import peak_mib
from densehook.elastic.connect import connect
from densehook.elastic.feed import feed
from densehook.elastic.indices import create_index
from densehook.encode import load
from densehook.types import Document

url, bundle, index, count = sys.argv[1:]
client, encoder = connect(url), load(bundle)
create_index(client, index, encoder.manifest, inputs=["text"], index_type="flat")
documents = (
    Document(str(n), {"text": f"passage {n} " + "of some ordinary words " * 20})
    for n in range(int(count))
)
assert feed(client, index, documents, encoder).failed == 0
print(peak_mib())
"""


def peak(url: str, bundle: Bundle, index: str, count: int) -> float:
    command = [sys.executable, "-c", PROGRAM, url, str(bundle.path), index, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout)


@pytest.mark.parametrize("count", [2000])
def test_ten_times_the_corpus_takes_the_same_memory(
    node_url: str, index: str, tiny_bundle: Bundle, client: object, count: int
) -> None:
    once = peak(node_url, tiny_bundle, index, count)
    often = peak(node_url, tiny_bundle, f"{index}-10", 10 * count)
    client.indices.delete(index=f"{index}-10")  # type: ignore[attr-defined]
    assert often <= 1.1 * once
