"""What cannot be indexed is kept whole, says why, and goes in when it is mended."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from command_line import COMMAND, Run, running_in, succeeded
from densehook.bundle import Bundle

Letter = dict[str, Any]

DOCUMENTS, OF_EACH = 1000, 3


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


def test_a_feed_that_is_killed_goes_on_and_the_index_is_that_of_one_left_alone(
    run: Run, client: Elasticsearch, index: str, tiny_bundle: Bundle, tmp_path: Path
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
        done = run("ingest", alone, "corpus.jsonl", *encoder, "--failures", "alone.jsonl")
        assert "indexed 3,997 documents" in done.stdout

        ingest = ("ingest", index, "corpus.jsonl", *encoder, "--failures", "dead.jsonl")
        ingest = (*ingest, "--checkpoint", "feed.json")
        reached = [0]
        for at in (1, 1000, 2000):
            killed_at(at, ingest, tmp_path, client)
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


def killed_at(at: int, command: tuple[object, ...], folder: Path, client: Elasticsearch) -> None:
    """Runs a feed and ends it, as no signal can be caught, when so many items are done."""
    url = str(client.transport.node_pool.get().base_url)
    feeding = subprocess.Popen(
        [*COMMAND, *map(str, command)],
        cwd=folder,
        env={**os.environ, "DENSEHOOK_ES_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kept = folder / "feed.json"
    deadline = time.monotonic() + 120
    while not kept.exists() or json.loads(kept.read_text())["done"] < at:
        assert feeding.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    feeding.kill()
    feeding.wait()


def everything(client: Elasticsearch, index: str) -> dict[str, Any]:
    """All documents with their vectors."""
    client.indices.refresh(index=index)
    found = client.search(index=index, size=5000, query={"match_all": {}})
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


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
