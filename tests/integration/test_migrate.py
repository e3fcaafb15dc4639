"""From one encoder to another behind an alias: nothing lost, nothing unfound, and the way back."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from command_line import COMMAND, running_in, succeeded
from conftest import CrowdedNode
from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.collections import documents_from, open_collection
from densehook.elastic.checkpoints import CHECKPOINTS
from densehook.elastic.patience import Patience
from densehook.elastic.succession import other_templates_of
from densehook.encode import Encoder, load
from densehook.errors import ClusterUnavailable, DensehookError, RequestError
from densehook.export.texts import PASSAGES
from densehook.hooks import Reading, Wording, index_request, note_of
from densehook.index import Index
from densehook.ingest.following import Copier, Following
from densehook.ingest.pace import Pace
from densehook.migration import Gate, Wanted, Way, abort, finish, migrate, roll_back
from densehook.migration.moving import LONGEST_BLOCK_S
from lost_shards import let_back, lose, lost
from renamed import renamed
from tiny_collection import write_beir

ALIAS, OLD = "news", "news-1"
INPUTS = ("title", "text")
WAYS = pytest.mark.parametrize("in_cluster", [True, False], ids=["in the cluster", "here"])
MAPPINGS = {
    "dynamic": "strict",
    "properties": {
        "title": {"type": "text"},
        "text": {"type": "text"},
        "n": {"type": "long"},
        "parts": {"type": "nested", "properties": {"name": {"type": "keyword"}}},
    },
}
FILTERED = {"filter": {"range": {"n": {"gte": 0}}}, "is_hidden": True}


@pytest.fixture
def es(crowded_node: CrowdedNode) -> Iterator[Elasticsearch]:
    """The node's client; indices that a test made are gone after it."""
    yield crowded_node.client
    clear(crowded_node.client)


def clear(es: Elasticsearch) -> None:
    names = es.indices.get(index=f"{ALIAS}*", expand_wildcards="all").body
    es.indices.delete(index=[*names, CHECKPOINTS], ignore_unavailable=True)


@pytest.fixture(scope="module")
def named(
    shared_tiny_bundle: Callable[..., Bundle], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Encoder]:
    """An encoder that differs from the node's in what it reads of long texts; and a worse one."""
    described: dict[str, dict[str, Any]] = {
        "equal": {"max_tokens": 63},
        "worse": {"pooling": "max"},
    }
    made = {
        name: renamed(shared_tiny_bundle(**each), tmp_path_factory.mktemp(name), f"tiny-{name}")
        for name, each in described.items()
    }
    return {name: load(bundle.path) for name, bundle in made.items()}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_beir(tmp_path_factory.mktemp("judged") / "beir")


def text_at(number: int) -> str:
    return f"entry {number} of a register of numbers, {number * number} when it is squared"


def make_news(es: Elasticsearch, encoder: Encoder, documents: int = 200, **settings: Any) -> Index:
    """An index behind an alias: the judged documents, and some more, some of them routed."""
    es.indices.create(
        index=OLD,
        mappings=MAPPINGS,
        settings={"number_of_shards": 2, "number_of_replicas": 0, **settings},
        aliases={ALIAS: {}, f"{ALIAS}-filtered": FILTERED},
    )
    lines: list[dict[str, Any]] = []
    for number, passage in enumerate(PASSAGES):
        source = {"title": passage.split()[0], "text": passage, "parts": [{"name": "a"}, {}]}
        lines += [{"index": {"_id": f"d{number}"}}, source]
    for number in range(documents):
        where = {"routing": "7"} if number % 5 == 0 else {}
        source = {"title": f"title {number}", "text": text_at(number), "n": 0}
        lines += [{"index": {"_id": str(number), **where}}, source]
    assert not es.bulk(index=OLD, operations=lines, refresh=True)["errors"]
    # whole vectors: those of random models are alike enough for int8 to choose what is found
    return Index.add_field(es, OLD, encoder, inputs=INPUTS, index_type="hnsw")


