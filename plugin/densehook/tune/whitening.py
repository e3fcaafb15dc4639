"""`densehook whiten`: learn from a corpus, write the bundle, measure what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..bundle import MANIFEST, Bundle, Dense, require_replaceable
from ..collections import Sample
from ..encode import Encoder
from ..errors import ExportError
from ..export.whitening import learn_centring, learn_whitening, write_transformed
from .quality import encode_sample, ndcg, require_measure
from .tuning import plain_bundle


@dataclass(frozen=True)
class Whitened:
    """The new bundle, with nDCG@10 before and after; None where nothing is judged."""

    bundle: Bundle
    before: float | None
    after: float | None


def whiten_bundle(
    path: Path,
    output: Path,
    corpus: Sample,
    *,
    name: str = "",
    centre_only: bool = False,
    dims: int | None = None,
    progress: Callable[[int], None] = lambda texts: None,
) -> Whitened:
    """Writes the bundle at ``path``, with its vectors whitened for a corpus, to ``output``.

    A bundle that is there is replaced. ``name`` is the new encoder's, by default the folder's;
    the result is a plain bundle, to be tuned like any. What is measured is measured on the corpus
    that the whitening was learned from, without its judgements.

    Raises BundleError, ExportError, GateError; for a judged corpus what ndcg raises.
    """
    if path.resolve().is_relative_to(output.resolve()):
        raise ExportError(f"{output} is the bundle itself, or holds it; write to another folder")
    require_replaceable(output, MANIFEST)
    origin = plain_bundle(path)
    origin.manifest.require_modality("text")
    dense = origin.manifest.of(Dense)
    if corpus.queries:
        require_measure()
    documents, queries = encode_sample(Encoder(origin), corpus, progress)
    learn = learn_centring if centre_only else learn_whitening
    transform = learn(documents, dense.normalise, dims)
    evidence = {
        "kind": "centring" if centre_only else "whitening",
        "corpus": corpus.name,
        "texts": len(corpus.documents),
    }
    bundle = write_transformed(origin, output, name or output.name, transform, evidence)
    if not corpus.queries:
        return Whitened(bundle, None, None)
    before = ndcg(corpus, documents, queries, dense.similarity)
    after = ndcg(corpus, transform(documents), transform(queries), dense.similarity)
    return Whitened(bundle, before, after)
