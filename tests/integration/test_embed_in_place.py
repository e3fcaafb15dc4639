"""Vectors for documents that an index has: made where they lie, in the cluster or here."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.faults.proxy import Proxy
from benchmarks.faults.schedule import Answer
from elasticsearch import Elasticsearch

import densehook
from command_line import COMMAND, running_in, succeeded
from conftest import CrowdedNode
from densehook.bundle import Bundle, Dense
from densehook.chunk import ChunkRule
from densehook.elastic.connect import connect
from densehook.elastic.coverage import Coverage, count_texts, coverage_of
from densehook.elastic.patience import Patience
from densehook.encode import Encoder
from densehook.errors import ClusterUnavailable, EncoderMismatch, FieldTaken, RequestError
from densehook.export.texts import PASSAGES
from densehook.hooks import note_of
from densehook.ingest import in_place
from lost_shards import let_back, lose, lost

NEAR = 1e-6
INPUTS = ("title", "body")
OF_FOUR = {"type": "dense_vector", "dims": 4, "similarity": "dot_product"}
WAYS = pytest.mark.parametrize("in_cluster", [True, False], ids=["in the cluster", "here"])
TEXTS = {"title": {"type": "text"}, "body": {"type": "text"}, "n": {"type": "long"}}


@pytest.fixture
def es(crowded_node: CrowdedNode) -> Iterator[Elasticsearch]:
    """The node's client; indices that a test made are gone after it."""
    yield crowded_node.client
    for index in ("articles", "articles-killed", "articles-whole"):
        crowded_node.client.indices.delete(index=index, ignore_unavailable=True)


def text_at(number: int) -> str:
    return f"{number} {PASSAGES[number % len(PASSAGES)]}"


def make_articles(
    es: Elasticsearch, documents: int, name: str = "articles", **mapping: Any
) -> Mapping[str, str]:
    """An index of nobody's vectors; gives the text of each of its documents."""
    es.indices.create(
        index=name,
        mappings={"dynamic": "strict", "properties": TEXTS, **mapping},
        settings={"number_of_shards": 2, "number_of_replicas": 0},
    )
    lines: list[dict[str, Any]] = []
    for number in range(documents):
        source = {"title": f"title {number}", "body": text_at(number), "n": 0}
        lines += [{"index": {"_id": str(number)}}, source]
    if lines:
        assert not es.bulk(index=name, operations=lines, refresh=True)["errors"]
    return {str(n): f"title {n} {text_at(n)}" for n in range(documents)}


def vectors_in(es: Elasticsearch, index: str) -> dict[str, Any]:
    es.indices.refresh(index=index)
    found = es.search(
        index=index, size=1000, fields=["embedding"], source=["densehook"], sort=["_doc"]
    )
    return {
        hit["_id"]: (hit.get("fields", {}).get("embedding"), hit["_source"].get("densehook"))
        for hit in found["hits"]["hits"]
    }


def assert_are_of(
    es: Elasticsearch, index: str, encoder: Encoder, texts: Mapping[str, str]
) -> None:
    """Each of these documents has the vector and the note of its text."""
    stored = vectors_in(es, index)
    expected = encoder.encode_documents(list(texts.values()))
    for (id_, text), vector in zip(texts.items(), expected, strict=True):
        found, note = stored[id_]
        assert found is not None, id_
        assert np.abs(np.array(found) - vector).max() < 1e-5, id_
        assert note == {"embedding": note_of(text, encoder.fingerprint)}, id_


def writes_in(es: Elasticsearch, index: str) -> int:
    """Operations that the shards have carried out, of any kind."""
    shards = es.indices.stats(index=index, level="shards")["indices"][index]["shards"].values()
    return sum(int(copy["seq_no"]["max_seq_no"]) + 1 for copies in shards for copy in copies)


