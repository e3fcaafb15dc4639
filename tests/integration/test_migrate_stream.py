"""Another encoder for a data stream: measured by copies, in its template, in its next index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from benchmarks.faults.proxy import Proxy
from benchmarks.faults.schedule import Answer
from elasticsearch import Elasticsearch

from command_line import running_in, succeeded
from conftest import CrowdedNode
from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.collections import open_collection
from densehook.elastic.checkpoints import CHECKPOINTS
from densehook.elastic.connect import connect
from densehook.encode import Encoder, load
from densehook.errors import ElasticError, RequestError
from densehook.export.texts import PASSAGES
from densehook.hooks import Reading, index_request
from densehook.index import Index
from densehook.migration import Gate, Wanted, abort, finish, migrate, roll_back
from renamed import renamed
from tiny_collection import write_beir

INPUTS = ("title", "text")
WAYS = pytest.mark.parametrize("in_cluster", [True, False], ids=["in the cluster", "here"])
TRIAL = "densehook-trial-*"


@pytest.fixture(scope="module")
def bundles(
    shared_tiny_bundle: Callable[..., Bundle], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Bundle]:
    """One that reads less of long texts than the node's, and one that finds less."""
    described: dict[str, dict[str, Any]] = {
        "equal": {"max_tokens": 63},
        "worse": {"pooling": "max"},
    }
    return {
        name: renamed(shared_tiny_bundle(**each), tmp_path_factory.mktemp(name), f"tiny-{name}")
        for name, each in described.items()
    }


@pytest.fixture(scope="module")
def encoders(bundles: Mapping[str, Bundle]) -> Mapping[str, Encoder]:
    return {name: load(bundle.path) for name, bundle in bundles.items()}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_beir(tmp_path_factory.mktemp("judged") / "beir")


class Stream:
    """A data stream of the judged documents, whose vectors are of one encoder; two indices."""

    def __init__(
        self,
        es: Elasticsearch,
        name: str,
        encoder: Encoder,
        *,
        in_cluster: bool,
        **mapping: Any,
    ) -> None:
        self.es = es
        self.name = name
        self.template = f"template-of-{name}"
        body = index_request(encoder.manifest, Reading(INPUTS), index_type="hnsw")
        body["mappings"] = {**body["mappings"], **mapping}
        if in_cluster:
            body["settings"]["densehook"] = {"embed": True}
        es.indices.put_index_template(
            name=self.template, index_patterns=[f"{name}*"], data_stream={}, template=body
        )
        half = len(PASSAGES) // 2
        self.write(0, half)
        es.indices.rollover(alias=name)
        self.write(half, len(PASSAGES))

    def write(self, first: int, last: int) -> None:
        lines: list[dict[str, Any]] = []
        for number in range(first, last):
            text = PASSAGES[number]
            said = {"@timestamp": "2026-01-01T00:00:00Z", "title": text.split()[0], "text": text}
            lines += [{"create": {"_id": f"d{number}"}}, said]
        done = self.es.bulk(index=self.name, operations=lines, refresh=True)
        assert not done["errors"], done

    @property
    def indices(self) -> list[str]:
        found = self.es.indices.resolve_index(name=self.name)["data_streams"]
        backing: list[str] = found[0]["backing_indices"]
        return backing

    @property
    def stated(self) -> Mapping[str, Any]:
        """What the template states of the field."""
        (found,) = self.es.indices.get_index_template(name=self.template)["index_templates"]
        return field_stated(found["index_template"]["template"])

    def stated_by(self, index: str) -> Mapping[str, Any]:
        return field_stated(self.es.indices.get(index=index)[index])


