"""What goes wrong in a child process is told in one line, not as a stack trace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from densehook.errors import EvaluationError, MissingExtra
from densehook.evaluation import anserini
from densehook.evaluation.anserini import anserini_jar, run_worker, telling_line

JAVA_TRACE = """\
INFO starting
Exception in thread "main" java.lang.IllegalArgumentException: no such path
\tat java.base/sun.nio.fs.UnixException.translate(UnixException.java:100)
\tat io.anserini.index.IndexCollection.main(IndexCollection.java:1)
\t... 12 more
"""

DISK_FULL = """\
WARNING: sun.misc.Unsafe::invokeCleaner will be removed in a future release
2026-01-01 00:00:00,135 ERROR [main] index.AbstractIndexer (AbstractIndexer.java:281) - \
java.io.IOException: No space left on device
Traceback (most recent call last):
jnius.JavaException: JVM exception occurred: IndexNotFoundException: no segments* file found
\torg.apache.lucene.index.SegmentInfos$FindSegmentsFile.run(SegmentInfos.java:814)
\tio.anserini.search.SimpleSearcher.<init>(SimpleSearcher.java:114)
\tjava.base/sun.nio.fs.UnixException.rethrowAsIOException(UnixException.java:111)
"""

PYTHON_TRACE = """\
Traceback (most recent call last):
  File "worker.py", line 26, in <module>
    r=s.batch_search(q,k,1000,2)
      ^^^^^^^^^^^^^^^^^^^^^^^^^^
jnius.JavaException: JVM exception occurred: java.lang.RuntimeException: queryCount = 1
java.lang.RuntimeException: queryCount = 1
\tio.anserini.search.SimpleSearcher.batch_search_fields(SimpleSearcher.java:561)

"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            JAVA_TRACE,
            'Exception in thread "main" java.lang.IllegalArgumentException: no such path',
        ),
        (DISK_FULL, "java.io.IOException: No space left on device"),
        (
            PYTHON_TRACE,
            "java.lang.RuntimeException: queryCount = 1",
        ),
        ("ERROR: 1 of 2 documents\nbye\n", "1 of 2 documents"),
        ("first\nKilled\n\n", "Killed"),
        ("", "it said nothing"),
    ],
)
def test_the_telling_line_is_no_stack_frame(said: str, line: str) -> None:
    assert telling_line(said.splitlines(keepends=True)) == line


def test_a_worker_that_dies_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dying_worker.py").write_text("print('searched 3')\nraise OSError('disk is full')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(anserini, "_WORKER", "dying_worker")
    heard: list[str] = []
    with pytest.raises(EvaluationError, match=r"^Pyserini failed to index: OSError: disk is full$"):
        run_worker(["index"], tmp_path, heard.append)
    assert heard[0] == "searched 3"


def test_without_pyserini_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyserini", None)
    with pytest.raises(MissingExtra, match=r"pyserini is not installed.*densehook\[evaluate\]"):
        anserini_jar()