class Writers:
    """Programs that write to the alias all the time, and know what it must hold; in a ``with``."""

    def __init__(self, es: Elasticsearch, documents: int, workers: int = 2) -> None:
        self.expected: dict[str, int | None] = {}
        self.refused: list[float] = []
        self.lost: list[str] = []
        self.unfound: list[str] = []
        self.searches = 0
        self._es = es.options(max_retries=0, request_timeout=60)  # a busy machine loses nothing
        self._documents = documents
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(w,)) for w in range(workers)]
        self._threads.append(threading.Thread(target=self._search))

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def do_enough(self) -> None:
        """Goes on until it has done fifty of each, which takes long on a busy machine."""
        deadline = time.monotonic() + 60
        while min(self.searches, len(self.expected)) <= 50:
            assert time.monotonic() < deadline, (self.searches, len(self.expected))
            time.sleep(0.1)

    def _write(self, worker: int) -> None:
        drawn = np.random.default_rng(worker)
        number = 0
        while not self._ended.is_set():
            number += 1
            at = 2 * int(drawn.integers(self._documents // 2)) + worker  # each has its own
            id_ = str(at)
            routing = "7" if at % 5 == 0 else None
            title = f"title {id_} {number}"
            there = self.expected.get(id_, 0) is not None
            if number % 3 == 0 and there:
                self._until_taken(self._es.delete, id=id_, routing=routing)
                self.expected[id_] = None
            elif number % 3 == 1 and there:
                doc = {"n": number, "title": title}
                self._until_taken(
                    self._es.update, id=id_, doc=doc, routing=routing, retry_on_conflict=9
                )
                self.expected[id_] = number
            else:
                source = {"n": number, "title": title, "text": text_at(at)}
                self._until_taken(self._es.index, id=id_, document=source, routing=routing)
                self.expected[id_] = number
            time.sleep(0.02)  # fewer than are copied meanwhile

    def _until_taken(self, write: Callable[..., object], **said: Any) -> None:
        while True:
            try:
                write(index=ALIAS, **said)
                return
            except ApiError as error:
                if error.error != "cluster_block_exception":
                    self.lost.append(str(error))
                    return
                self.refused.append(time.monotonic())
                time.sleep(0.02)

    def _search(self) -> None:
        while not self._ended.is_set():
            try:
                found = self._es.search(index=ALIAS, query={"ids": {"values": ["d0"]}})
                if found["_shards"]["failed"] or found["hits"]["total"]["value"] != 1:
                    self.unfound.append(str(found))
            except (ApiError, TransportError) as error:
                self.unfound.append(str(error))
            self.searches += 1
            time.sleep(0.005)


def held(es: Elasticsearch, index: str) -> dict[str, Any]:
    """What each document has as n, and its routing."""
    es.indices.refresh(index=index)
    found = es.search(index=index, size=2000, source=["n"])["hits"]["hits"]
    return {hit["_id"]: (hit["_source"].get("n"), hit.get("_routing")) for hit in found}


def assert_have_vectors(es: Elasticsearch, index: str, encoder: Encoder) -> None:
    """Each document has the vector and the note of its text."""
    found = es.search(index=index, size=2000, fields=["embedding"], source=["densehook", *INPUTS])[
        "hits"
    ]["hits"]
    texts = [" ".join(hit["_source"][name] for name in INPUTS) for hit in found]
    for hit, text, vector in zip(found, texts, encoder.encode_documents(texts), strict=True):
        assert np.abs(np.array(hit["fields"]["embedding"]) - vector).max() < 1e-5, hit
        note = note_of(text, encoder.fingerprint)
        assert hit["_source"]["densehook"] == {"embedding": note}, hit


@WAYS
def test_a_move_under_constant_load_loses_no_write_and_fails_no_search(
    crowded_node: CrowdedNode,
    es: Elasticsearch,
    named: Mapping[str, Encoder],
    judged: Path,
    in_cluster: bool,
) -> None:
    encoders = named["equal"], crowded_node.encoder
    before, after = encoders if in_cluster else encoders[::-1]
    make_news(es, before).embed()
    aliases = es.indices.get_alias(index=OLD)[OLD]["aliases"]
    settings = es.indices.get_settings(index=OLD)[OLD]["settings"]["index"]
    gate = Gate(open_collection(str(judged)), max_loss=0.1, encoder=before)
    with Writers(es, 200) as writers:
        time.sleep(0.5)
        done = migrate(es, ALIAS, Wanted(after), gate, way=Way(requests_per_second=150))
        writers.do_enough()
    assert done.refused == "", done.refused
    assert done.verdict is not None and done.verdict.passed
    assert (writers.lost, writers.unfound) == ([], [])
    assert 0 < done.blocked_s < LONGEST_BLOCK_S
    assert es.indices.get_alias(name=ALIAS).body.keys() == {done.new}
    assert es.indices.get_alias(index=done.new)[done.new]["aliases"] == aliases
    kept = es.indices.get_settings(index=done.new)[done.new]["settings"]["index"]
    assert kept["number_of_shards"] == settings["number_of_shards"]
    found = held(es, ALIAS)
    for id_, number in writers.expected.items():
        assert found.get(id_, (None,))[0] == number, id_
    untouched = {str(n) for n in range(200)} - writers.expected.keys()
    assert all(found[id_] == (0, "7" if int(id_) % 5 == 0 else None) for id_ in untouched)
    if in_cluster:
        assert_have_vectors(es, ALIAS, after)
    with pytest.raises(ApiError, match="blocked by"):
        es.index(index=OLD, document={})


def test_a_worse_encoder_is_refused_and_the_alias_stays(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder], judged: Path
) -> None:
    make_news(es, crowded_node.encoder, 20).embed()
    before = es.indices.get(index=OLD)
    done = migrate(es, ALIAS, Wanted(named["worse"]), Gate(open_collection(str(judged))))
    assert done.verdict is not None and done.verdict.new < done.verdict.old - 0.1
    assert done.refused == f"index {done.new} finds less"
    assert es.indices.get(index=OLD) == before
    es.index(index=ALIAS, id="more", document={"title": "still", "text": "written"})
    assert held(es, done.new).keys() == held(es, OLD).keys() - {"more"}
    assert abort(es, ALIAS) == done.new
    assert not es.indices.exists(index=done.new)
    with pytest.raises(RequestError, match="no migration of 'news' is under way"):
        abort(es, ALIAS)


def test_the_way_back_brings_what_was_written_since(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder]
) -> None:
    make_news(es, named["equal"], 30)
    moved = migrate(es, ALIAS, Wanted(crowded_node.encoder), None)
    es.index(index=ALIAS, id="new", document={"title": "new", "text": "snow", "n": 1})
    es.update(index=ALIAS, id="1", doc={"n": 5})
    es.delete(index=ALIAS, id="2")
    with pytest.raises(RequestError, match=r"has moved to index 'news-.*', which is in service"):
        abort(es, ALIAS)
    back = roll_back(es, ALIAS)
    assert (back.new, back.copied.written, back.copied.deleted) == (OLD, 2, 1)
    assert es.indices.get_alias(name=ALIAS).body.keys() == {OLD}
    found = held(es, ALIAS)
    assert (found["new"], found["1"], "2" in found) == ((1, None), (5, None), False)
    with pytest.raises(RequestError, match="has not moved: it is index 'news-1'"):
        roll_back(es, ALIAS)
    # and forth again, with what was written in between
    es.index(index=ALIAS, id="more", document={"title": "more", "text": "rain", "n": 2})
    again = migrate(es, ALIAS, Wanted(crowded_node.encoder), None)
    assert again.new == moved.new
    assert again.copied.written <= 3
    assert held(es, ALIAS) == {**found, "more": (2, None)}
    assert_have_vectors(es, ALIAS, crowded_node.encoder)
    assert finish(es, ALIAS) == OLD
    assert not es.indices.exists(index=OLD)


