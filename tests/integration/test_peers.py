"""The comparison with other libraries is fair: same texts, one at a time, vectors compared."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from benchmarks.peers import environments
from benchmarks.peers.__main__ import BASELINE, FP32, TUNED, judged_quality, judged_race
from benchmarks.peers.environments import python_of
from benchmarks.peers.models import settings_of
from benchmarks.peers.race import Race, at_its_best, race
from benchmarks.peers.workers import Contestant, Worker, working

from densehook.bundle import Bundle
from densehook.encode import load
from densehook.export.texts import PASSAGES


@pytest.fixture
def ours(tiny_bundle: Bundle) -> Contestant:
    return Contestant("ours", "densehook", tiny_bundle.path)


@pytest.fixture
def worker(ours: Contestant, tmp_path: Path) -> Iterator[Worker]:
    with working(ours, tmp_path) as started:
        yield started


def state_of(worker: Worker) -> str:
    """The letter that Linux gives a process's state."""
    stat = Path(f"/proc/{worker._process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0]


def test_a_worker_encodes_what_it_is_given_and_then_stands_still(
    worker: Worker, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    assert worker.encode(PASSAGES, tmp_path / "vectors.npy") > 0
    expected = load(tiny_bundle.path).encode_documents(PASSAGES)
    np.testing.assert_allclose(np.load(tmp_path / "vectors.npy"), expected, atol=1e-6)
    assert worker.encode(["one more"]) > 0
    assert state_of(worker) == "T"
    assert {"densehook", "onnxruntime"} <= worker.versions.keys()


def test_a_worker_is_gone_afterwards(ours: Contestant, tmp_path: Path) -> None:
    with working(ours, tmp_path) as worker:
        pid = worker._process.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_worker_that_ends_says_why(tmp_path: Path) -> None:
    missing = Contestant("nothing", "densehook", tmp_path / "none")
    with pytest.raises(SystemExit, match=r"nothing ended: .*none"), working(missing, tmp_path):
        pass


def test_all_take_turns_and_are_compared_with_the_first(
    ours: Contestant, other_tiny_bundle: Bundle, tmp_path: Path
) -> None:
    same = Contestant("same", "densehook", ours.folder, {"tokens_per_run": 64})
    other = Contestant("other", "densehook", other_tiny_bundle.path)
    found = race([ours, same, other], PASSAGES, 2, tmp_path)
    assert {name: len(seconds) for name, seconds in found.seconds.items()} == {
        "ours": 2,
        "same": 2,
        "other": 2,
    }
    assert found.cosines["same"] > 0.999999
    assert found.cosines["other"] < 0.99


def test_a_faster_batch_size_runs_beside_the_default(
    monkeypatch: pytest.MonkeyPatch, ours: Contestant, tmp_path: Path
) -> None:
    seconds = {"ours": 3.0, "ours, batch 8": 2.0, "ours, batch 16": 1.0, "ours, batch 32": 2.0}
    monkeypatch.setattr(Worker, "__init__", lambda self, who, log: setattr(self, "contestant", who))
    monkeypatch.setattr(Worker, "encode", lambda self, texts: seconds[self.contestant.name])
    monkeypatch.setattr(Worker, "close", lambda self: None)
    names = [each.name for each in at_its_best(ours, PASSAGES, tmp_path)]
    assert names == ["ours", "ours, batch 16"]
    seconds["ours"] = 0.5
    assert [each.name for each in at_its_best(ours, PASSAGES, tmp_path)] == ["ours"]


def test_ratios_are_taken_within_a_round() -> None:
    found = Race({"fast": [1, 10, 2], "slow": [3, 20, 6]}, {}, {})
    assert found.times("fast", "slow") == 3


def contestants() -> list[Contestant]:
    libraries = {FP32: "densehook", TUNED: "densehook", BASELINE: BASELINE, "other": "fastembed"}
    return [Contestant(name, library, Path()) for name, library in libraries.items()]


def test_the_bars_are_those_of_the_fastest_peer() -> None:
    seconds = {FP32: [2.0], TUNED: [1.0], BASELINE: [4.0], "other": [3.0]}
    found = Race(seconds, dict.fromkeys(seconds, 1.0) | {TUNED: 0.98}, {})
    values = {result.name: result.value for result in judged_race(found, contestants())}
    assert values[f"fp32 / {BASELINE}"] == 2
    assert values["fp32 / the fastest peer (other)"] == 1.5
    assert values["tuned / the fastest peer (other)"] == 3
    assert values["lowest cosine, fp32 vectors of all to ours"] == 1.0


def test_who_encodes_otherwise_or_finds_worse_is_seen() -> None:
    seconds = {FP32: [1.0], TUNED: [1.0], BASELINE: [1.0], "other": [1.0]}
    found = Race(seconds, dict.fromkeys(seconds, 1.0) | {"other": 0.9}, {})
    assert not judged_race(found, contestants())[-1].holds
    equal = judged_quality({FP32: 0.6451, TUNED: 0.6402, BASELINE: 0.6451})
    assert [result.holds for result in equal] == [True, True]
    worse = judged_quality({FP32: 0.6448, TUNED: 0.6400, BASELINE: 0.6451})
    assert [result.holds for result in worse] == [False, False]


def test_an_environment_is_made_once_and_anew_when_its_packages_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = []
    monkeypatch.setattr(environments, "HOME", tmp_path)
    monkeypatch.setattr(environments, "REQUIREMENTS", {"some": ("some==1",)})

    def install(*arguments: str) -> None:
        made.append(arguments[0])
        (tmp_path / "some").mkdir(exist_ok=True)

    monkeypatch.setattr("benchmarks.environments._uv", install)
    assert python_of("some") == python_of("some") == tmp_path / "some" / "bin" / "python"
    assert made == ["venv", "pip"]
    monkeypatch.setattr(environments, "REQUIREMENTS", {"some": ("some==2",)})
    python_of("some")
    assert made == ["venv", "pip"] * 2
    assert python_of("densehook") == Path(sys.executable)


def test_an_environment_that_cannot_be_made_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "HOME", tmp_path)
    monkeypatch.setattr(environments, "REQUIREMENTS", {"some": ("no such requirement",)})
    with pytest.raises(SystemExit, match=r"an environment cannot be made: .*no such requirement"):
        python_of("some")


def test_a_row_of_the_evidence_becomes_an_encoders_settings() -> None:
    row = {"setting": {"provider": "cpu", "tokens_per_run": 512, "concurrent_runs": 2}}
    assert settings_of(row) == {"tokens_per_run": 512, "concurrent_runs": 2}
    json.dumps(settings_of(row))
