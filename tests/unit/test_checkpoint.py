"""A checkpoint is of one feed, whole or not there, and never behind what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from densehook.collections import Part, documents_from, read_letters
from densehook.errors import CheckpointError, RequestError
from densehook.ingest import Checkpoint, CheckpointFile

OF = {"index": "uuid", "source": "abc", "replace": "false"}


def test_what_is_noted_is_in_the_file_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "feed.json"
    begun = Checkpoint.open(CheckpointFile(path), OF)
    assert not begun.resumed
    assert Checkpoint.open(
        CheckpointFile(path), OF
    ).resumed  # ended before its first window was answered for
    begun.length_of_letters = lambda: 77
    begun.advance(250, 6)
    again = Checkpoint.open(CheckpointFile(path), OF)
    assert (again.done, again.indexed, again.failed, again.letters) == (256, 250, 6, 77)
    assert not again.finished
    again.finish()
    assert Checkpoint.open(CheckpointFile(path), OF).finished
    assert [each.name for each in path.parent.iterdir()] == ["feed.json"]


def test_one_of_another_feed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    Checkpoint.open(CheckpointFile(path), OF)
    with pytest.raises(
        RequestError, match="kept for another feed: its index is 'uuid', and now 'made anew'"
    ):
        Checkpoint.open(CheckpointFile(path), {**OF, "index": "made anew"})


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"of": {}}', json.dumps({"of": {}, "finished": False, "done": -1}), "\xff"],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "feed.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(CheckpointError, match=r"feed.json is no checkpoint of a feed; name"):
        Checkpoint.open(CheckpointFile(path), OF)
    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        Checkpoint.open(CheckpointFile(tmp_path), OF)
    with pytest.raises(CheckpointError, match="cannot be written: "):
        Checkpoint.open(CheckpointFile(path / "below"), OF)


def test_files_that_changed_or_are_read_otherwise_have_another_state(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"_id": "1"}')
    (tmp_path / "b.jsonl").write_text('{"_id": "2"}')
    states = [
        documents_from(path).state,
        documents_from(path, id="_id").state,
        documents_from(path).only(Part(1, 2)).state,
        documents_from(path).only(Part(2, 2)).state,
        documents_from(tmp_path).state,
        documents_from(tmp_path / "*.jsonl", make_ids=True).state,
        read_letters(path, id="x").state,
    ]
    assert documents_from(path).state == states[0]
    path.write_text('{"_id": "1", "more": 1}')
    states.append(documents_from(path).state)
    assert len(set(states)) == len(states)
    assert all(states)
    # rows of a program have no state but how they are read
    assert documents_from([{"_id": "1"}]).state == documents_from([{"_id": "2"}]).state
    assert documents_from([]).only(Part(1, 2)).state != documents_from([]).only(Part(2, 2)).state