def test_a_run_that_is_killed_goes_on_and_copies_nothing_twice(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder], tmp_path: Path
) -> None:
    make_news(es, named["equal"], 100)
    bundle, url = crowded_node.bundle.path, crowded_node.state.url
    command = ["migrate", ALIAS, "--encoder", str(bundle), "--unmeasured"]
    paced = [*COMMAND, *command, "--requests-per-second", "20", "--url", url]
    with subprocess.Popen(paced, stderr=subprocess.PIPE) as killed:
        deadline = time.monotonic() + 60
        while not 0 < copied(es) < 120:
            assert time.monotonic() < deadline and killed.poll() is None
            time.sleep(0.1)
        killed.send_signal(signal.SIGKILL)
    before = copied(es)
    assert before < 147
    es.delete(index=ALIAS, id="d0")  # copied already, or about to be
    es.index(index=ALIAS, id="late", document={"title": "late", "text": "snow"}, refresh=True)
    with pytest.raises(RequestError, match=r"a migration of 'news' to 'tiny-bert' .* is under way"):
        migrate(es, ALIAS, Wanted(named["worse"]), None)
    run = running_in(tmp_path, DENSEHOOK_ES_URL=url)
    said = succeeded(run(*command))
    done = re.match(r"news-\w+: (\d+) documents copied, (\d+) deleted, 0 failed", said)
    assert done is not None and int(done[1]) <= 147 - before + 64, said  # a page was on its way
    assert es.indices.get_alias(name=ALIAS).body.keys() != {OLD}
    assert held(es, ALIAS) == held(es, OLD)
    assert_have_vectors(es, ALIAS, crowded_node.encoder)
    assert "moved from news-" in succeeded(run("migrate", ALIAS, "--rollback"))
    assert "is deleted; news is as it was" in succeeded(run("migrate", ALIAS, "--abort"))