def field_stated(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    stated: Mapping[str, Any] = entry["mappings"]["_meta"]["densehook"]["fields"]["embedding"]
    return stated


@pytest.fixture
def make_stream(crowded_node: CrowdedNode) -> Iterator[Callable[..., Stream]]:
    """Streams of one node cannot be deleted, which its distribution has no way for."""
    es = crowded_node.client
    yield lambda name, encoder, in_cluster=True, **mapping: Stream(
        es, name, encoder, in_cluster=in_cluster, **mapping
    )
    es.indices.delete(index=[*trials(es), CHECKPOINTS], ignore_unavailable=True)


def trials(es: Elasticsearch) -> list[str]:
    return list(es.indices.get(index=TRIAL, expand_wildcards="all"))


def test_a_stream_whose_encoder_would_be_worse_stays_as_it_is(
    crowded_node: CrowdedNode,
    encoders: Mapping[str, Encoder],
    judged: Path,
    make_stream: Callable[..., Stream],
) -> None:
    es = crowded_node.client
    stream = make_stream("reports", crowded_node.encoder)
    before, indices = stream.stated, stream.indices
    gate = Gate(open_collection(str(judged)))
    done = migrate(es, stream.name, Wanted(encoders["worse"]), gate)
    assert done.verdict is not None and done.verdict.new < done.verdict.old - 0.1
    assert done.copied.written == len(PASSAGES)  # of both of its indices
    assert done.refused == f"index {done.new} finds less"
    assert trials(es) == [done.new]
    assert (stream.stated, stream.indices) == (before, indices)
    with pytest.raises(RequestError, match="'reports' is not rolled over"):
        roll_back(es, stream.name)
    assert abort(es, stream.name) == done.new
    assert trials(es) == []
    with pytest.raises(RequestError, match="no migration of 'reports' is under way"):
        abort(es, stream.name)


def test_the_next_index_of_a_stream_has_the_new_encoder_and_there_is_a_way_back(
    crowded_node: CrowdedNode,
    encoders: Mapping[str, Encoder],
    judged: Path,
    make_stream: Callable[..., Stream],
) -> None:
    es, old, new = crowded_node.client, encoders["equal"], crowded_node.encoder
    stream = make_stream("events", old, in_cluster=False)
    for index in stream.indices:
        Index.open(es, index, old).embed()
    gate = Gate(open_collection(str(judged)), max_loss=0.1, encoder=old)
    first = stream.indices
    done = migrate(es, stream.name, Wanted(new), gate)
    assert done.verdict is not None and done.verdict.passed and done.refused == ""
    assert (done.old, done.stream, done.templates) == (first[-1], "events", [stream.template])
    assert stream.indices == [*first, done.new]
    assert trials(es) == []
    for stated in (stream.stated, stream.stated_by(done.new)):
        assert stated["fingerprint"] == new.fingerprint
    assert stream.stated_by(done.old)["fingerprint"] == old.fingerprint

    said = {"@timestamp": "2026-01-02T00:00:00Z", "title": "new", "text": "a new event"}
    es.index(index=stream.name, id="new", op_type="create", document=said, refresh=True)
    (hit,) = es.search(index=done.new, fields=["embedding"])["hits"]["hits"]
    assert len(hit["fields"]["embedding"]) == new.dims
    with pytest.raises(RequestError, match="'events' is rolled over to index"):
        abort(es, stream.name)

    back = roll_back(es, stream.name)
    assert stream.indices == [*first, done.new, back.new]
    assert stream.stated_by(back.new) == stream.stated_by(first[0])
    assert es.count(index=stream.name)["count"] == len(PASSAGES) + 1


@WAYS
def test_a_stream_gets_chunks_under_another_name_after_a_trial_with_none_of_its_vectors(
    crowded_node: CrowdedNode,
    encoders: Mapping[str, Encoder],
    judged: Path,
    make_stream: Callable[..., Stream],
    in_cluster: bool,
) -> None:
    es, name = crowded_node.client, f"papers-{'there' if in_cluster else 'here'}"
    old, new = encoders["equal"], crowded_node.encoder
    stream = make_stream(name, old, in_cluster=False, dynamic="strict")
    for index in stream.indices:
        assert Index.open(es, index, old).embed().coverage.lacking == 0
    gate = Gate(open_collection(str(judged)), max_loss=1, encoder=old)
    wanted = Wanted(new, chunk=ChunkRule("sentence", 32), in_cluster=in_cluster)
    done = migrate(es, stream.name, wanted, gate)
    assert done.copied.failed == 0, done.copied.failures[0]
    assert done.verdict is not None and done.refused == "", done.refused
    assert done.renamed == ("embedding", "passages.vector")
    # and on: an earlier index has vectors of a name that the write index has not any more
    rule = ChunkRule("tokens", 32)
    wanted = Wanted(old, field="passages.vector", chunk=rule, in_cluster=False)
    gate = Gate(open_collection(str(judged)), max_loss=1, encoder=new)
    again = migrate(es, stream.name, wanted, gate)
    assert again.copied.failed == 0, again.copied.failures[0]
    assert again.copied.written == len(PASSAGES)


def test_a_roll_over_that_is_refused_leaves_the_template(
    crowded_node: CrowdedNode, encoders: Mapping[str, Encoder], make_stream: Callable[..., Stream]
) -> None:
    es = crowded_node.client
    stream = make_stream("orders", crowded_node.encoder)
    before, indices = stream.stated, stream.indices
    shards = "cluster.max_shards_per_node"
    es.cluster.put_settings(persistent={shards: 1})
    try:
        with pytest.raises(ElasticError, match="shards"):
            migrate(es, stream.name, Wanted(encoders["equal"]), None)
    finally:
        es.cluster.put_settings(persistent={shards: None})
    assert (stream.stated, stream.indices) == (before, indices)
    done = migrate(es, stream.name, Wanted(encoders["equal"]), None)
    assert stream.stated_by(done.new)["encoder"] == "tiny-equal"
    assert finish(es, stream.name) == ""
    with pytest.raises(RequestError, match="no migration of 'orders'"):
        roll_back(es, stream.name)


def test_a_roll_over_whose_answer_is_lost_is_done(
    crowded_node: CrowdedNode, encoders: Mapping[str, Encoder], make_stream: Callable[..., Stream]
) -> None:
    stream = make_stream("visitors", crowded_node.encoder)

    def cut_short(number: int, path: str) -> Answer:
        return Answer(cut="after" if path.endswith("/_rollover") else "")

    with Proxy(lambda: crowded_node.state.url, cut_short, lambda number: None) as proxy:
        done = migrate(connect(proxy.url), stream.name, Wanted(encoders["equal"]), None)
    assert stream.indices[-2:] == [done.old, done.new]
    assert stream.stated["encoder"] == stream.stated_by(done.new)["encoder"] == "tiny-equal"
    assert stream.stated_by(roll_back(crowded_node.client, stream.name).new)["encoder"] == (
        crowded_node.encoder.manifest.name
    )


def test_the_command_line_says_what_became_of_a_stream(
    crowded_node: CrowdedNode,
    bundles: Mapping[str, Bundle],
    make_stream: Callable[..., Stream],
    tmp_path: Path,
) -> None:
    stream = make_stream("visits", crowded_node.encoder)
    run = running_in(tmp_path, DENSEHOOK_ES_URL=crowded_node.state.url)
    said = succeeded(
        run("migrate", stream.name, "--encoder", bundles["equal"].path, "--unmeasured")
    )
    old, new = stream.indices[-2:]
    assert " ".join(said.split()) == (
        f"visits is rolled over: {new} is written to now, after {old}"
        f" index template {stream.template}: the next indices are like {new}"
        " earlier indices keep their vectors, and are searched with it; back: densehook migrate"
        " visits --rollback"
    )
    assert "none is deleted" in succeeded(run("migrate", stream.name, "--finish"))


def test_what_cannot_be_migrated_of_a_stream_is_told(
    crowded_node: CrowdedNode, encoders: Mapping[str, Encoder], make_stream: Callable[..., Stream]
) -> None:
    es, wanted = crowded_node.client, Wanted(encoders["equal"])
    stream = make_stream("clicks", crowded_node.encoder)
    with pytest.raises(RequestError, match="name the stream: densehook migrate clicks"):
        migrate(es, stream.indices[0], wanted, None, remove_index=True)
    with pytest.raises(RequestError, match="has vectors of 'tiny-bert'"):
        migrate(es, stream.name, Wanted(crowded_node.encoder), None)
    es.indices.put_index_template(
        name="a-higher-one", index_patterns=["clicks*"], data_stream={}, priority=200
    )
    with pytest.raises(RequestError, match="'a-higher-one' of the data stream 'clicks'"):
        migrate(es, stream.name, wanted, None)
    es.indices.delete_index_template(name="a-higher-one")
