"""Memory does not grow with the corpus: not a feed's, nor a sample's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from densehook.bundle import Bundle

# One feed in a process of its own: prints its peak memory, in MiB.
PROGRAM = """
import sys
from benchmarks.memory import peak_mib
from densehook.elastic.connect import connect
from densehook.ingest import feed
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
    assert often <= 1.05 * once


# A sample of a collection on disk, in a process of its own: what its peak grew by, in MiB.
SAMPLING = """
import sys
from benchmarks.memory import peak_mib
from densehook.collections import open_collection, sample

collection = open_collection(sys.argv[1])
before = peak_mib()
drawn = sample(collection, " ", 1000)
assert (len(drawn.ids), drawn.of, drawn.ids[0]) == (1000, int(sys.argv[2]), "0")
assert len(set(drawn.documents)) == 1000
print(peak_mib() - before)
"""


def test_a_sample_takes_no_more_memory_than_what_it_keeps(tmp_path: Path) -> None:
    count = 40_000
    beir = tmp_path / "large"
    (beir / "qrels").mkdir(parents=True)
    with (beir / "corpus.jsonl").open("w") as file:
        for number in range(count):
            text = f"passage {number} " + "of some ordinary words " * 110
            file.write(json.dumps({"_id": str(number), "title": "", "text": text}) + "\n")
    (beir / "queries.jsonl").write_text('{"_id": "q", "text": "which"}\n')
    (beir / "qrels" / "test.tsv").write_text("q\t0\t1\n")
    assert (beir / "corpus.jsonl").stat().st_size > 100_000_000
    done = subprocess.run(
        [sys.executable, "-c", SAMPLING, str(beir), str(count)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert float(done.stdout) < 15