def copied(es: Elasticsearch) -> int:
    """Documents in the new index."""
    names = [name for name in es.indices.get(index=f"{ALIAS}-*").body if name != OLD]
    if not names:
        return 0
    es.cluster.health(index=names[0], wait_for_status="yellow")  # made this moment by another
    es.indices.refresh(index=names[0])
    return int(es.count(index=names[0])["count"])


def test_nothing_moves_while_a_shard_is_away_and_all_of_it_when_it_is_back(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder]
) -> None:
    make_news(es, named["equal"], 60)
    before = held(es, OLD)
    wanted = Wanted(crowded_node.encoder)

    class EndedError(Exception):
        pass

    def end(label: str, done: int, total: int) -> None:
        raise EndedError

    with pytest.raises(EndedError):  # begun: the new index would be kept from the nodes as well
        migrate(es, ALIAS, wanted, None, way=Way(on_progress=end))
    with lost(es, OLD):
        assert 0 < es.count(index=OLD)["count"] < len(before)  # which nobody would call a failure
        with pytest.raises(ClusterUnavailable, match="shard 0 of index 'news-1' is not there"):
            migrate(es, ALIAS, wanted, None, way=Way(patience="1s"))
    assert es.indices.get_alias(name=ALIAS).body.keys() == {OLD}
    lose(es, OLD)
    back = threading.Timer(2, let_back, (es, OLD))
    back.start()
    done = migrate(es, ALIAS, wanted, None)
    back.join()
    assert (done.refused, done.copied.deleted) == ("", 0)
    assert held(es, ALIAS) == before


def test_what_was_deleted_while_a_shard_was_away_is_told_by_all_documents(
    crowded_node: CrowdedNode, es: Elasticsearch
) -> None:
    make_news(es, crowded_node.encoder, 60)
    into = f"{ALIAS}-2"
    settings = {"number_of_shards": 2, "number_of_replicas": 0}
    es.indices.create(index=into, mappings={**MAPPINGS, "dynamic": False}, settings=settings)
    marks: dict[int, int] = {}
    following = Following(
        es,
        OLD,
        into,
        Copier(es, into, old=[], new=None, encoder=None),
        marks,
        patience=Patience("1s"),
        pace=Pace(None),
        on_mark=lambda: None,
        on_failure=lambda failure: None,
        on_progress=lambda done, total: None,
    )
    following.step()
    before = held(es, OLD)
    assert held(es, into) == before and following.is_same()
    with lost(es, OLD):
        with pytest.raises(ClusterUnavailable, match="shard 0 of index 'news-1' is not there"):
            following.step()
        assert held(es, into) == before  # none of the shard's copies is deleted
    es.delete(index=OLD, id="1", refresh=True)
    es.delete(index=OLD, id="5", routing="7", refresh=True)
    following.step()
    assert held(es, into) == {id_: each for id_, each in before.items() if id_ not in ("1", "5")}
    assert following.is_same()
    with lost(es, into), pytest.raises(ClusterUnavailable):
        following.is_same()
    following.close()


def test_a_document_whose_version_went_back_is_copied_as_it_is(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder]
) -> None:
    """Deleted, forgotten by its index, and made anew: its version is lower than its copy's."""
    make_news(es, named["equal"], 10, **{"gc_deletes": "0s"})
    for n in range(1, 5):
        es.update(index=ALIAS, id="3", doc={"n": n})
    moved = migrate(es, ALIAS, Wanted(crowded_node.encoder), None)
    roll_back(es, ALIAS)
    es.delete(index=ALIAS, id="3")
    time.sleep(1)
    es.index(index=ALIAS, id="3", document={"title": "anew", "text": "snow", "n": 9})
    assert es.get(index=OLD, id="3")["_version"] < es.get(index=moved.new, id="3")["_version"]
    migrate(es, ALIAS, Wanted(crowded_node.encoder), None)
    assert held(es, ALIAS)["3"] == (9, None)


