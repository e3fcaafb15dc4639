"""`densehook pair`: two encoders of one space as one, the smaller of them for queries.

An index that a large encoder made is searched by a small one which was trained to give the large
one's vectors (Hofstätter et al. 2020 distil so; sentence-transformers' Router has two towers too).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..bundle import (
    MANIFEST,
    QUERIES,
    Bundle,
    Dense,
    read_bundle,
    require_one_space,
    require_replaceable,
    write_golden,
    write_manifest,
)
from ..collections import Sample
from ..encode import Vectors, cosines, load
from ..errors import ExportError, GateError
from ..export.finishing import new_folder
from .quality import encode_sample, ndcg, require_measure

LEAST_COSINE = 0.3
"""On average, of what the two give for one query; unrelated spaces give 0."""


@dataclass(frozen=True)
class Paired:
    """The bundle of two towers, and what it was measured by.

    ``cosine`` is the mean of both towers' vectors of one query, ``alone`` nDCG@10 with the document
    tower for both, ``paired`` with both towers; None where nothing is judged.
    """

    bundle: Bundle
    cosine: float
    alone: float | None
    paired: float | None


def pair_bundles(
    documents: Path,
    queries: Path,
    output: Path,
    corpus: Sample,
    *,
    name: str = "",
    progress: Callable[[int], None] = lambda texts: None,
) -> Paired:
    """Writes a bundle whose documents one encoder makes, and whose queries the other.

    Its space is the first one's, so that indices which that made are searched by it as they are. A
    bundle that is there is replaced; ``name`` is by default the folder's. Raises BundleError where
    the two cannot be of one space, GateError where their vectors of queries say that they are not,
    ExportError where the output holds one of them; for a judged corpus what ndcg raises.
    """
    for path in (documents, queries):
        if path.resolve().is_relative_to(output.resolve()):
            raise ExportError(f"{output} is {path} itself, or holds it; write to another folder")
    require_replaceable(output, MANIFEST)
    large, small = read_bundle(documents), read_bundle(queries)
    if large.queries is not None:
        raise ExportError(f"{documents} has a tower for queries already; name the plain bundle")
    similarity = large.manifest.of(Dense).similarity
    require_one_space(large.manifest, small.manifest)
    if corpus.qrels:
        require_measure()
    texts = list(corpus.queries.values())
    one, other = load(documents), load(queries)
    theirs = other.encode_counted(texts, "query").vectors
    passages, own = encode_sample(one, corpus, progress)
    cosine = float(cosines(own, theirs).mean())
    if not cosine >= LEAST_COSINE:
        raise GateError(
            f"{small.manifest.name} and {large.manifest.name} are not of one space: their vectors"
            f" of one query have a cosine of {cosine:.3f} on average over {len(texts)}, at least"
            f" {LEAST_COSINE} is asked; train the one to give the other's vectors"
        )
    measured = [_ndcg(corpus, passages, vectors, similarity) for vectors in (own, theirs)]
    evidence = {
        "queries": small.manifest.name,
        "documents": large.manifest.name,
        "collection": corpus.name,
        "mean_cosine_of_queries": cosine,
        "ndcg@10": dict(zip(("alone", "paired"), measured, strict=True)),
    }
    _write(large, small, output, name or output.name, evidence)
    return Paired(read_bundle(output), cosine, *measured)


def _ndcg(corpus: Sample, documents: Vectors, queries: Vectors, similarity: str) -> float | None:
    return ndcg(corpus, documents, queries, similarity) if corpus.qrels else None


def _write(large: Bundle, small: Bundle, output: Path, name: str, evidence: dict[str, Any]) -> None:
    with new_folder(output) as staging:
        for file in large.manifest.files:
            shutil.copyfile(large.path / file, staging / file)
        _copy(small, staging / QUERIES)
        golden = [text for text in large.golden() if text.role == "document"]
        golden += [text for text in small.golden() if text.role == "query"]
        write_golden(staging / "golden.json", golden, large.manifest.part)
        known = json.loads((staging / "parity.json").read_text(encoding="utf-8"))
        (staging / "parity.json").write_text(json.dumps({**known, "towers": evidence}, indent=2))
        manifest = replace(large.manifest, name=name, queries=small.manifest.fingerprint)
        write_manifest(staging, manifest, large.manifest.files)


def _copy(bundle: Bundle, folder: Path) -> None:
    folder.mkdir()
    for file in (MANIFEST, *bundle.manifest.files):
        shutil.copyfile(bundle.path / file, folder / file)
