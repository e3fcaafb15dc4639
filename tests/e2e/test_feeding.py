"""What cannot be indexed is kept whole, says why, and goes in when it is mended."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from benchmarks.faults.proxy import Proxy
from benchmarks.faults.schedule import Answer
from elasticsearch import ApiError, Elasticsearch

from command_line import COMMAND, Run, running_in, succeeded
from conftest import ROOT
from densehook.bundle import Bundle
from densehook.collections import documents_from
from densehook.elastic.checkpoints import CHECKPOINTS
from densehook.encode import Encoder
from densehook.errors import CheckpointError, RequestError
from densehook.index import Index

Letter = dict[str, Any]

DOCUMENTS, OF_EACH = 1000, 3
PARTS = ("1/2", "2/2")


def with_line(mend: Callable[[str, str], str]) -> Callable[[str, Letter], Letter]:
    return lambda id_, letter: {**letter, "line": mend(id_, letter["line"])}


def with_fields(**fields: Any) -> Callable[[str, Letter], Letter]:
    return lambda id_, letter: {**letter, "document": {**letter["document"], **fields}}


def with_id(id_: str, letter: Letter) -> Letter:
    return {**letter, "id": id_}


BROKEN: dict[str, tuple[Callable[[str], str], str, Callable[[str, Letter], Letter]]] = {
    "torn": (
        lambda id_: f'{{"_id": "{id_}", "text": ',
        "Expecting value",
        with_line(lambda id_, line: line + '"water"}'),
    ),
    "a list": (
        lambda id_: json.dumps([id_, "water"]),
        "a document is a JSON object, this is a list",
        lambda id_, letter: {**letter, "id": id_, "document": {"text": "water"}},
    ),
    "no id": (
        lambda id_: json.dumps({"text": "water"}),
        "no _id, no id and no docid",
        with_line(lambda id_, line: json.dumps({**json.loads(line), "_id": id_})),
    ),
    "no id that can be": (
        lambda id_: json.dumps({"_id": True, "text": "water"}),
        "_id is True; it must be a string or a whole number",
        with_line(lambda id_, line: json.dumps({**json.loads(line), "_id": id_})),
    ),
    "a long id": (
        lambda id_: json.dumps({"_id": id_ * 200, "text": "water"}),
        "must be no longer than 512 bytes",
        with_id,
    ),
    "an id twice": (
        lambda id_: json.dumps({"_id": "d999", "text": "water"}),
        "id 'd999' is in the index already",
        with_id,
    ),
    "an object": (
        lambda id_: json.dumps({"_id": id_, "text": {"body": "water"}}),
        "input field 'text' is an object, not text",
        with_fields(text="water"),
    ),
    "a name that is taken": (
        lambda id_: json.dumps({"_id": id_, "text": "water", "densehook": "mine"}),
        "field 'densehook' is kept for notes",
        with_fields(densehook={}),
    ),
    "a word that the model cannot run": (
        lambda id_: json.dumps({"_id": id_, "text": "a guiltyword"}),
        "the model cannot run it",
        with_fields(text="an innocent word"),
    ),
    "no day": (
        lambda id_: json.dumps({"_id": id_, "text": "water", "day": "never"}),
        "failed to parse field [day]",
        with_fields(day="2026-11-26"),
    ),
}
"""What a line is, of an id; why it cannot be indexed; and its letter mended."""


def told(letter: Letter) -> tuple[str, str]:
    """What a letter says, but for where in its request a text was."""
    return re.sub(r"text \d+: ", "", letter["reason"]), str(letter.get("line"))


@pytest.fixture
def run(node_url: str, tmp_path: Path) -> Run:
    return running_in(tmp_path, DENSEHOOK_ES_URL=node_url)


def test_of_1000_documents_30_broken_in_10_ways_go_in_when_they_are_mended(
    run: Run, client: Elasticsearch, index: str, guilty_bundle: Bundle, tmp_path: Path
) -> None:
    encoder = ("--encoder", guilty_bundle.path)
    succeeded(run("create", index, *encoder, "--input", "text", "--not-in-cluster"))
    client.indices.put_mapping(index=index, properties={"day": {"type": "date"}})
    ways = {f"d{30 * n}": list(BROKEN)[n % len(BROKEN)] for n in range(1, 31)}
    lines = [
        BROKEN[ways[id_]][0](id_)
        if (id_ := f"d{n}") in ways
        else json.dumps({"_id": id_, "text": f"water number {n}"})
        for n in reversed(range(DOCUMENTS))
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines))

    done = run("ingest", index, "corpus.jsonl", *encoder, "--failures", "dead.jsonl")
    assert done.returncode == 1
    assert f"indexed 970 documents into {index}, 30 failed" in done.stdout
    letters = [json.loads(row) for row in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert len(letters) == len(ways)
    counted: Counter[str] = Counter()
    mended = []
    for letter in letters:
        name, _, number = letter["origin"].partition(":")
        id_ = f"d{DOCUMENTS - int(number)}"
        _, reason, mend = BROKEN[ways[id_]]
        assert name == "corpus.jsonl"
        assert reason in letter["reason"]
        assert letter["again"] is False
        counted[ways[id_]] += 1
        mended.append(mend(id_, letter))
    assert counted == dict.fromkeys(BROKEN, OF_EACH)

    # as they are, they fail again, for the same reasons
    replay = ("ingest", index, "--replay")
    done = run(*replay, "dead.jsonl", *encoder, "--failures", "again.jsonl")
    assert f"indexed 0 documents into {index}, 30 failed" in done.stdout
    again = [json.loads(row) for row in (tmp_path / "again.jsonl").read_text().splitlines()]
    assert sorted(map(told, again)) == sorted(map(told, letters))
    assert {letter["origin"].partition(":")[0] for letter in again} == {"dead.jsonl"}

    (tmp_path / "mended.jsonl").write_text("\n".join(map(json.dumps, mended)))
    out = succeeded(run(*replay, "mended.jsonl", *encoder))
    assert f"indexed 30 documents into {index}, 0 failed" in out
    stored = client.search(index=index, size=0, query={"exists": {"field": "embedding"}})
    assert stored["hits"]["total"]["value"] == DOCUMENTS
    assert client.get(index=index, id="d30")["_source"]["text"]

    (tmp_path / "torn.jsonl").write_text((tmp_path / "mended.jsonl").read_text()[:-20])
    done = run(*replay, "torn.jsonl", *encoder, "--replace")
    assert done.returncode == 1
    assert "torn.jsonl:30: " in done.stderr
    assert f"indexed 29 documents into {index}, 1 failed" in done.stdout


def test_a_feed_that_is_killed_goes_on_and_the_index_is_that_of_one_left_alone(
    run: Run, node_url: str, client: Elasticsearch, index: str, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    encoder = ("--encoder", tiny_bundle.path)
    rows = [{"_id": f"d{n}", "text": f"water number {n}", "n": n} for n in range(4000)]
    lines = [json.dumps(row) for row in rows]
    lines[700] = "torn"
    lines[1500] = json.dumps({"_id": "d3", "text": "d3 is there already"})
    lines[3900] = json.dumps({"_id": "d3899", "text": "water", "n": "not the first"})
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines))
    alone = f"{index}-alone"
    try:
        for name in (index, alone):
            succeeded(run("create", name, *encoder, "--input", "text", "--not-in-cluster"))
        undisturbed = ("ingest", alone, "corpus.jsonl", *encoder, "--failures", "alone.jsonl")
        done = run(*undisturbed, "--checkpoint", "alone.json")
        assert "indexed 3,997 documents" in done.stdout

        ingest = ("ingest", index, "corpus.jsonl", *encoder, "--failures", "dead.jsonl")
        ingest = (*ingest, "--checkpoint", "feed.json")
        reached = [0]
        for at in (1, 1000, 2000):
            killed_at(at, ingest, tmp_path, node_url, lambda: done_in(tmp_path / "feed.json"))
            reached.append(json.loads((tmp_path / "feed.json").read_text())["done"])
        assert reached == sorted(set(reached))
        done = run(*ingest)
        assert f"feed.json: {reached[-1]:,} documents are done already" in done.stderr
        assert done.returncode == 1

        assert everything(client, index) == everything(client, alone)
        assert len(everything(client, index)) == 3997
        letters = (tmp_path / "dead.jsonl").read_text()
        assert letters == (tmp_path / "alone.jsonl").read_text()

        done = run(*ingest)  # once more: nothing is left, and what failed is not forgotten
        assert "4,000 documents are done already, 3 failed" in done.stderr
        assert "nothing is left; to feed it anew, delete feed.json" in done.stdout
        assert done.returncode == 1
        assert (tmp_path / "dead.jsonl").read_text() == letters
        (tmp_path / "corpus.jsonl").write_text("\n".join(lines[:10]))
        line = run(*ingest).stderr
        assert "feed.json was kept for another feed: its source is " in line
    finally:
        client.indices.delete(index=alone, ignore_unavailable=True)


def killed_at(
    at: int, command: tuple[object, ...], folder: Path, url: str, done: Callable[[], int]
) -> None:
    """Runs a feed and ends it, as no signal can be caught, when so many items are done."""
    feeding = subprocess.Popen(
        [*COMMAND, *map(str, command)],
        cwd=folder,
        env={**os.environ, "DENSEHOOK_ES_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while done() < at:
        assert feeding.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    feeding.kill()
    feeding.wait()


def done_in(file: Path) -> int:
    """How many items a checkpoint says are done; -1 where there is no file yet."""
    return int(json.loads(file.read_text())["done"]) if file.exists() else -1


def everything(client: Elasticsearch, index: str) -> dict[str, Any]:
    """All documents with their vectors."""
    client.indices.refresh(index=index)
    found = client.search(index=index, size=5000, query={"match_all": {}})
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


def test_a_feed_whose_cluster_stays_away_stops_and_goes_on(
    run: Run, node_url: str, client: Elasticsearch, index: str, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    encoder = ("--encoder", tiny_bundle.path)
    succeeded(run("create", index, *encoder, "--input", "text", "--not-in-cluster"))
    rows = [{"_id": f"d{n}", "text": f"water number {n}"} for n in range(1000)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    bulks = count()

    def from_the_fifth_bulk(number: int, path: str) -> Answer:
        gone = "_bulk" in path and next(bulks) >= 4
        return Answer(status=503) if gone else Answer()

    ingest = ("ingest", index, "corpus.jsonl", *encoder, "--failures", "dead.jsonl")
    resumed = (*ingest, "--checkpoint", "feed.json")
    with Proxy(lambda: node_url, from_the_fifth_bulk, lambda number: None) as proxy:
        done = run(*resumed, "--patience", "1s", DENSEHOOK_ES_URL=proxy.url)
    assert done.returncode == 75
    assert done.stderr.splitlines()[-1] in (ROOT / "docs" / "feeding.md").read_text()
    assert json.loads((tmp_path / "feed.json").read_text())["done"] == 512
    assert (tmp_path / "dead.jsonl").read_text() == ""
    assert f"indexed 488 documents into {index}, 0 failed" in succeeded(run(*resumed))

    # without a checkpoint what was in flight is kept, to be fed again
    client.indices.delete(index=index)
    succeeded(run("create", index, *encoder, "--input", "text", "--not-in-cluster"))
    (tmp_path / "dead.jsonl").unlink()
    bulks = count()
    with Proxy(lambda: node_url, from_the_fifth_bulk, lambda number: None) as proxy:
        done = run(*ingest, "--patience", "0s", DENSEHOOK_ES_URL=proxy.url)
    assert done.returncode == 75
    assert "512 documents were indexed before that; run it again with --replace" in done.stderr
    letters = [json.loads(row) for row in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert [letter["id"] for letter in letters] == [f"d{n}" for n in range(512, 768)]
    assert {letter["again"] for letter in letters} == {True}
    out = succeeded(run("ingest", index, "--replay", "dead.jsonl", *encoder))
    assert f"indexed 256 documents into {index}, 0 failed" in out


def test_a_checkpoint_in_the_cluster_is_as_one_in_a_file(
    run: Run, node_url: str, client: Elasticsearch, index: str, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    encoder = ("--encoder", tiny_bundle.path)
    create = ("create", index, *encoder, "--input", "text", "--not-in-cluster")
    succeeded(run(*create))
    rows = [{"_id": f"d{n}", "text": f"water number {n}"} for n in range(2000)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "more.jsonl").write_text('{"_id": "more", "text": "wine"}')
    kept = ("--checkpoint", "index")
    parts = [("ingest", index, "corpus.jsonl", *encoder, *kept, "--part", p) for p in PARTS]
    killed_at(256, parts[0], tmp_path, node_url, lambda: done_of(client, f"{index}:1-of-2"))
    reached = done_of(client, f"{index}:1-of-2")
    for part in parts:
        done = run(*part)
        assert done.returncode == 0
        assert (f"{reached:,} documents are done already" in done.stderr) == (part == parts[0])
        assert "nothing is left" in succeeded(run(*part))
    assert len(everything(client, index)) == 2000
    assert not list(tmp_path.glob("index*"))

    # it is for everyone to see, and another source is fed once this one is finished
    documents = {f"{index}:{number}-of-2" for number in (1, 2)}
    found = client.mget(index=CHECKPOINTS, ids=sorted(documents))["docs"]
    assert sum(doc["_source"]["indexed"] for doc in found) == 2000
    more = ("ingest", index, "more.jsonl", *encoder, *kept)
    assert "indexed 1 documents" in succeeded(run(*more))
    assert "nothing is left; to feed it anew, delete document" in succeeded(run(*more))

    # an index that is made anew begins anew, and one that is dropped leaves nothing
    client.indices.delete(index=index)
    succeeded(run(*create))
    assert "indexed 1 documents" in succeeded(run(*more))
    opened = Index.open(client, index)
    opened.drop()
    gone = client.mget(index=CHECKPOINTS, ids=[index, *documents])["docs"]
    assert not any(doc["found"] for doc in gone)


def test_two_processes_have_no_checkpoint_in_the_cluster_together(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    opened = Index.create(client, index, tiny, inputs=["text"], in_cluster=False)
    first = opened.checkpoint("index", documents_from([]))
    second = opened.checkpoint("index", documents_from([]))
    second.advance(1, 0)
    with pytest.raises(CheckpointError, match="is another process's by now"):
        first.advance(1, 0)
    second.advance(1, 0)
    assert done_of(client, index) == 2
    with pytest.raises(RequestError, match="was kept for another feed: its replace is 'false'"):
        opened.checkpoint("index", documents_from([]), replace=True)
    opened.drop()


def done_of(client: Elasticsearch, checkpoint: str) -> int:
    """How many documents a checkpoint in the cluster says are done; 0 where there is none."""
    try:
        return int(client.get(index=CHECKPOINTS, id=checkpoint)["_source"]["done"])
    except ApiError:  # it is not there yet
        return 0


def test_standard_input_has_no_checkpoint(run: Run) -> None:
    done = run("ingest", "x", "-", "--checkpoint", "feed.json")
    assert done.returncode == 2
    assert "cannot be read again from its beginning" in done.stderr


def test_a_source_or_letters_are_read_and_not_both(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dead.jsonl").write_text("")
    for arguments in ((), ("corpus.jsonl", "--replay", "dead.jsonl")):
        done = run("ingest", "x", *arguments)
        assert done.returncode == 2
        assert "give one of them" in done.stderr
    done = run("ingest", "x", "--replay", "dead.jsonl", "--failures", "dead.jsonl")
    assert "is a file to ingest" in done.stderr