def test_what_runs_over_documents_runs_once_and_chunks_can_be_asked_for(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder]
) -> None:
    es.ingest.put_pipeline(id="news-pipeline", processors=[])
    make_news(es, named["equal"], 10, default_pipeline="news-pipeline")
    rule = ChunkRule("sentence", 32)
    done = migrate(es, ALIAS, Wanted(crowded_node.encoder, chunk=rule), None)
    settings = es.indices.get_settings(index=done.new)[done.new]["settings"]["index"]
    assert settings["default_pipeline"] == "news-pipeline"
    opened = Index.open(es, ALIAS)
    assert (opened.field.name, opened.field.chunk) == ("passages.vector", rule)
    assert (
        "embedding"
        not in es.indices.get_mapping(index=done.new)[done.new]["mappings"]["properties"]
    )
    found = opened.search(PASSAGES[3], mode="dense", size=1, passages=1)
    assert found[0].id == "d3"
    back = roll_back(es, ALIAS)
    assert held(es, ALIAS) == held(es, done.new)
    assert (back.copied.written, back.copied.failed) == (0, 0)
    made = {"densehook": {"encoder": "another", "input": ["text"], "output": "embedding"}}
    es.ingest.put_pipeline(id="news-pipeline", processors=[made])
    abort(es, ALIAS)
    with pytest.raises(RequestError, match="pipeline 'news-pipeline' of index 'news-1' makes"):
        migrate(es, ALIAS, Wanted(crowded_node.encoder), None)


def test_the_next_index_of_a_template_has_the_new_encoder(
    es: Elasticsearch, tiny: Encoder, named: Mapping[str, Encoder]
) -> None:
    make_news(es, tiny, documents=20)
    own = es.indices.get_mapping(index=OLD)[OLD]["mappings"]
    made = {"mappings": own, "settings": {"index.number_of_replicas": 0}}
    es.indices.put_index_template(name="news", index_patterns=[f"{OLD}*"], template=made)
    others = {"index_patterns": ["other-*"], "template": made}
    es.indices.put_index_template(name="others", **others)
    es.cluster.put_component_template(name="parts", template={"mappings": own})
    es.indices.put_index_template(
        name="composed", index_patterns=[OLD], composed_of=["parts"], priority=8
    )
    before = es.indices.get_index_template(name="news")["index_templates"][0]["index_template"]

    def encoder_of_the_next() -> str:
        es.indices.create(index=f"{OLD}-next")
        try:
            return str(Index.open(es, f"{OLD}-next").field.encoder)
        finally:
            es.indices.delete(index=f"{OLD}-next")

    try:
        assert encoder_of_the_next() == tiny.manifest.name
        done = migrate(es, ALIAS, Wanted(named["equal"], in_cluster=False), None)
        assert done.templates == ["news"]
        assert done.others == ["component template parts"]
        assert done.renamed is None
        assert encoder_of_the_next() == "tiny-equal"
        after = es.indices.get_index_template(name="news")["index_templates"][0]["index_template"]
        properties = after["template"]["mappings"]["properties"]
        assert properties["title"] == own["properties"]["title"] and "embedding" in properties
        assert after["template"]["settings"]["index"]["number_of_replicas"] == "0"
        assert roll_back(es, ALIAS).templates == ["news"]
        assert encoder_of_the_next() == tiny.manifest.name
        now = es.indices.get_index_template(name="news")["index_templates"][0]["index_template"]
        assert now["template"] == before["template"]
        assert now["index_patterns"] == before["index_patterns"]
        now = es.indices.get_index_template(name="others")["index_templates"][0]["index_template"]
        assert now["template"]["mappings"] == before["template"]["mappings"]
    finally:
        es.indices.delete_index_template(name="news,others,composed")
        es.cluster.delete_component_template(name="parts")


