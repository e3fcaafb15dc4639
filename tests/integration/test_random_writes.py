"""Thousands of writes drawn at random: whatever way a document is written, its vectors are right.

The operations and what they must leave behind are in random_writes/. To draw others, or more:
DENSEHOOK_SEED=7 DENSEHOOK_OPERATIONS=20000 pytest tests/integration/test_random_writes.py
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from elasticsearch import ApiError, Elasticsearch

import random_writes as rw
from conftest import CrowdedNode
from densehook.bundle import Dense
from densehook.encode import Encoder
from densehook.node.launching import numbers

SEED = int(os.environ.get("DENSEHOOK_SEED", "11"))
OPERATIONS = int(os.environ.get("DENSEHOOK_OPERATIONS", "2000"))
BATCH = 12
NEAR = 1e-4
SHOWN = 6
"""Faults that are shown with their shortest history."""
JSON = {"content-type": "application/json", "accept": "application/json"}

ONE = (rw.VectorField("embedding", ("title", "body")),)
TWO = (*ONE, rw.VectorField("parts.title", ("title",)))
# a vector inside an object that _source drops comes back from 9.x under the literal key a.b, and
# Elasticsearch itself then refuses an update that has it as an object
TWO_TOP = (*ONE, rw.VectorField("title_vector", ("title",)))


def shapes(hides: bool) -> list[rw.Shape]:
    """Every door with everything that ``_source`` can drop."""
    doors = [(True, False), (False, True), (True, True)]
    made = []
    for door, (embeds, pipeline) in enumerate(doors):
        for number, drops in enumerate(("nothing", "vectors", "notes", "both")):
            several = TWO_TOP if drops in ("vectors", "both") else TWO
            fields = several if (number + door) % 2 else ONE
            made.append(rw.Shape(embeds, pipeline, drops, fields, hides))
    return made


@dataclass(frozen=True)
class Problem:
    """What is wrong with a document."""

    id: str
    says: str


@dataclass
class Texts:
    """The encoder's vectors, each text encoded once."""

    encoder: Encoder
    known: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, text: str) -> Any:
        if text not in self.known:
            self.known[text] = self.encoder.encode_counted([text], "document").vectors[0]
        return self.known[text]