@WAYS
def test_an_index_that_serves_gets_vectors_and_a_second_run_writes_nothing(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    texts = make_articles(es, 300)
    es.index(index="articles", id="empty", document={"n": 1})
    es.index(index="articles", id="blank", document={"title": " ", "body": "\u200b"}, refresh=True)
    es.index(index="articles", id="routed", routing="x", document={"body": "far"}, refresh=True)
    index = densehook.Index.add_field(
        es, "articles", crowded_node.encoder, inputs=INPUTS, in_cluster=in_cluster
    )
    shown: list[tuple[int, int]] = []
    report = index.embed(on_progress=lambda done, total: shown.append((done, total)))
    assert (report.written, report.failed) == (302, 0)
    assert shown[-1] == (302, 302)
    assert report.coverage == Coverage(303, 0, 0, 0, without_text=2)
    assert_are_of(es, "articles", crowded_node.encoder, {**texts, "routed": "far"})
    best = index.search(text_at(7), mode="dense", size=1)
    assert best[0].id == "7"
    before = writes_in(es, "articles")
    again = densehook.Index.add_field(es, "articles", crowded_node.encoder, in_cluster=in_cluster)
    assert again.embed().written == 0
    assert writes_in(es, "articles") == before
    es.index(index="articles", id="new", document={"body": "a new one"}, refresh=True)
    assert index.stats().with_vector == 301 + in_cluster


@WAYS
def test_vectors_of_another_encoder_are_made_anew_and_a_clients_own_stay(
    crowded_node: CrowdedNode, es: Elasticsearch, other_tiny_bundle: Bundle, in_cluster: bool
) -> None:
    texts = make_articles(es, 3)
    encoder, other = crowded_node.encoder, densehook.load(other_tiny_bundle.path)
    own = [1.0, *[0.0] * (encoder.dims - 1)]
    index = densehook.Index.add_field(es, "articles", encoder, inputs=INPUTS, in_cluster=False)
    es.update(index="articles", id="1", doc={"embedding": own})
    stated = es.indices.get_mapping(index="articles")["articles"]["mappings"]["_meta"]
    # the node would refuse another fingerprint for the name of an encoder that it has
    by_another = {"encoder": "another", "fingerprint": other.fingerprint}
    entry = {**stated["densehook"]["fields"]["embedding"], **by_another}
    es.indices.put_mapping(index="articles", meta={"densehook": {"fields": {"embedding": entry}}})
    assert densehook.Index.open(es, "articles", other).embed().written == 2
    es.indices.put_mapping(index="articles", meta=stated)
    assert coverage_of(es, "articles", index.field) == Coverage(3, 0, 2, 1, 0)
    index = densehook.Index.add_field(es, "articles", encoder, in_cluster=in_cluster)
    report = index.embed()
    assert (report.written, report.coverage) == (2, Coverage(3, 0, 0, 1, 0))
    assert_are_of(es, "articles", encoder, {"0": texts["0"], "2": texts["2"]})
    assert vectors_in(es, "articles")["1"][0] == own


@WAYS
def test_a_run_that_is_killed_goes_on_and_leaves_what_an_undisturbed_one_leaves(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool, tmp_path: Path
) -> None:
    for name in ("articles-killed", "articles-whole"):
        make_articles(es, 300, name)
    url = crowded_node.state.url
    way = "--in-cluster" if in_cluster else "--not-in-cluster"
    arguments = ["--encoder", str(crowded_node.bundle.path), "--input", "title,body", way]
    paced = [*COMMAND, "embed", "articles-killed", *arguments, "--requests-per-second", "60"]
    with subprocess.Popen([*paced, "--url", url], stderr=subprocess.PIPE) as killed:
        deadline = time.monotonic() + 60
        while not 0 < having_vectors(es, "articles-killed") < 300:
            assert time.monotonic() < deadline and killed.poll() is None
            time.sleep(0.1)
        killed.send_signal(signal.SIGKILL)
    before = having_vectors(es, "articles-killed")
    assert 0 < before < 300
    run = running_in(tmp_path, DENSEHOOK_ES_URL=url)
    said = succeeded(run("embed", "articles-killed", "--encoder", crowded_node.bundle.path, way))
    done = re.match(r"articles-killed, embedding: (\d+) documents embedded", said)
    assert done is not None and 0 < int(done[1]) <= 300 - before, said  # a request was on its way
    assert "300 documents embedded" in succeeded(run("embed", "articles-whole", *arguments))
    one, other = vectors_in(es, "articles-killed"), vectors_in(es, "articles-whole")
    assert one.keys() == other.keys()
    for id_, (vector, note) in one.items():
        assert np.abs(np.array(vector) - np.array(other[id_][0])).max() < NEAR, id_
        assert note == other[id_][1]


def having_vectors(es: Elasticsearch, index: str) -> int:
    es.indices.refresh(index=index)
    return int(es.count(index=index, query={"exists": {"field": "embedding"}})["count"])


def hear_interrupts() -> None:
    """Tests that run in the background are deaf to them, and so would be what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@WAYS
def test_an_interrupted_run_says_how_it_goes_on(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    make_articles(es, 300)
    way = "--in-cluster" if in_cluster else "--not-in-cluster"
    command = [*COMMAND, "embed", "articles", "--input", "body", way, "--requests-per-second", "60"]
    command += ["--encoder", str(crowded_node.bundle.path), "--url", crowded_node.state.url]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_interrupts
    ) as running:
        deadline = time.monotonic() + 60
        while not having_vectors(es, "articles"):
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert "documents are done; the same command goes on with the others" in said
    left = having_vectors(es, "articles")
    time.sleep(1)
    assert having_vectors(es, "articles") == left  # nothing goes on in the cluster


@WAYS
def test_what_others_write_meanwhile_is_not_lost(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    texts = dict(make_articles(es, 300))
    index = densehook.Index.add_field(
        es, "articles", crowded_node.encoder, inputs=INPUTS, in_cluster=in_cluster
    )
    numbers: dict[str, int] = {}
    ended = threading.Event()

    def write(worker: int) -> None:
        rounds = np.random.default_rng(worker)
        while not ended.is_set():
            id_ = str(2 * rounds.integers(150) + worker)  # each has documents of its own
            numbers[id_] = numbers.get(id_, 0) + 1
            title = f"title {id_} {numbers[id_]}"
            doc = {"n": numbers[id_], "title": title, "body": "water"}
            if numbers[id_] % 2:
                es.update(index="articles", id=id_, doc=doc, retry_on_conflict=10)
            else:
                es.index(index="articles", id=id_, document=doc)
            texts[id_] = f"{title} water"

    writers = [threading.Thread(target=write, args=(worker,)) for worker in (0, 1)]
    for writer in writers:
        writer.start()
    try:
        report = index.embed(requests_per_second=150)
    finally:
        ended.set()
        for writer in writers:
            writer.join()
    assert report.failed == 0
    assert numbers
    es.indices.refresh(index="articles")
    found = es.search(index="articles", size=300, source=["n"])["hits"]["hits"]
    seen = {hit["_id"]: hit["_source"]["n"] for hit in found}
    assert {id_: seen[id_] for id_ in numbers} == numbers
    # a program that changes a text and leaves its vector is found by the text alone
    mended = index.embed(texts=True)
    assert mended.failed == 0
    assert mended.coverage == Coverage(300, 0, 0, 0, 0)
    assert_are_of(es, "articles", crowded_node.encoder, texts)
    assert count_texts(es, "articles", index.field).of_other_text == 0


@WAYS
def test_a_document_that_cannot_be_embedded_is_named_and_the_others_get_theirs(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    # an input that is not mapped: no query tells which documents have it
    encoder = crowded_node.encoder
    vector = {"type": "dense_vector", "dims": encoder.dims, "similarity": "cosine"}
    entry = {
        "input": ["late"],
        "encoder": encoder.manifest.name,
        "fingerprint": encoder.fingerprint,
    }
    make_articles(
        es,
        0,
        dynamic=False,
        _meta={"densehook": {"fields": {"embedding": entry}}},
        properties={**TEXTS, "embedding": vector},
    )
    for id_, late in (("good", "water"), ("bad", {"an": "object"}), ("none", None)):
        es.index(index="articles", id=id_, document={"late": late}, refresh=True)
    index = densehook.Index.add_field(es, "articles", encoder, in_cluster=in_cluster)
    heard: list[densehook.Failure] = []
    report = index.embed(on_failure=heard.append)
    assert (report.written, report.failed) == (2, 1)
    assert [failure.id for failure in heard] == ["bad"]
    assert "late" in heard[0].reason and "object" in heard[0].reason
    assert_are_of(es, "articles", encoder, {"good": "water"})
    assert index.embed().written == 0


@pytest.mark.parametrize(
    ("mapping", "asked", "said"),
    [
        ({"_source": {"enabled": False}}, {}, "does not keep the whole of its documents"),
        ({"_source": {"excludes": ["n"]}}, {}, "does not keep the whole of its documents"),
        ({}, {"inputs": ["titel"]}, "maps no field 'titel'; is 'title' meant?"),
        ({}, {"inputs": ["missing"]}, "maps no field 'missing'; name one that it has"),
        ({}, {"field": "n"}, "is mapped already, with type long"),
        ({}, {"index_type": "quick"}, "index type 'quick' is unknown"),
        (
            {"properties": {**TEXTS, "embedding": OF_FOUR}},
            {},
            "is mapped already, with dims 4, and the encoder needs 32; name another field",
        ),
        (
            {"properties": {**TEXTS, "parts": {"type": "nested"}}},
            {"inputs": ["parts"]},
            "is mapped as nested, which holds no text",
        ),
        (
            {"properties": {**TEXTS, "densehook": {"type": "keyword"}}},
            {},
            "field 'densehook' of index 'articles' is mapped as keyword",
        ),
    ],
)
def test_an_index_that_cannot_take_vectors_is_refused_and_stays_as_it_was(
    crowded_node: CrowdedNode,
    es: Elasticsearch,
    mapping: Mapping[str, Any],
    asked: Mapping[str, Any],
    said: str,
) -> None:
    make_articles(es, 1, **mapping)
    before = es.indices.get(index="articles")
    with pytest.raises(RequestError) as refused:
        densehook.Index.add_field(
            es, "articles", crowded_node.encoder, **{"inputs": INPUTS, **asked}
        )
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert es.indices.get(index="articles") == before


def test_a_field_of_others_is_left_to_them(
    crowded_node: CrowdedNode, es: Elasticsearch, other_tiny_bundle: Bundle
) -> None:
    encoder = crowded_node.encoder
    vector = {
        "type": "dense_vector",
        "dims": encoder.dims,
        "similarity": encoder.manifest.of(Dense).similarity,
    }
    make_articles(es, 0, properties={**TEXTS, "embedding": vector})
    es.index(index="articles", id="1", document={"embedding": [1.0] + [0.0] * (encoder.dims - 1)})
    es.indices.refresh(index="articles")
    with pytest.raises(RequestError, match="has 1 vectors already, and nothing says of which"):
        densehook.Index.add_field(es, "articles", encoder, inputs=INPUTS)
    made = densehook.Index.add_field(es, "articles", encoder, inputs=INPUTS, field="another")
    assert made.field.name == "another"
    with pytest.raises(RequestError, match="are made from title, body, not from body"):
        densehook.Index.add_field(es, "articles", encoder, inputs=["body"], field="another")
    other = densehook.load(other_tiny_bundle.path)
    with pytest.raises(EncoderMismatch, match="holds vectors of encoder"):
        densehook.Index.add_field(es, "articles", other, inputs=INPUTS, field="another")


@WAYS
def test_texts_are_worded_as_asked(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    encoder = crowded_node.encoder
    make_articles(es, 3)
    es.index(index="articles", id="7", document={"title": "A", "body": "b", "n": 7}, refresh=True)
    prompt = {"field": "n", "prompts": {"7": "seven: "}, "default": "other: "}
    asked: dict[str, Any] = {"template": "{title}: {body}", "prompt": prompt}
    index = densehook.Index.add_field(
        es, "articles", encoder, inputs=INPUTS, in_cluster=in_cluster, **asked
    )
    assert index.embed().written == 4
    stored = vectors_in(es, "articles")
    texts = {n: f"other: title {n}: {text_at(int(n))}" for n in "012"} | {"7": "seven: A: b"}
    for id_, vector in zip(texts, encoder.encode_documents(list(texts.values())), strict=True):
        assert np.abs(np.array(stored[id_][0]) - vector).max() < 1e-5, id_
    again = densehook.Index.add_field(es, "articles", encoder, in_cluster=in_cluster, **asked)
    assert again.embed().written == 0
    for other, said in {
        "template": ("{body} {title}", "made with the template '{title}: {body}', not with"),
        "prompt": ({"field": "n", "prompts": {"1": "one: "}}, "made with the prompt"),
    }.items():
        with pytest.raises(FieldTaken, match=re.escape(said[1])):
            densehook.Index.add_field(es, "articles", encoder, **{other: said[0]})
    with pytest.raises(RequestError, match="template names 'titel', which is no input"):
        densehook.Index.add_field(
            es, "articles", encoder, inputs=INPUTS, field="more", template="{titel} {body}"
        )
    with pytest.raises(RequestError, match="maps no field 'lang'"):
        prompt = {"field": "lang", "prompts": {"de": "Dokument: "}}
        densehook.Index.add_field(
            es, "articles", encoder, inputs=INPUTS, field="more", prompt=prompt
        )


def test_an_index_that_cannot_take_the_field_is_migrated_where_that_is_allowed(
    crowded_node: CrowdedNode, es: Elasticsearch, tmp_path: Path
) -> None:
    texts = make_articles(es, 5, properties={**TEXTS, "embedding": OF_FOUR})
    es.indices.put_alias(index="articles", name="press")
    run = running_in(tmp_path, DENSEHOOK_ES_URL=crowded_node.state.url)
    command = (
        "embed",
        "press",
        "--encoder",
        str(crowded_node.bundle.path),
        "--input",
        "title,body",
    )
    refused = run(*command)
    assert refused.returncode == 1
    assert "is mapped already, with dims 4" in refused.stderr
    assert "give one of them" in run(*command, "--unmeasured", "--collection", "x").stderr
    unknown = run(*command, "--collection", "nowhere")
    assert "nothing says whose vectors field 'embedding' has" in unknown.stderr
    done = run(*command, "--unmeasured")
    assert "press is migrated instead: a new index is filled" in done.stderr
    assert "5 documents copied, 0 deleted, 0 failed" in succeeded(done)
    (name,) = es.indices.get_alias(name="press").body
    assert name != "articles"
    assert_are_of(es, "press", crowded_node.encoder, texts)
    again = succeeded(run(*command, "--unmeasured"))  # which can take it, and has it
    assert "0 documents embedded" in again
    worded = (*command, "--template", "{title}: {body}", "--prompt-field", "n")
    assert "give a prompt for each value of 'n'" in run(*worded).stderr
    worded = (*worded, "--prompt", "0=null: ", "--unmeasured")
    succeeded(run(*worded))
    stored = vectors_in(es, "press")
    (expected,) = crowded_node.encoder.encode_documents([f"null: title 3: {text_at(3)}"])
    assert np.abs(np.array(stored["3"][0]) - expected).max() < 1e-5
    es.indices.delete(index=[*es.indices.get(index="press-*").body])


@WAYS
def test_chunks_are_added_in_place(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    make_articles(es, 20)
    long = " ".join(f"Sentence {n} speaks of {PASSAGES[n][:40]}." for n in range(9))
    es.index(index="articles", id="long", document={"title": "Much", "body": long}, refresh=True)
    rule = ChunkRule("sentence", 32)
    index = densehook.Index.add_field(
        es, "articles", crowded_node.encoder, inputs=INPUTS, in_cluster=in_cluster, chunk=rule
    )
    report = index.embed()
    assert (report.written, report.failed, report.coverage.lacking) == (21, 0, 0)
    assert (index.field.name, index.field.chunk) == ("passages.vector", rule)
    text = f"Much {long}"
    found = es.get(index="articles", id="long", source=["passages.start", "passages.end"])
    spans = [(each["start"], each["end"]) for each in found["_source"]["passages"]]
    cut, _ = crowded_node.encoder.cut(text, rule)
    assert spans == [(chunk.start, chunk.end) for chunk in cut]
    assert len(spans) > 3
    best = index.search(f"Sentence 8 speaks of {PASSAGES[8][:40]}", mode="dense", size=1)
    assert best[0].id == "long"
    assert index.embed().written == 0
    with pytest.raises(RequestError, match=r"are cut otherwise .*densehook migrate"):
        densehook.Index.add_field(
            es, "articles", crowded_node.encoder, in_cluster=in_cluster, chunk=ChunkRule("tokens")
        )
    with pytest.raises(RequestError, match="'title' of index 'articles' is mapped already"):
        densehook.Index.add_field(
            es,
            "articles",
            crowded_node.encoder,
            inputs=["body"],
            field="title.vector",
            chunk=rule,
        )


class Bulks:
    """How bulk requests are treated, and how many were on their way at once; for a ``Proxy``."""

    def __init__(self, answer: Callable[[int], Answer] = lambda number: Answer()) -> None:
        self.count = 0
        self.most = 0
        self._answer = answer
        self._at_once: set[int] = set()
        self._lock = threading.Lock()

    def treat(self, number: int, path: str) -> Answer:
        if "/_bulk" not in path:
            return Answer()
        with self._lock:
            self.count += 1
            answer = self._answer(self.count)
            if not answer.status:
                self._at_once.add(number)
            self.most = max(self.most, len(self._at_once))
        return answer

    def carried_out(self, number: int) -> None:
        with self._lock:
            self._at_once.discard(number)


@WAYS
def test_the_cluster_has_several_bulks_to_pack_from_and_long_texts_are_few_in_each(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    make_articles(es, 20)
    for n in range(6):  # of which two are more than is sent together
        long = {"title": f"long {n}", "body": "understandable " * 5_000}
        es.index(index="articles", id=f"long {n}", document=long, refresh=True)
    bulks = Bulks(lambda number: Answer(delay=0.2))
    with Proxy(lambda: crowded_node.state.url, bulks.treat, bulks.carried_out) as proxy:
        index = densehook.Index.add_field(
            connect(proxy.url),
            "articles",
            crowded_node.encoder,
            inputs=INPUTS,
            in_cluster=in_cluster,
            chunk=ChunkRule("tokens", 64, max_chunks=2000),
        )
        report = index.embed()
    assert (report.written, report.failed, report.coverage.lacking) == (26, 0, 0)
    assert bulks.most == (4 if in_cluster else 1)
    assert bulks.count >= (6 if in_cluster else 2)


@WAYS
def test_a_cluster_that_stays_away_ends_a_run_that_goes_on_and_fails_no_document(
    crowded_node: CrowdedNode,
    es: Elasticsearch,
    in_cluster: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_place, "Patience", lambda: Patience("1s"))
    texts = make_articles(es, 600)
    bulks = Bulks(lambda number: Answer(status=503 if number > 1 else 0))
    heard: list[densehook.Failure] = []
    with Proxy(lambda: crowded_node.state.url, bulks.treat, bulks.carried_out) as proxy:
        index = densehook.Index.add_field(
            connect(proxy.url),
            "articles",
            crowded_node.encoder,
            inputs=INPUTS,
            in_cluster=in_cluster,
        )
        with pytest.raises(
            ClusterUnavailable, match=r"stayed busy or gone: .* (\d+) documents were"
        ):
            index.embed(on_failure=heard.append)
    assert heard == []
    done = having_vectors(es, "articles")
    assert 0 < done < 600
    again = densehook.Index.add_field(es, "articles", crowded_node.encoder, in_cluster=in_cluster)
    report = again.embed()
    assert (report.written, report.failed) == (600 - done, 0)
    assert_are_of(es, "articles", crowded_node.encoder, texts)


def test_a_shard_that_is_away_is_waited_for_and_never_passed_by(
    crowded_node: CrowdedNode, es: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = make_articles(es, 60)
    # once, for a refresh waits a minute for such a shard; whoever encodes reads the same pages
    index = densehook.Index.add_field(
        es, "articles", crowded_node.encoder, inputs=INPUTS, in_cluster=True
    )
    with lost(es, "articles"), monkeypatch.context() as patched:
        patched.setattr(in_place, "Patience", lambda: Patience("1s"))
        with pytest.raises(ClusterUnavailable, match=r"shards \[\[articles\]\[0\]\] are not"):
            index.embed()
    lose(es, "articles")
    back = threading.Timer(2, let_back, (es, "articles"))
    back.start()
    report = index.embed()
    back.join()
    assert (report.written, report.failed) == (60, 0)
    assert_are_of(es, "articles", crowded_node.encoder, texts)


@WAYS
def test_what_the_whole_index_ignores_is_text_all_the_same(
    crowded_node: CrowdedNode, es: Elasticsearch, in_cluster: bool
) -> None:
    ignoring = {"ignore_malformed": True, "ignore_above": 100}
    es.indices.create(
        index="articles",
        settings={"index.mapping": ignoring, "number_of_replicas": 0},
        mappings={"properties": {"n": {"type": "long"}, "tag": {"type": "keyword"}}},
    )
    es.index(index="articles", id="n", document={"n": "no number"})
    es.index(index="articles", id="tag", document={"tag": "too long " * 20})
    es.index(index="articles", id="none", document={"other": 1}, refresh=True)
    index = densehook.Index.add_field(
        es, "articles", crowded_node.encoder, inputs=["n", "tag"], in_cluster=in_cluster
    )
    report = index.embed()
    assert (report.failed, report.coverage.lacking) == (0, 0)
    texts = {"n": "no number", "tag": "too long " * 20}
    assert_are_of(es, "articles", crowded_node.encoder, texts)