def test_a_legacy_template_with_the_old_field_is_told_of(es: Elasticsearch, tiny: Encoder) -> None:
    make_news(es, tiny, documents=20)
    own = es.indices.get_mapping(index=OLD)[OLD]["mappings"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are on their way out
        es.indices.put_template(name="legacy", index_patterns=[f"{OLD}*"], mappings=own)
        es.indices.put_template(name="elsewhere", index_patterns=["other-*"], mappings=own)
        try:
            found = other_templates_of(es, OLD, Index.open(es, OLD).field)
            assert found == ["legacy template legacy"]
        finally:
            es.indices.delete_template(name="legacy")
            es.indices.delete_template(name="elsewhere")


def test_a_feed_waits_for_an_index_that_takes_no_writes(
    crowded_node: CrowdedNode, es: Elasticsearch
) -> None:
    index = make_news(es, crowded_node.encoder, 1)
    es.indices.add_block(index=OLD, block="write")
    lifted = threading.Timer(
        1, es.indices.put_settings, kwargs={"index": OLD, "settings": {"blocks.write": None}}
    )
    lifted.start()
    report = index.ingest([{"_id": "late", "title": "late", "text": "snow"}])
    lifted.join()
    assert (report.indexed, report.failed) == (1, 0)
    es.indices.add_block(index=OLD, block="write")
    with pytest.raises(ClusterUnavailable, match="blocked by"):
        index.ingest([{"_id": "never", "title": "never", "text": "snow"}], patience="1s")
    es.indices.put_settings(index=OLD, settings={"blocks.write": None})


def test_what_cannot_be_migrated_is_said_in_a_line_and_stays(
    crowded_node: CrowdedNode, es: Elasticsearch
) -> None:
    make_news(es, crowded_node.encoder, 1)
    es.indices.create(index="news-2", aliases={"news-both": {}, "news-plain": {}})
    es.indices.put_alias(index=OLD, name="news-both")
    before = es.indices.get(index=f"{ALIAS}*", expand_wildcards="all").body
    for alias, said in {
        OLD: "'news-1' is an index and no alias, so that none can take its place",
        "news-both": "'news-both' stands for news-1, news-2; name one index",
        "news-plain": "index 'news-2' has no vector field to replace; name the text fields",
        ALIAS: "has vectors of 'tiny-bert' (sha256:",
        "nowhere": "there is no index 'nowhere'",
    }.items():
        with pytest.raises(DensehookError) as refused:
            migrate(es, alias, Wanted(crowded_node.encoder), None)
        assert said in str(refused.value)
        assert "\n" not in str(refused.value)
    assert es.indices.get(index=f"{ALIAS}*", expand_wildcards="all").body == before


def write_files(folder: Path, rows: Mapping[str, Mapping[str, Any]]) -> Path:
    """A folder of documents, as somebody has them beside the index that was made of them."""
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"_id": id_, **row}) for id_, row in rows.items()]
    (folder / "news.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def unrouted(es: Elasticsearch) -> dict[str, Mapping[str, Any]]:
    """The documents that lie where their ids have them, without the vectors and notes."""
    es.indices.refresh(index=OLD)
    found = es.search(index=OLD, size=2000, source_excludes=["embedding", "densehook"])
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"] if "_routing" not in hit}


@WAYS
def test_a_new_index_is_filled_from_files_and_follows_what_was_written_since(
    crowded_node: CrowdedNode,
    es: Elasticsearch,
    named: Mapping[str, Encoder],
    judged: Path,
    tmp_path: Path,
    in_cluster: bool,
) -> None:
    encoders = named["equal"], crowded_node.encoder
    before, after = encoders if in_cluster else encoders[::-1]
    make_news(es, before, 50).embed()
    rows = unrouted(es)
    old = [1.0] + [0.0] * (before.dims - 1)  # a vector that the files have from somewhere
    rows["1"] = {**rows["1"], "text": "what the files have of it", "embedding": old}
    rows["nowhere"] = {"title": "never", "text": "in the index"}
    del rows["2"], rows["3"]  # which are copied as the old index has them
    files = write_files(tmp_path / "files", rows)
    gate = Gate(open_collection(str(judged)), max_loss=0.1, encoder=before)
    said: list[str] = []
    totals: list[int] = []

    class EndedError(Exception):
        pass

    def show(label: str, done: int, total: int) -> None:
        said.append(label)
        if label.startswith("Reading into news-"):
            totals.append(total)
        if len(said) == 1:
            es.update(index=ALIAS, id="4", doc={"n": 44})
            es.delete(index=ALIAS, id="5" if "5" in rows else "6")
            raise EndedError  # and comes again

    with pytest.raises(EndedError):
        migrate(
            es,
            ALIAS,
            Wanted(after, documents=documents_from(files)),
            gate,
            way=Way(on_progress=show),
        )
    wanted = Wanted(after, documents=documents_from(files))
    done = migrate(es, ALIAS, wanted, gate, way=Way(on_progress=show))
    assert done.refused == "", done.refused
    assert done.from_files is not None
    assert (done.from_files.indexed, done.from_files.failed) == (len(rows), 0)
    assert min(totals) >= len(rows)  # a bar knows from the first document on how many there are
    assert held(es, ALIAS) == held(es, OLD)
    assert held(es, ALIAS)["4"][0] == 44
    assert es.get(index=ALIAS, id="1")["_source"]["text"] == "what the files have of it"
    assert es.get(index=ALIAS, id="2")["_source"]["title"] == "title 2"
    assert_have_vectors(es, ALIAS, after)


def test_files_that_fail_or_are_others_keep_the_alias_where_it_is(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder], tmp_path: Path
) -> None:
    make_news(es, named["equal"], 10)
    rows = unrouted(es)
    files = write_files(tmp_path / "files", {**rows, "1": {**rows["1"], "text": {"no": "text"}}})
    run = running_in(tmp_path, DENSEHOOK_ES_URL=crowded_node.state.url)
    command = ("migrate", ALIAS, "--encoder", str(crowded_node.bundle.path), "--unmeasured")
    filled = (*command, "--from", str(files), "--failures", "letters.jsonl")
    failed = run(*filled)
    assert failed.returncode == 1
    assert "1 documents of the files could not be indexed, the first: " in failed.stdout
    assert "document '1': input field 'text' is an object, not text; mend them" in failed.stdout
    assert es.indices.get_alias(name=ALIAS).body.keys() == {OLD}
    assert "is being filled from files; give them (--from)" in run(*command).stderr
    (letter,) = (tmp_path / "letters.jsonl").read_text().splitlines()
    assert json.loads(letter)["id"] == "1"
    again = run(*filled)  # as it is: it is told again
    assert "1 documents of the files could not be indexed, the first: " in again.stdout
    assert json.loads((tmp_path / "letters.jsonl").read_text())["id"] == "1"
    write_files(files, rows)
    said = succeeded(run(*filled))
    assert f"{len(rows)} documents read from files, 0 failed" in said
    assert f"{len(held(es, OLD)) - len(rows)} documents copied, 0 deleted, 0 failed" in said
    assert held(es, ALIAS) == held(es, OLD)
    succeeded(run("migrate", ALIAS, "--rollback"))
    write_files(files, {**rows, "more": rows["1"]})
    assert "was filled from other files, or these have changed" in run(*filled).stderr
    succeeded(run("migrate", ALIAS, "--abort"))
    succeeded(run(*command))
    succeeded(run("migrate", ALIAS, "--rollback"))
    assert "was filled with what 'news-1' has; go on without files" in run(*filled).stderr
    assert "name a file: it may be read again" in run(*command, "--from", "-").stderr


