"""Whatever breaks while an index is fed, in the end it is that of a feed that was left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.faults.running import Feeding, Outcome
from benchmarks.faults.schedule import KINDS, Schedule, schedule_of
from benchmarks.faults.world import world

from densehook.bundle import Bundle

DOCUMENTS, BULKS = 900, 8
SEEDS = (5, 17, 23)
"""Between them they have all that may break; any other number can be tried in their place."""
IN_NODE_SEED = 23


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    corpus = tmp_path_factory.mktemp("faults") / "corpus.jsonl"
    rows = [json.dumps({"_id": f"d{n}", "text": f"water number {n}"}) for n in range(DOCUMENTS)]
    rows[300] = "torn"
    rows[600] = json.dumps({"_id": "d3", "text": "d3 is there already"})
    corpus.write_text("\n".join(rows))
    return corpus


@pytest.fixture(scope="module")
def feeding(tiny_bundle: Bundle, corpus: Path) -> Iterator[Feeding]:
    with world() as node:
        yield Feeding(node, corpus, tiny_bundle, ["text"])


@pytest.fixture(scope="module")
def alone(feeding: Feeding) -> Outcome:
    """What a feed makes that meets no fault."""
    return left_alone(feeding)


def left_alone(feeding: Feeding) -> Outcome:
    outcome = feeding.run(Schedule(0, ()))
    assert (outcome.runs, len(outcome.held.documents)) == (1, DOCUMENTS - 2)
    assert len(outcome.letters.splitlines()) == 2
    return outcome


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_doubled_or_without_its_vector(
    feeding: Feeding, alone: Outcome, seed: int
) -> None:
    if not feeding.world.small_disk and "disk full" in kinds_of(seed):
        pytest.skip("no disk can be mounted here, and so none can be full")
    outcome = feeding.run(schedule(seed))
    assert not outcome.unlike(alone, feeding.tolerance), schedule(seed)


def test_the_same_where_the_node_that_breaks_makes_the_vectors(
    tiny_bundle: Bundle, corpus: Path
) -> None:
    with world(serves=tiny_bundle) as node:
        feeding = Feeding(node, corpus, tiny_bundle, ["text"], in_node=True)
        alone = left_alone(feeding)
        kinds = [kind for kind in KINDS if kind != "disk full" or node.small_disk]
        struck = schedule_of(IN_NODE_SEED, alone.bulks, rate=0.1, kinds=kinds)
        assert {"node killed", "feeder killed"} & {fault.kind for fault in struck.faults}
        outcome = feeding.run(struck)
        assert not outcome.unlike(alone, feeding.tolerance), struck
        assert outcome.held.without_vector == 0


def schedule(seed: int) -> Schedule:
    return schedule_of(seed, BULKS, rate=0.1)


def kinds_of(seed: int) -> set[str]:
    return {fault.kind for fault in schedule(seed).faults}


def test_the_schedules_have_every_kind_of_fault_and_are_made_of_their_seeds() -> None:
    assert set().union(*map(kinds_of, SEEDS)) == set(KINDS)
    assert {schedule(seed).clock_jumps for seed in SEEDS} == {True, False}
    assert {schedule(seed).checkpoint for seed in SEEDS} == {"feed.json", "index"}
    assert [schedule(seed) for seed in SEEDS] == [schedule(seed) for seed in SEEDS]
    assert schedule(1).noise(17) == schedule(1).noise(17)
    assert str(schedule(5)).startswith("seed 5: ")
