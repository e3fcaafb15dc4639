"""The commands that make other encoders of an encoder, as a user meets them."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import tiny_models
from command_line import COMMAND, Run, running_in, succeeded
from densehook.bundle import Bundle, Dense, read_bundle
from densehook.export.texts import PASSAGES


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `densehook` in an empty folder; no cluster is needed."""
    return running_in(tmp_path)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A BEIR folder: each question is a passage's first words."""
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(PASSAGES)]
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    queries = [{"_id": f"q{n}", "text": text[:40]} for n, text in enumerate(PASSAGES[:8])]
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in queries))
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(8))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    return folder


@pytest.fixture
def bundle(tiny_bundle: Bundle, tmp_path: Path) -> Path:
    """A tiny bundle that a command may change."""
    return Path(shutil.copytree(tiny_bundle.path, tmp_path / "tiny"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    tiny_models.make_bert(tmp_path / "model")
    tiny_models.describe(tmp_path / "model")
    (tmp_path / "tiny.toml").write_text('source = "model"\n')
    return tmp_path / "model"


def test_tune_prints_every_variant_and_marks_the_chosen(
    run: Run, bundle: Path, corpus: Path, tiny_bundle: Bundle
) -> None:
    arguments = ("tune", "tiny", "--collection", corpus, "--variants", "fp32-fused, int8-dynamic")
    out = succeeded(run(*arguments, "--max-loss", 1))
    assert "depends on the batch" in out
    assert "chosen" in out
    assert "8 queries" in out
    tuned = read_bundle(bundle)
    assert f"tiny is now {tuned.tuning().variant}" in out  # type: ignore[union-attr]
    changed = tuned.manifest.fingerprint != tiny_bundle.manifest.fingerprint
    assert ("its documents anew" in out) == changed
    again = json.loads(succeeded(run(*arguments, "--max-loss", 1, "--json")))
    assert {row["variant"] for row in again["measured"]} == {"fp32", "fp32-fused", "int8-dynamic"}


def test_tune_refuses_an_unknown_variant_and_lists_the_known(run: Run, bundle: Path) -> None:
    done = run("tune", "tiny", "--variants", "int5")
    assert done.returncode == 1
    assert "no variant 'int5'; known are fp32, fp32-fused" in done.stderr


def test_a_command_that_is_terminated_leaves_the_bundle_as_it_was(
    bundle: Path, corpus: Path, tmp_path: Path
) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    manifest = (bundle / "encoder.json").read_bytes()
    command = [*COMMAND, "tune", "tiny", "--collection", str(corpus)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as tuning:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob(".tiny-*/variants")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert tuning.poll() is None
        tuning.terminate()
        assert tuning.wait(60) == 143
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (bundle / "encoder.json").read_bytes() == manifest


def test_curve_prints_layers_by_dimensions(run: Run, model: Path, corpus: Path) -> None:
    arguments = ("--layers", "1", "--dims", "8,16", "--plot", "c.png")
    out = succeeded(run("curve", "tiny.toml", "--collection", corpus, *arguments))
    lines = out.splitlines()
    assert lines[0].split() == ["layers", "texts/s", "8", "dims", "16", "dims", "32", "dims"]
    assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
    assert lines[-1] == "Keep what you choose with layers = N and dims = N in tiny.toml."
    assert (model.parent / "c.png").is_file()
    done = run("curve", "tiny.toml", "--collection", corpus, "--layers", "7")
    assert "error: layers 7 cannot be tried, the model has 2" in done.stderr
    done = run("curve", "tiny.toml", "--dims", "8;16")
    assert "Invalid value for --dims: '8;16'; give whole numbers" in done.stderr


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        ("c.txt", "c.txt does not end in .png, .svg, .pdf"),
        ("none/c.png", "none is not a folder; make it first"),
        ("dir.png", "dir.png is a folder; name a file"),
    ],
)
def test_curve_refuses_a_plot_that_cannot_be_drawn_before_it_measures(
    run: Run, model: Path, plot: str, message: str
) -> None:
    (model.parent / "dir.png").mkdir()
    done = run("curve", "tiny.toml", "--plot", plot)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for --plot: {message}" in done.stderr


def test_curve_shows_what_was_measured_when_it_cannot_be_drawn(
    run: Run, model: Path, corpus: Path
) -> None:
    (model.parent / "c.svg").symlink_to("/dev/full")
    arguments = ("--layers", "2", "--dims", "32", "--plot", "c.svg", "--json")
    done = run("curve", "tiny.toml", "--collection", corpus, *arguments)
    assert (done.returncode, len(json.loads(done.stdout)["points"])) == (1, 1)
    assert done.stderr == "error: c.svg cannot be written: No space left on device\n"


def test_a_recipe_keeps_what_was_chosen(run: Run, model: Path) -> None:
    (model.parent / "tiny.toml").write_text('source = "model"\nlayers = 1\ndims = 8\n')
    assert "tiny, 8 dims, fp32" in succeeded(run("export", "tiny.toml"))
    (model.parent / "tiny.toml").write_text('source = "model"\nlayers = 9\n')
    assert "error: layers is 9, the model has 2" in run("export", "tiny.toml").stderr


def test_whiten_says_what_it_did_to_quality(run: Run, bundle: Path, corpus: Path) -> None:
    out = succeeded(run("whiten", "tiny", "white", "--collection", corpus, "--dims", 8))
    assert "white: white, 8 dims, fp32" in out
    assert f"whitening learned from {len(PASSAGES)} texts of beir" in out
    assert "for 8 queries" in out
    assert "before" in out
    assert read_bundle(bundle.parent / "white").manifest.of(Dense).dims == 8


def test_whiten_learns_from_lines_of_text(run: Run, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("\n".join(PASSAGES[:10]))
    arguments = ("whiten", "tiny", "white", "--texts", "lines.txt", "--name", "mine")
    assert "white: mine, 32 dims" in succeeded(run(*arguments, "--centre-only"))
    done = run(*arguments)
    assert "error: the vectors of 10 texts span 9 directions, 32 are to be kept" in done.stderr
    (tmp_path / "lines.txt").write_text("\n")
    assert "error: lines.txt has no texts" in run(*arguments).stderr
    assert "not both" in run(*arguments, "--collection", "beir").stderr


def test_soup_averages_and_greedy_says_who_stayed(
    run: Run, model: Path, corpus: Path, tmp_path: Path
) -> None:
    shutil.copytree(model, tmp_path / "same")
    assert "soup is the mean of 2 of 2" in succeeded(run("soup", "soup", "model", "same"))
    out = succeeded(run("soup", "soup", "model", "same", "--greedy", "--collection", corpus))
    assert [line.split()[-1] for line in out.splitlines()[1:3]] == ["kept", "kept"]
    assert json.loads((tmp_path / "soup" / "soup.json").read_text())["method"] == "greedy"
    assert "model is named twice" in run("soup", "soup", "model", "model").stderr
    assert "go with --greedy" in run("soup", "soup", "model", "--collection", corpus).stderr
    assert "'none' is neither a folder" in run("soup", "soup", "model", "none").stderr


def test_a_forgotten_output_costs_no_folder(run: Run, model: Path, bundle: Path) -> None:
    models = bundle.parent / "models"
    shutil.copytree(model, models / "model")
    for command in (
        ("soup", "model", "models/model"),
        ("soup", "model", "models/model", "--greedy"),
        ("whiten", "tiny", "models"),
        ("export", "tiny.toml", "--output", "models"),
    ):
        done = run(*command)
        assert done.returncode == 1
        assert "it is not replaced; name another folder, or remove it first" in done.stderr
    assert (model / "model.safetensors").is_file()
    assert [path.name for path in models.iterdir()] == ["model"]
    assert "tiny, 32 dims" in succeeded(run("export", "tiny.toml"))  # the bundle that is there
