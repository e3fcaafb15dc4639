"""The command line as a user meets it: results on stdout, one line for an error, exit codes."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import tiny_models
from command_line import Run, running_in, succeeded
from densehook import node
from densehook.bundle import Bundle
from densehook.export.texts import PASSAGES


@pytest.fixture
def run(node_url: str, tmp_path: Path) -> Run:
    """Runs `densehook` in an empty folder, against the tests' node."""
    return running_in(tmp_path, DENSEHOOK_ES_URL=node_url)


def error_of(done: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """The one line on stderr."""
    assert done.returncode == code, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A BEIR folder: the first eight passages, and questions that the first words answer."""
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(PASSAGES[:8])]
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    queries = [{"_id": f"q{n}", "text": text[:40]} for n, text in enumerate(PASSAGES[:8])]
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in queries))
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(8))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    return folder


def test_the_road_from_a_recipe_to_a_number(run: Run, index: str, corpus: Path) -> None:
    models = corpus.parent / "onnx_models"
    tiny_models.make_bert(models / "source")
    tiny_models.describe(models / "source")
    (models / "tiny.toml").write_text('source = "source"\n')

    out = succeeded(run("export", "onnx_models/tiny.toml"))
    assert out.startswith("onnx_models/tiny: tiny, 32 dims, fp32, sha256:")
    assert "token ids equal" in out

    out = succeeded(run("create", index, "--encoder", "onnx_models/tiny", "--index-type", "flat"))
    assert f"index {index}: embedding (flat, 32 dims)" in out

    out = succeeded(run("ingest", index, corpus))
    assert f"indexed 8 documents into {index}, 0 failed" in out
    assert "no document has the input field title; is it called otherwise?" in out

    for mode in ("bm25", "dense", "hybrid"):
        out = succeeded(run("search", index, PASSAGES[2], "--mode", mode, "-k", 3, "--json"))
        answer = json.loads(out)
        assert answer["mode"] == mode
        assert answer["hits"][0]["id"] == "d2"
        assert answer["hits"][0]["source"] == {"title": "", "text": PASSAGES[2]}
        assert len(answer["hits"]) <= 3

    out = succeeded(run("search", index, "bones", "--fusion", "linear", "--explain", "--json"))
    for hit in json.loads(out)["hits"]:
        parts = hit["explanation"]
        assert [part["list"] for part in parts] == ["bm25", "dense"]
        assert hit["score"] == pytest.approx(sum(part["contribution"] for part in parts))
    out = succeeded(run("search", index, "bones", "--explain"))
    head, *lines = out.splitlines()
    assert head.split() == [
        "score",
        "id",
        *("bm25", "score", "adds", "dense", "score", "adds"),
        "document",
    ]
    assert all(len(line) <= 120 for line in lines)
    assert len(lines) == len(json.loads(succeeded(run("search", index, "bones", "--json")))["hits"])

    out = succeeded(run("evaluate", corpus, "--index", index, "--output", "numbers"))
    assert "8 queries; runs and metrics.json in numbers" in out
    metrics = json.loads((corpus.parent / "numbers" / "metrics.json").read_text())
    assert metrics["queries"] == 8
    assert metrics["systems"]["bm25"]["nDCG@10"] == 1
    assert set(metrics["systems"]["rrf"]) == {"nDCG@10", "R@100", "AP@100", "RR@10"}
    runs = {path.name for path in (corpus.parent / "numbers" / "runs").iterdir()}
    assert runs == {f"{name}.trec" for name in metrics["systems"]}
    assert len(runs) == 7
    first = (corpus.parent / "numbers" / "runs" / "bm25.trec").read_text().splitlines()[0]
    assert first.split()[:4] == ["q0", "Q0", "d0", "1"]

    page = (corpus.parent / "numbers" / "report.html").read_text()
    assert f"<dd>{index}</dd>" in page
    assert list(metrics["latency"]) == ["bm25", "dense", "rrf", "linear"]
    assert all(
        0 < each["p50"] <= each["p99"] for took in metrics["latency"].values() for each in took
    )

    near = ("--kinds", "int8_hnsw", "--candidates", 20, "--queries", 4, "--output", "near")
    out = succeeded(run("ann", corpus, "--index", index, *near))
    assert "Take " in out
    assert {each.name for each in (corpus.parent / "near").iterdir()} == {
        "ann.html",
        "ann.json",
        "ann.md",
    }
    assert "no index type 'ivf'" in error_of(run("ann", corpus, "--index", index, "--kinds", "ivf"))

    best = ("optimise", corpus, "--index", index, "--folds", 2, "--output", "best", "--query-wise")
    out = succeeded(run(*best))
    assert "chosen on 2 folds of " in out
    assert "not surely better, so nothing is kept" in " ".join(out.split())
    choice = json.loads((corpus.parent / "best" / "choice.json").read_text())
    assert choice["asked"]["fusion"] == choice["request"]["retriever"]["hybrid"]["fusion"]
    assert {"fusion", "intercept", "features"} < set(choice["learned"])
    chosen = json.loads((corpus.parent / "best" / "metrics.json").read_text())
    assert list(chosen["systems"]) == ["rrf", "linear", "chosen", "learned", "bm25", "dense"]
    assert chosen["baseline"] == "rrf"
    mine = ("--run", "mine=numbers/runs/dense.trec")
    out = succeeded(run("optimise", corpus, "--index", index, *mine, "--output", "three"))
    assert "mine " in out
    assert "request" not in json.loads((corpus.parent / "three" / "choice.json").read_text())
    refused = run(*best, *mine)
    assert "weights for each query are learned for BM25 and dense search alone" in error_of(refused)
    dev = ("optimise", corpus, "--index", index, "--dev", "dev")
    assert f"{corpus} has no split 'dev'; it has test: name one" in error_of(run(*dev))
    same = run("optimise", corpus, "--index", index, "--dev", "test")
    assert "8 queries of 'beir' are those it is measured on; choose on others" in error_of(same)

    # what encodes nothing asks for no bundle
    shutil.rmtree(models / "tiny")
    measure = ("evaluate", corpus, "--index", index, "--output", "again", "--systems")
    succeeded(run(*measure, "bm25,pyserini-bm25"))
    again = json.loads((corpus.parent / "again" / "metrics.json").read_text())
    assert again["systems"] == {
        name: metrics["systems"][name] for name in ("bm25", "pyserini-bm25")
    }
    for system in ("dense", "pyserini-rrf"):
        assert "was made with the encoder 'tiny'; no bundle 'tiny': neither a folder" in error_of(
            run(*measure, system)
        )


@pytest.mark.parametrize("version", node.RELEASES)
def test_the_same_road_with_the_encoder_in_the_cluster(
    run: Run, corpus: Path, minilm_bundle: Bundle, version: str
) -> None:
    home = Path(tempfile.mkdtemp(prefix="densehook cli "))
    home.chmod(0o755)  # the node's user has to get in
    here = {"DENSEHOOK_HOME": str(home), "DENSEHOOK_ES_URL": ""}
    try:
        start = ("es", "start", "--version", version, "--bundle", minilm_bundle.path)
        out = succeeded(run(*start, **here))
        assert f"Elasticsearch {version} runs at http://127.0.0.1:" in out
        assert "encoder all-minilm-l6-v2 is ready" in out
        create = ("create", "inside", "--encoder", minilm_bundle.path, "--in-cluster")
        out = succeeded(run(*create, "--index-type", "flat", **here))
        assert "pipeline densehook-inside" in out
        # from here on no bundle is at hand: the cluster encodes
        out = succeeded(run("ingest", "inside", corpus, **here))
        assert "indexed 8 documents into inside, 0 failed" in out
        for more in (["--mode", "dense"], [], ["--fusion", "linear"], ["--explain"]):
            out = succeeded(run("search", "inside", PASSAGES[2], *more, "--json", **here))
            assert json.loads(out)["hits"][0]["id"] == "d2"
        out = succeeded(run("evaluate", corpus, "--index", "inside", "--output", "numbers", **here))
        metrics = json.loads((corpus.parent / "numbers" / "metrics.json").read_text())
        for system in ("bm25", "dense", "rrf", "linear"):
            assert metrics["systems"][system]["nDCG@10"] == 1
        wrong = run(*start, "--plugin", home / "none.zip", **here)
        assert "none.zip is no Elasticsearch plugin" in error_of(wrong)
    finally:
        succeeded(run("es", "stop", **here))
        shutil.rmtree(home)


def test_a_damaged_archive_is_one_line_whatever_reads_it(
    run: Run, index: str, tiny_bundle: Bundle, corpus: Path
) -> None:
    succeeded(run("create", index, "--encoder", tiny_bundle.path))
    archive = corpus / "corpus.jsonl.gz"
    archive.write_bytes(gzip.compress((corpus / "corpus.jsonl").read_bytes())[:-9])
    (corpus / "corpus.jsonl").unlink()
    encoder = ("--encoder", tiny_bundle.path)
    commands = (
        ("ingest", index, corpus, *encoder),
        ("evaluate", corpus, "--index", index, "--systems", "pyserini-bm25"),
        ("tune", tiny_bundle.path, "--collection", corpus),
        ("whiten", tiny_bundle.path, "white", "--collection", corpus),
        ("bench", tiny_bundle.path, "--texts", archive),
    )
    for command in commands:
        assert f"{archive} cannot be read to its end: " in error_of(run(*command))
    assert "no hits" in succeeded(run("search", index, "water", "--mode", "bm25"))


def test_a_bad_line_is_named_the_rest_goes_in_and_the_exit_code_says_so(
    run: Run, index: str, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    succeeded(run("create", index, "--encoder", tiny_bundle.path, "--input", "text"))
    lines = [
        '{"_id": "a", "text": "water"}',
        '{"_id": "b", "text": ',
        '{"_id": "c", "other": 1}',
        '{"_id": "a", "text": "again"}',
        '{"_id": "d", "text": "ice"}',
    ]
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    ingest = ("ingest", index, "corpus.jsonl.gz", "--encoder", tiny_bundle.path)
    path = tmp_path / "a folder" / "that is not there" / "failures.jsonl"
    done = run(*ingest, "--failures", path)
    assert done.returncode == 1
    assert "indexed 3 documents" in done.stdout
    assert "2 failed" in done.stdout
    assert "1 have no text at all, and so no vector" in done.stdout
    assert "corpus.jsonl.gz:2: " in done.stderr
    assert "corpus.jsonl.gz:4: id 'a' is in the index already" in done.stderr
    failures = [json.loads(row) for row in path.read_text().splitlines()]
    assert [failure["origin"] for failure in failures] == ["corpus.jsonl.gz:2", "corpus.jsonl.gz:4"]
    done = run(*ingest, "--replace")
    assert "indexed 4 documents" in done.stdout
    # 'a' comes twice: "water" is what it has, "again" is not
    assert "2 have the vector that was there already, of the same text" in done.stdout
    line = error_of(run(*ingest, "--failures", tmp_path / "corpus.jsonl.gz" / "below a file"))
    assert "below a file cannot be written: " in line
    for source, into in (("corpus.jsonl.gz", "./corpus.jsonl.gz"), (".", "failures.jsonl")):
        done = run("ingest", index, source, "--failures", into)
        assert done.returncode == 2
        assert "is a file to ingest" in done.stderr
    assert (tmp_path / "corpus.jsonl.gz").read_bytes()


def test_files_as_they_come_are_indexed_by_the_names_they_are_given(
    run: Run, index: str, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    succeeded(run("create", index, "--encoder", tiny_bundle.path, "--input", "text"))
    (tmp_path / "a.csv").write_text("pmid;body\r\n7;water\r\n8;ice\r\n", encoding="utf-8-sig")
    ingest = ("ingest", index, "a.csv", "--encoder", tiny_bundle.path)
    assert error_of(run(*ingest, "--id", "pmid")).startswith(
        "error: a.csv has no column 'text' or 'embedding'; it has 'pmid', 'body': rename"
    )
    assert "no hits" in succeeded(run("search", index, "water", "--mode", "bm25"))
    out = succeeded(run(*ingest, "--id", "pmid", "--rename", "body=text"))
    assert f"indexed 2 documents into {index}, 0 failed" in out
    out = succeeded(run("search", index, "water", "--mode", "bm25", "--json"))
    assert [(hit["id"], hit["source"]["text"]) for hit in json.loads(out)["hits"]] == [
        ("7", "water")
    ]


def test_an_unknown_index_is_one_line(run: Run, tiny_bundle: Bundle, corpus: Path) -> None:
    for command in (
        ("ingest", "nowhere", corpus, "--encoder", tiny_bundle.path),
        ("search", "nowhere", "text"),
        ("evaluate", corpus, "--index", "nowhere", "--encoder", tiny_bundle.path),
    ):
        line = error_of(run(*command))
        assert "there is no index 'nowhere'; make one with: densehook create nowhere" in line


def test_brackets_are_shown_as_they_are(run: Run) -> None:
    assert "there is no index '[red]x'" in error_of(run("search", "[red]x", "[/]"))


def test_another_encoder_is_one_line_with_both_names(
    run: Run, index: str, tiny_bundle: Bundle, other_tiny_bundle: Bundle, corpus: Path
) -> None:
    succeeded(run("create", index, "--encoder", tiny_bundle.path))
    for command in (("ingest", index, corpus), ("search", index, "text")):
        line = error_of(run(*command, "--encoder", other_tiny_bundle.path))
        assert tiny_bundle.manifest.fingerprint[:15] in line
        assert other_tiny_bundle.manifest.fingerprint[:15] in line


def test_a_bundle_that_is_not_there_says_which_is_wanted(
    run: Run, index: str, tiny_bundle: Bundle
) -> None:
    succeeded(run("create", index, "--encoder", tiny_bundle.path))
    line = error_of(run("search", index, "text"))
    assert "made with the encoder 'tiny-bert'; no bundle 'tiny-bert': neither a folder" in line
    assert "nor in onnx_models" in line and "--encoder" in line


def test_a_flipped_byte_is_one_line(run: Run, damaged: Bundle) -> None:
    content = bytearray(damaged.model.read_bytes())
    content[1000] ^= 1
    damaged.model.write_bytes(content)
    line = error_of(run("create", "never-made", "--encoder", damaged.path))
    assert "model.onnx is not the file that was exported" in line


def test_a_mistyped_recipe_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('source = "x"\npoling = "mean"\n')
    assert "unknown key 'poling'; did you mean 'pooling'?" in error_of(run("export", "r.toml"))


def test_an_unreachable_cluster_is_one_line(run: Run) -> None:
    line = error_of(run("search", "x", "text", "--url", "http://127.0.0.1:9"))
    assert "nothing answers at http://127.0.0.1:9" in line


def test_no_cluster_at_all_says_how_to_start_one(run: Run, tmp_path: Path) -> None:
    line = error_of(run("search", "x", "text", DENSEHOOK_ES_URL="", DENSEHOOK_HOME=str(tmp_path)))
    assert "densehook es start" in line


def test_unknown_systems_modes_and_fusions_list_the_known(
    run: Run, index: str, tiny_bundle: Bundle, corpus: Path
) -> None:
    succeeded(run("create", index, "--encoder", tiny_bundle.path))
    line = error_of(run("evaluate", corpus, "--index", index, "--systems", "bm52"))
    assert "bm52" in line
    assert "pyserini-bm25" in line
    encoder = ("--encoder", tiny_bundle.path)
    assert "rrf, linear" in error_of(run("search", index, "x", "--fusion", "zz", *encoder))
    done = run("search", index, "x", "--mode", "zz")
    assert done.returncode == 2
    assert "bm25, dense, sparse, maxsim, hybrid" in done.stderr
    done = run("search", index, "\u00a0 ")
    assert done.returncode == 2
    assert "has no text to search for" in done.stderr


def test_a_traceback_only_with_debug(run: Run) -> None:
    command = ("search", "x", "text", "--url", "http://127.0.0.1:9")
    assert "Traceback" not in run(*command).stderr
    assert "Traceback" in run("--debug", *command).stderr


def test_an_existing_index_is_one_line(run: Run, index: str, tiny_bundle: Bundle) -> None:
    succeeded(run("create", index, "--encoder", tiny_bundle.path))
    line = error_of(run("create", index, "--encoder", tiny_bundle.path))
    assert f"index '{index}' exists already" in line


def test_status_says_where_the_node_is(run: Run, node_url: str, tmp_path: Path) -> None:
    assert node_url in succeeded(run("es", "status"))
    done = run("es", "status", DENSEHOOK_HOME=str(tmp_path / "elsewhere"))
    assert done.returncode == 1
    assert "densehook es start" in done.stdout
    assert "no Elasticsearch was running" in succeeded(
        run("es", "stop", DENSEHOOK_HOME=str(tmp_path / "elsewhere"))
    )


def test_the_version_is_printed(run: Run) -> None:
    from densehook import __version__

    assert succeeded(run("--version")) == f"densehook {__version__}\n"


def test_bench_says_how_fast_a_bundle_is(run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    out = succeeded(run("bench", tiny_bundle.path))
    assert "texts/s" in out
    assert "queries, 4 at a time" in out
    (tmp_path / "texts.txt").write_text("water\n\n" + "water " * 1000 + "\n")
    out = succeeded(run("bench", tiny_bundle.path, "--texts", "texts.txt", "--json"))
    measured = json.loads(out)
    assert measured["bulk"]["texts"] == 2
    assert measured["bulk"]["truncated_texts"] == 1
    assert measured["bulk_seconds"] > 0
    assert 0 <= measured["padding"] < 0.1
    assert [queries["callers"] for queries in measured["queries"]] == [1, 4]
    assert all(0 < queries["p50_ms"] <= queries["p99_ms"] for queries in measured["queries"])


def test_bench_without_texts_says_what_to_give(
    run: Run, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    assert "one on a line" in error_of(run("bench", tiny_bundle.path, "--texts", "empty.txt"))
    assert "there is no file none.txt" in error_of(
        run("bench", tiny_bundle.path, "--texts", "none.txt")
    )