@WAYS
def test_an_index_that_keeps_no_source_is_filled_from_files_alone(
    crowded_node: CrowdedNode,
    es: Elasticsearch,
    named: Mapping[str, Encoder],
    tmp_path: Path,
    in_cluster: bool,
) -> None:
    encoders = named["equal"], crowded_node.encoder
    before, after = encoders if in_cluster else encoders[::-1]
    body = index_request(before.manifest, Reading(INPUTS), index_type="hnsw")
    body["mappings"]["_source"] = {"enabled": False}
    es.indices.create(index=OLD, aliases={ALIAS: {}}, **body)
    rows = {str(n): {"title": f"title {n}", "text": text_at(n)} for n in range(20)}
    assert (
        Index.open(es, OLD, before).ingest(documents_from(write_files(tmp_path, rows))).failed == 0
    )
    with pytest.raises(RequestError, match=r"does not keep the whole .* densehook migrate --from"):
        migrate(es, ALIAS, Wanted(after), None)
    files = write_files(tmp_path / "files", {id_: rows[id_] for id_ in rows if id_ != "7"})
    refused = migrate(es, ALIAS, Wanted(after, documents=documents_from(files)), None)
    assert refused.refused.startswith("1 documents could not be copied, the first: document '7'")
    assert "lacks it, or has an earlier one, and this one does not keep it whole" in refused.refused
    assert es.indices.get_alias(name=ALIAS).body.keys() == {OLD}
    assert abort(es, ALIAS) == refused.new
    write_files(files, rows)

    def write(label: str, done: int, total: int) -> None:
        document = {"title": "title 3", "text": "written since"}
        es.index(index=ALIAS, id="3", document=document)

    wanted = Wanted(after, documents=documents_from(files))
    late = migrate(es, ALIAS, wanted, None, way=Way(on_progress=write))
    for _ in range(2):  # and again: it does not pass for being there by its id
        assert late.refused.startswith("1 documents could not be copied, the first: document '3'")
        late = migrate(es, ALIAS, Wanted(after, documents=documents_from(files)), None)
    abort(es, ALIAS)
    done = migrate(es, ALIAS, Wanted(after, documents=documents_from(files)), None)
    assert done.refused == "" and done.copied.written == 0
    opened = Index.open(es, ALIAS, None if in_cluster else after)
    assert opened.name == done.new
    assert opened.search(f"title 9 {text_at(9)}", mode="dense", size=1)[0].id == "9"
    assert opened.stats().with_vector == len(rows)
    back = roll_back(es, ALIAS)
    assert (back.refused, back.new) == ("", OLD)
    migrate(es, ALIAS, Wanted(after, documents=documents_from(files)), None)
    es.index(index=ALIAS, id="new", document={"title": "new", "text": "snow"})
    kept = roll_back(es, ALIAS)
    assert kept.refused.startswith("1 documents could not be copied, the first: document 'new'")
    assert es.indices.get_alias(name=ALIAS).body.keys() == {done.new}