@dataclass
class Index:
    """An index of a shape in a real node."""

    client: Elasticsearch
    name: str
    shape: rw.Shape
    texts: Texts

    def make(self) -> None:
        self.drop()
        manifest, fields = self.texts.encoder.manifest, self.shape.fields
        settings: dict[str, Any] = {
            "number_of_shards": 2,
            "number_of_replicas": 0,
            "refresh_interval": "200ms",
            "index.gc_deletes": "1h",
            "index.densehook.embed": self.shape.embeds,
        }
        if self.shape.pipeline:
            self.client.ingest.put_pipeline(id=self.name, processors=self._processors())
            settings["index.default_pipeline"] = self.name
        meta = {
            to.name: {
                "input": list(to.inputs),
                "encoder": manifest.name,
                "fingerprint": manifest.fingerprint,
            }
            for to in fields
        }
        properties: dict[str, Any] = {
            "title": {"type": "text"},
            "body": {"type": "text"},
            "views": {"type": "integer"},
        }
        for to in fields:
            head, _, rest = to.name.partition(".")
            vector = {
                "type": "dense_vector",
                "dims": manifest.of(Dense).dims,
                "similarity": "dot_product",
                "index_options": {"type": "hnsw"},
            }
            properties[head] = {"properties": {rest: vector}} if rest else vector
        self.client.indices.create(
            index=self.name,
            settings=settings,
            mappings={
                "_meta": {"densehook": {"fields": meta, "bm25": "body"}, "team": "a"},
                "_source": self._source(),
                "properties": properties,
            },
        )

    def drop(self) -> None:
        self.client.indices.delete(index=self.name, ignore_unavailable=True)

    def _processors(self) -> list[dict[str, Any]]:
        options = {
            "encoder": self.texts.encoder.manifest.name,
            "ignore_missing": True,
            "override": False,
        }
        return [
            {"densehook": {**options, "input": list(to.inputs), "output": to.name}}
            for to in self.shape.fields
        ]

    def _source(self) -> dict[str, Any]:
        names = [to.name for to in self.shape.fields]
        return {
            "nothing": {},
            "vectors": {"excludes": names},
            "notes": {"excludes": [rw.NOTES]},
            "both": {"includes": ["title", "body", "views"]},
        }[self.shape.drops]

    # writing

    def run(self, operation: rw.Operation) -> list[str]:
        """Carry an operation out; what came of each of its items."""
        match operation:
            case rw.Single(item, refresh):
                return [self._single(item, refresh)]
            case rw.Bulk(items, refresh):
                return self._bulk([(item, self._seq_no(item)) for item in items], refresh)
            case rw.Edit():
                return [self._edit(operation)]
            case rw.EditAll(fields):
                return self._edit_all(fields)
            case _:
                self._administer(operation)
                return []

    def _administer(self, operation: rw.Operation) -> None:
        match operation:
            case rw.Switch(setting, on):
                settings = {f"index.densehook.{setting}": on}
                self.client.indices.put_settings(index=self.name, settings=settings)
            case rw.PutMapping(team):
                self.client.indices.put_mapping(index=self.name, meta={"team": team})
            case rw.Maintain(what):
                getattr(self.client.indices, what)(index=self.name)
            case rw.Recreate():
                self.make()

    def _seq_no(self, item: rw.Item) -> dict[str, int] | None:
        if isinstance(item, rw.Delete) or not item.right_seq_no:
            return None
        try:
            found = self.client.get(index=self.name, id=item.id, routing=rw.routing_of(item.id))
        except ApiError:
            return None
        return {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}

    def _single(self, item: rw.Item, refresh: str) -> str:
        given = rw.parameters(item, self._seq_no(item)) | ({"refresh": refresh} if refresh else {})
        path = f"/{self.name}/_doc/{item.id}"
        match item:
            case rw.Put():
                given |= {"op_type": "create"} if item.create else {}
                return self._send("PUT", path, given, rw.source_of(item.fields, item.brought))
            case rw.Delete():
                return self._send("DELETE", path, given, None)
            case rw.Update():
                path = f"/{self.name}/_update/{item.id}"
                return self._send("POST", path, given, rw.update_body(item))

    def _send(self, method: str, path: str, given: Mapping[str, Any], body: Any) -> str:
        try:
            answer = self.client.perform_request(
                method, path, params=given, headers=JSON, body=body
            )
            return str(answer.body["result"])
        except ApiError as error:
            body = error.body if isinstance(error.body, dict) else {}
            if body.get("result"):  # a delete that found nothing
                return str(body["result"])
            return outcome({"status": error.status_code, **body})

    def _bulk(
        self, items: Sequence[tuple[rw.Item, dict[str, int] | None]], refresh: str = ""
    ) -> list[str]:
        lines: list[dict[str, Any]] = []
        for item, seq_no in items:
            given = {"_id": item.id, **rw.parameters(item, seq_no)}
            match item:
                case rw.Put():
                    kind = "create" if item.create else "index"
                    lines += [{kind: given}, rw.source_of(item.fields, item.brought)]
                case rw.Delete():
                    lines.append({"delete": given})
                case rw.Update():
                    lines += [{"update": given}, rw.update_body(item)]
        return self._bulk_lines(lines, refresh)

    def _bulk_lines(self, lines: list[dict[str, Any]], refresh: str = "") -> list[str]:
        given = {"refresh": refresh} if refresh else {}
        answer = self.client.options(request_timeout=120).bulk(
            index=self.name, operations=lines, **given
        )
        return [outcome(result) for item in answer["items"] for result in item.values()]

    def _edit(self, edit: rw.Edit) -> str:
        given: dict[str, Any] = {}
        if rw.routing_of(edit.id):
            given["routing"] = rw.routing_of(edit.id)
        shown = {"_source_exclude_vectors": "false"} if self.shape.hides and edit.vectors else {}
        path = f"/{self.name}/_doc/{edit.id}"
        try:
            found = self.client.perform_request(
                "GET", path, params={**given, **shown}, headers=JSON
            ).body
        except ApiError as error:
            return "missing" if error.status_code == 404 else outcome({"status": error.status_code})
        source = {**found["_source"], **edit.fields}
        for name, number in edit.brought.items():
            rw.place(source, name, rw.vector_of(number))
        given |= {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
        return self._send("PUT", path, given, source)

    def _edit_all(self, fields: rw.Fields) -> list[str]:
        lines: list[dict[str, Any]] = []
        for hit in self.hits():
            if rw.is_versioned(hit["_id"]):
                continue
            action = {
                "_id": hit["_id"],
                "if_seq_no": hit["_seq_no"],
                "if_primary_term": hit["_primary_term"],
            }
            if "_routing" in hit:
                action["routing"] = hit["_routing"]
            lines += [{"index": action}, {**hit["_source"], **fields}]
        return self._bulk_lines(lines) if lines else []

    # reading

    def hits(self) -> list[dict[str, Any]]:
        self.client.indices.refresh(index=self.name)
        shown = {"source": {"exclude_vectors": False}} if self.shape.hides else {}
        found = self.client.search(index=self.name, size=100, seq_no_primary_term=True, **shown)
        return sorted(found["hits"]["hits"], key=lambda hit: str(hit["_id"]))

    def check(self, model: rw.Model) -> list[Problem]:
        """Everything that is not as it must be."""
        hits = {hit["_id"]: hit["_source"] for hit in self.hits()}
        problems = [Problem(id_, "is lost") for id_ in model.documents.keys() - hits.keys()]
        problems += [Problem(id_, "is there") for id_ in hits.keys() - model.documents.keys()]
        both = sorted(hits.keys() & model.documents.keys())
        for id_ in both:
            own = {"title", "body", "views"}
            stored = {name: value for name, value in hits[id_].items() if name in own}
            if stored != model.documents[id_].fields:
                says = f"holds {stored}, right is {model.documents[id_].fields}"
                problems.append(Problem(id_, says))
        for to in self.shape.fields:
            nearness = self._nearness(to, both, hits, model)
            for id_ in both:
                problems += self._judge(to, id_, hits[id_], model.documents[id_], nearness[id_])
        return problems

    def _judge(
        self,
        to: rw.VectorField,
        id_: str,
        source: Mapping[str, Any],
        doc: rw.Doc,
        nearness: Mapping[str, bool] | None,
    ) -> list[Problem]:
        expected = doc.expected[to.name]
        text = rw.text_of(doc.fields, to.inputs)
        found = {None} if nearness is None else {kind for kind, near in nearness.items() if near}
        right: set[str | None] = {
            "made": {"encoder's"} if text else {None},
            "own": {"own"},
            "either": {"own", "encoder's"},
            "own or none": {"own", None},
            "late": {"encoder's", None} if text else {None},
            "open": set(),
        }[expected.kind]
        if not right:
            return []
        if not found & right:
            said = next(iter(found), "of nothing that it should be") or "missing"
            wanted = " or ".join(str(each or "none") for each in sorted(right, key=str))
            says = f"vector of {to.name!r} is {said}, right is {wanted}; its text is {text!r}"
            return [Problem(id_, says)]
        if self.shape.keeps_notes and expected.kind == "made":
            return self._judge_note(to, id_, source, text)
        return []

    def _judge_note(
        self, to: rw.VectorField, id_: str, source: Mapping[str, Any], text: str
    ) -> list[Problem]:
        note = source.get(rw.NOTES, {}).get(to.name)
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        fingerprint = self.texts.encoder.manifest.fingerprint
        right = {"fingerprint": fingerprint, "text": digest}
        if note == right or (note is None and not text):  # of no text it may say so, or nothing
            return []
        return [Problem(id_, f"note on {to.name!r} is {note}, right is {right}, of {text!r}")]

    def _nearness(
        self,
        to: rw.VectorField,
        ids: Sequence[str],
        hits: Mapping[str, Mapping[str, Any]],
        model: rw.Model,
    ) -> dict[str, dict[str, bool] | None]:
        """Of each document: which of the vectors it may have its vector is; None without one."""
        there = self.client.search(
            index=self.name, size=100, source=False, query={"exists": {"field": to.name}}
        )["hits"]["hits"]
        with_vector = {hit["_id"] for hit in there}
        candidates: dict[str, dict[str, Any]] = {}
        for id_ in ids:
            doc = model.documents[id_]
            text, brought = rw.text_of(doc.fields, to.inputs), doc.expected[to.name].brought
            candidates[id_] = {"encoder's": self.texts[text]} if text else {}
            if brought:
                candidates[id_]["own"] = np.array(rw.vector_of(brought))
        if self.shape.keeps_vectors:
            return {
                id_: {
                    kind: bool(
                        np.abs(np.array(rw.value_at(hits[id_], to.name)) - each).max() < NEAR
                    )
                    for kind, each in candidates[id_].items()
                }
                if id_ in with_vector
                else None
                for id_ in ids
            }
        asked = [(id_, kind) for id_ in ids if id_ in with_vector for kind in candidates[id_]]
        scores = self._scores(to, [(id_, candidates[id_][kind]) for id_, kind in asked])
        near: dict[str, dict[str, bool] | None] = {
            id_: {} if id_ in with_vector else None for id_ in ids
        }
        for (id_, kind), score in zip(asked, scores, strict=True):
            (near[id_] or near.setdefault(id_, {}))[kind] = abs(score - 1) < NEAR  # type: ignore[index]
        return near

    def _scores(self, to: rw.VectorField, asked: Sequence[tuple[str, Any]]) -> list[float]:
        """(1 + dot) / 2 of the stored vector and another, as kNN search gives it."""
        if not asked:
            return []
        searches: list[dict[str, Any]] = []
        for id_, vector in asked:
            knn = {
                "field": to.name,
                "query_vector": vector.tolist(),
                "k": 1,
                "num_candidates": 100,
                "filter": {"ids": {"values": [id_]}},
            }
            searches += [{}, {"size": 1, "_source": False, "knn": knn}]
        found = self.client.msearch(index=self.name, searches=searches)["responses"]
        return [each["hits"]["hits"][0]["_score"] for each in found]


def outcome(result: Mapping[str, Any]) -> str:
    """What came of an item, in one word, or the error."""
    error = result.get("error")
    if error is None:
        return str(result.get("result", f"status {result['status']}"))
    kind = error["type"] if isinstance(error, Mapping) else str(error)
    if kind == "version_conflict_engine_exception":
        return "conflict"
    if kind == "document_missing_exception":
        return "missing"
    return f"{result['status']} {kind}: {error.get('reason') if isinstance(error, Mapping) else ''}"


@dataclass(frozen=True)
class Fault:
    """A problem, where it arose, and what had been done until then."""

    shape: rw.Shape
    number: int
    problem: Problem
    history: Sequence[rw.Operation]

    def __str__(self) -> str:
        lines = "\n".join(f"      {rw.told(operation)}" for operation in self.history)
        return (
            f"  {self.shape}\n    operation {self.number}, document {self.problem.id!r}"
            f" {self.problem.says}\n    after\n{lines}"
        )


def step(index: Index, model: rw.Model, operation: rw.Operation) -> list[Problem]:
    """Carry an operation out in both; the answers that are not as they must be."""
    right = model.apply(operation)
    try:
        got = index.run(operation)
    except ApiError as error:
        return [Problem("", f"{rw.told(operation)} is refused: {error}")]
    if len(right) != len(got):
        return [Problem("", f"{rw.told(operation)} has {len(got)} answers, right are {len(right)}")]
    items = operation.items if isinstance(operation, rw.Bulk) else [operation] * len(got)
    return [
        Problem(id_of(item), f"answers {was!r} to {rw.told(item)}, right is {should!r}")
        for item, was, should in zip(items, got, right, strict=True)
        if was not in should.split("|")
    ]


def id_of(item: Any) -> str:
    return str(getattr(item.item if isinstance(item, rw.Single) else item, "id", ""))


def faults_of(index: Index, seed: int, operations: int) -> list[Fault]:
    """Draw operations, run them, compare after each batch; at most a few faults."""
    index.make()
    model, writer = rw.Model(index.shape), rw.Writer(seed, index.shape)
    done: list[rw.Operation] = []
    faults: list[Fault] = []
    number = 0
    while number < operations:
        problems: list[Problem] = []
        for operation in writer.batch(BATCH):
            done.append(operation)
            problems += step(index, model, operation)
            number += rw.count(operation)
        problems += index.check(model)
        first = {problem.id: problem for problem in reversed(problems)}
        for problem in first.values():
            history = rw.of_document(done, problem.id) if problem.id else done[-BATCH:]
            faults.append(Fault(index.shape, number, problem, history))
        if problems:  # what follows from the same fault is not told again
            break
    return faults


def shown(faults: Sequence[Fault], client: Elasticsearch, texts: Texts) -> str:
    """Faults with the shortest history that shows each."""
    told = []
    for number, fault in enumerate(faults):
        index = Index(client, f"again-{number}", fault.shape, texts)

        def fails(
            operations: Sequence[rw.Operation], index: Index = index, fault: Fault = fault
        ) -> bool:
            index.make()
            model = rw.Model(index.shape)
            problems = [each for operation in operations for each in step(index, model, operation)]
            problems += index.check(model)
            return any(problem.id == fault.problem.id for problem in problems)

        if fault.problem.id and fails(fault.history):
            history = rw.shortest(fault.history, fails)
            told.append(str(Fault(fault.shape, fault.number, fault.problem, history)))
        else:
            told.append(f"{fault}\n    (alone it does not happen again)")
        index.drop()
    return "\n".join(told)


def test_whatever_is_written_every_vector_is_that_of_its_text(
    crowded_node: CrowdedNode,
) -> None:
    client, encoder = crowded_node.client, crowded_node.encoder
    version = client.perform_request("GET", "/_nodes/_local", headers=JSON).body["nodes"]
    hides = numbers(next(iter(version.values()))["version"]) >= (9, 2)
    texts = Texts(encoder)
    print(f"seed {SEED}, {OPERATIONS} operations")  # noqa: T201
    faults: list[Fault] = []
    every = shapes(hides)
    for number, shape in enumerate(every):
        index = Index(client, f"writes-{number}", shape, texts)
        faults += faults_of(index, SEED, -(-OPERATIONS // len(every)))
        index.drop()
    said = "" if not faults else shown(faults[:SHOWN], client, texts)
    assert not faults, (
        f"seed {SEED}: {len(faults)} faults in {len({fault.shape for fault in faults})} of"
        f" {len(every)} shapes, the first are\n{said}"
    )


def test_the_texts_that_are_written_have_vectors_apart(tiny: Encoder) -> None:
    """Or a stale vector would pass for a new one."""
    vectors = tiny.encode_counted(list(rw.WORDS), "document").vectors
    distances = np.abs(vectors[:, None] - vectors[None]).max(axis=2)
    np.fill_diagonal(distances, 1)
    assert distances.min() > 100 * NEAR


def test_the_same_seed_draws_the_same() -> None:
    shape = shapes(False)[0]
    first, again = (rw.Writer(3, shape).batch(300) for _ in range(2))
    assert first == again
    assert first != rw.Writer(4, shape).batch(300)
    json.dumps([str(operation) for operation in first])
