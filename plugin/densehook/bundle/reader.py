"""Opening a bundle: its format is known and every file is the one that was exported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BundleError
from .files import sha256_of
from .golden import GoldenImage, GoldenText, golden_keys, read_golden, read_golden_images
from .kinds.numbers import Numbers
from .manifest import Manifest
from .stated import read_text
from .tuning import Tuning, read_tuning

MANIFEST = "encoder.json"
QUERIES = "queries"
"""The folder in a bundle with that of its queries, where they have a tower of their own."""
_REQUIRED = ("model.onnx", "golden.json")
_TOKENIZER = "tokenizer.json"
IMAGE_MODEL = "image.onnx"
GOLDEN_IMAGES = "images.json"
_REQUIRED_OF_IMAGES = (IMAGE_MODEL, GOLDEN_IMAGES)


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked against their sums.

    ``queries`` is the tower that queries have of their own, if they have one.
    """

    path: Path
    manifest: Manifest
    queries: Bundle | None = None

    @property
    def model(self) -> Path:
        """The ONNX graph, pooling and normalisation inside."""
        return self.path / "model.onnx"

    @property
    def image_model(self) -> Path:
        """The ONNX graph of images, where the encoder reads them."""
        return self.path / IMAGE_MODEL

    @property
    def tokenizer(self) -> Path:
        """The Hugging Face tokenizer, without truncation and padding; of texts alone."""
        return self.path / _TOKENIZER

    def golden(self) -> list[GoldenText]:
        """The self-test's texts, with the outputs of the manifest's kind."""
        manifest = self.manifest
        return read_golden(
            self.path / "golden.json", manifest.part, golden_keys(self._whole.token_heads)
        )

    def also_golden(self) -> dict[str, list[Any]]:
        """By kind what the golden texts come to by the manifest's other heads."""
        return {
            kind: [text.output for text in self.of_kind(kind).golden()]
            for kind in self.manifest.token_heads
            if kind in self.manifest.also
        }

    def of_kind(self, kind: str) -> Bundle:
        """The same as a bundle of one of its kinds alone; raises BundleError for another."""
        return replace(self, manifest=self.manifest.of_kind(kind))

    def golden_images(self) -> list[GoldenImage]:
        """The self-test's images, with the outputs of the manifest's kind, if it is of images."""
        manifest = self.manifest
        if "image" not in manifest.modalities:
            return []
        return read_golden_images(
            self.path / GOLDEN_IMAGES, manifest.part, golden_keys(self._whole.image_heads)
        )

    @property
    def _whole(self) -> Manifest:
        return self.manifest.whole or self.manifest

    def tuning(self) -> Tuning | None:
        """How to run it here; None where it was not tuned."""
        return read_tuning(self.path)


def read_bundle(path: Path | str) -> Bundle:
    """Reads a bundle and checks format, fingerprint and the SHA-256 of every file.

    Raises BundleError naming the file that is missing or differs.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise BundleError(
            f"no bundle at {path}: {MANIFEST} is missing;"
            " make one with: densehook export RECIPE.toml"
        )
    manifest = Manifest.loads(read_text(path / MANIFEST))
    reads_images = "image" in manifest.modalities
    tokenizer = () if isinstance(manifest.part, Numbers) else (_TOKENIZER,)
    for name in (*_REQUIRED, *tokenizer, *(_REQUIRED_OF_IMAGES if reads_images else ())):
        if name not in manifest.files:
            raise BundleError(f"{path / MANIFEST} lists no {name}; export the bundle again")
    for name, expected in manifest.files.items():
        _check_sum(path, name, expected)
    return Bundle(path, manifest, _queries(path, manifest) if manifest.queries else None)


def _queries(path: Path, manifest: Manifest) -> Bundle:
    """The tower for queries, when it is the one that belongs to this bundle."""
    tower = read_bundle(path / QUERIES)
    found = tower.manifest
    if found.fingerprint != manifest.queries:
        raise BundleError(
            f"{path / QUERIES} is {found.fingerprint}, the manifest says {manifest.queries}; copy"
            " the bundle again, or pair the two anew"
        )
    require_one_space(manifest, found)
    return tower


def require_one_space(documents: Manifest, queries: Manifest) -> None:
    """Raises BundleError where vectors of two encoders cannot be compared at all."""
    if queries.queries:
        raise BundleError(f"{queries.name} has a tower for queries itself; take that one's queries")
    several = next((each for each in (documents, queries) if each.also), None)
    if several is not None:
        raise BundleError(
            f"{several.name} is of kind {' and '.join(several.heads)}: what gives several outputs"
            " in one run is no tower of a pair"
        )
    alike = isinstance(documents.part, type(queries.part))
    if not alike or documents.part.space != queries.part.space:
        raise BundleError(
            f"{documents.name} is {documents.kind} of {documents.part.summary} and {queries.name}"
            f" {queries.kind} of {queries.part.summary}: they cannot be towers of one space"
        )


def write_manifest(path: Path, manifest: Manifest, files: Iterable[str]) -> Manifest:
    """Writes encoder.json with the sums of the named files, and gives the manifest written."""
    sums = {name: sha256_of(path / name) for name in files}
    manifest = replace(manifest, files=sums)
    (path / MANIFEST).write_text(manifest.dumps())
    return manifest


def _check_sum(path: Path, name: str, expected: str) -> None:
    file = path / name
    if not file.is_file():
        raise BundleError(f"{file} is missing from the bundle; export it again")
    try:
        found = sha256_of(file)
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror or error}") from None
    if found != expected:
        raise BundleError(
            f"{file} is not the file that was exported: sha256 {found[:12]}…,"
            f" the manifest says {expected[:12]}…; export the bundle again"
        )