def test_documents_of_files_go_through_the_indexs_own_pipeline(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder], tmp_path: Path
) -> None:
    after = crowded_node.encoder
    made = {"encoder": after.manifest.name, "input": ["title"], "output": "of_titles"}
    es.ingest.put_pipeline(id="news-pipeline", processors=[{"densehook": made}])
    make_news(es, named["equal"], 5)
    vector = {"type": "dense_vector", "dims": after.dims}
    es.indices.put_mapping(index=OLD, properties={"of_titles": vector})
    es.indices.put_settings(index=OLD, settings={"default_pipeline": "news-pipeline"})
    rows = unrouted(es)
    files = write_files(tmp_path / "files", rows)
    done = migrate(es, ALIAS, Wanted(after, documents=documents_from(files)), None)
    assert (done.refused, done.copied.failed) == ("", 0)
    exists = {"exists": {"field": "of_titles"}}
    assert es.count(index=done.new, query=exists)["count"] == len(rows)
    assert es.count(index=done.new, query={"exists": {"field": "embedding"}})["count"] >= len(rows)


def test_files_leave_no_other_vector_field_empty(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder], tmp_path: Path
) -> None:
    make_news(es, named["equal"], 5)
    Index.add_field(es, OLD, named["worse"], inputs=["text"], field="more")
    files = write_files(tmp_path / "files", unrouted(es))
    wanted = Wanted(named["worse"], "embedding", in_cluster=False, documents=documents_from(files))
    before = es.indices.get(index=f"{ALIAS}*").body
    with pytest.raises(RequestError, match="files have no vectors for 'more', which are of"):
        migrate(es, ALIAS, wanted, None)
    assert es.indices.get(index=f"{ALIAS}*").body == before


def test_texts_are_worded_anew(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder]
) -> None:
    make_news(es, named["equal"], 10)
    prompt = {"field": "n", "prompts": {"0": "numbered: "}, "default": ""}
    worded = Wording("{title}: {text}", prompt)
    done = migrate(es, ALIAS, Wanted(crowded_node.encoder, wording=worded), None)
    with pytest.raises(RequestError, match="choose prompts of encoder 'tiny-bert'"):
        migrate(es, ALIAS, Wanted(named["equal"]), None)
    found = es.search(index=done.new, size=100, fields=["embedding"], source=["n", *INPUTS])
    for hit in found["hits"]["hits"]:
        said = hit["_source"]
        text = ("numbered: " if said.get("n") == 0 else "") + f"{said['title']}: {said['text']}"
        # the tiny encoder has no prompts of its own
        (vector,) = crowded_node.encoder.encode_documents([text])
        assert np.abs(np.array(hit["fields"]["embedding"]) - vector).max() < 1e-5, hit


def test_an_index_gives_its_name_to_the_one_that_takes_its_place(
    crowded_node: CrowdedNode, es: Elasticsearch, named: Mapping[str, Encoder]
) -> None:
    make_news(es, named["equal"], 10)
    before = held(es, OLD)
    done = migrate(es, OLD, Wanted(crowded_node.encoder), None, remove_index=True)
    assert es.indices.get_alias(name=OLD).body.keys() == {done.new}
    assert held(es, OLD) == before
    with pytest.raises(RequestError, match="index 'news-1', which 'news-1' had before, is not"):
        roll_back(es, OLD)
    finish(es, OLD)
    assert held(es, OLD) == before
