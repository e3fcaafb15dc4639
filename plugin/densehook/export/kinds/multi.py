"""Multi: by the cosine of each token's vector, and by the MaxSim of questions and documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...bundle import Manifest, Multi
from ...bundle.kinds.multi import TOKEN_BOUNDS
from ...encode import Encoder, Vectors, cosines
from ...encode.kinds.multi import TokenRows, blank, similarity
from ...errors import GateError
from .compared import Compared

NEIGHBOURS = 10
_TIES = {"fp32": 1e-3, "fp16": 1e-2}
"""Documents closer in score than this may change places; of fewer bits that is not asked."""
_BATCH_TOLERANCE = 1e-3

NEAREST = "lowest_cosine"


@dataclass(frozen=True)
class Parity:
    """How token vectors, and the scores made of them, compare to those expected."""

    texts: int
    token_ids_equal: bool
    token_vectors: int
    lowest_cosine: float
    mean_cosine: float
    largest_score_difference: float
    neighbours_agree: float
    batched_difference: float

    @property
    def batch_dependent(self) -> bool:
        """Whether a text's vectors depend on the texts that it is encoded together with."""
        return not self.batched_difference <= _BATCH_TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return asdict(self)


@dataclass(frozen=True)
class ParityOfImages:
    """How vectors of images' patches, and the scores made of them, compare to those expected."""

    images: int
    patch_vectors: int
    lowest_cosine: float
    largest_score_difference: float

    @property
    def batch_dependent(self) -> bool:
        """Never: an image runs by itself."""
        return False

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return asdict(self)


def said(measured: Mapping[str, Any]) -> str:
    """As ``Gate.said``."""
    if "images" in measured:
        return (
            f"{measured['images']} images:"
            f" lowest cosine of {measured['patch_vectors']:,} patch vectors"
            f" {measured['lowest_cosine']:.7f},"
            f" largest difference of a score {measured['largest_score_difference']:.1e}"
        )
    return (
        f"{measured['texts']} texts: token ids equal,"
        f" lowest cosine of {measured['token_vectors']:,} token vectors"
        f" {measured['lowest_cosine']:.7f},"
        f" largest difference of a score {measured['largest_score_difference']:.1e},"
        f" top-10 neighbours {measured['neighbours_agree']:.0%} the same"
    )


def part(settings: Any, sample: Any) -> Multi:
    """As the model's folder says."""
    found: Multi = settings.part
    return found


def judged(manifest: Manifest, compared: Compared, whose: str) -> Parity:
    """Every token's cosine is at or over the precision's bound; in fp32 and fp16 ranks agree."""
    for (_, text), found, expected in zip(
        compared.texts, compared.batched, compared.expected, strict=True
    ):
        if found.shape != expected.shape:
            raise GateError(
                f"the {manifest.precision} graph gives {text[:40]!r} {len(found)} token vectors,"
                f" {whose} are {len(expected)}; no bundle was written"
            )
    batched, expected = (_flat(each) for each in (compared.batched, compared.expected))
    similar = cosines(batched, expected)
    tie = _TIES.get(manifest.precision, 0.0)
    scores = [
        similarity(manifest, rows[: compared.questions], rows[compared.questions :])
        for rows in (compared.batched, compared.expected)
    ]
    parity = Parity(
        texts=len(compared.texts),
        token_ids_equal=True,
        token_vectors=len(similar),
        lowest_cosine=float(similar.min()),
        mean_cosine=float(similar.mean()),
        largest_score_difference=float(np.abs(scores[0] - scores[1]).max()),
        neighbours_agree=_agreement(scores[0], scores[1], tie),
        batched_difference=float(np.abs(batched - _flat(compared.alone)).max()),
    )
    _judge(parity, manifest.precision, whose)
    return parity


def judged_patches(
    encoder: Encoder, files: Sequence[bytes], expected: Sequence[Vectors], whose: str
) -> ParityOfImages:
    """Of images, by what is expected of the patches of each, and MaxSim of each with each.

    Raises GateError where a patch's vector is too far from that expected.
    """
    found: Any = encoder.encode_images(files)
    wanted = blank(encoder.manifest, len(expected))
    for place, (own, vectors) in enumerate(zip(found, expected, strict=True)):
        if own.shape != vectors.shape:
            raise GateError(
                f"the graph of images gives {list(own.shape)} numbers for the patches of image"
                f" {place}, {whose} are {list(vectors.shape)}; no bundle was written"
            )
        wanted[place] = vectors
    scores = [similarity(encoder.manifest, rows, rows) for rows in (found, wanted)]
    similar = cosines(_flat(found), _flat(wanted))
    lowest = float(similar.min())
    bound = TOKEN_BOUNDS[encoder.manifest.precision]
    if not lowest >= bound:  # NaN must fail too
        raise GateError(
            f"the graph of images is not {whose} equal: cosine {lowest:.6f} of a patch's vector,"
            f" the bound is {bound}; no bundle was written"
        )
    return ParityOfImages(
        images=len(files),
        patch_vectors=len(similar),
        lowest_cosine=lowest,
        largest_score_difference=float(np.abs(scores[0] - scores[1]).max()),
    )


def _judge(parity: Parity, precision: str, whose: str) -> None:
    bound = TOKEN_BOUNDS[precision]
    if not parity.lowest_cosine >= bound:  # NaN must fail too
        raise GateError(
            f"the {precision} graph is not {whose} equal: cosine {parity.lowest_cosine:.6f} of a"
            f" token's vector, the bound is {bound}; no bundle was written"
        )
    if precision in _TIES and parity.neighbours_agree < 1:
        raise GateError(
            f"only {parity.neighbours_agree:.1%} of the top-{NEIGHBOURS} documents by MaxSim are"
            f" {whose}; no bundle was written"
        )


def _flat(rows: TokenRows) -> Vectors:
    return np.concatenate(list(rows))


def _agreement(found: Vectors, expected: Vectors, tie: float) -> float:
    """Share of the best documents, over all questions, that both scores agree on."""
    agreed = 0
    for own, wanted in zip(found, expected, strict=True):
        tenth = np.sort(wanted)[-NEIGHBOURS]
        best = np.argsort(-own, kind="stable")[:NEIGHBOURS]
        agreed += int((wanted[best] >= tenth - tie).sum())
    return agreed / (len(found) * NEIGHBOURS)
