"""`densehook tune`: build the variants, measure speed and quality, keep the best."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..bundle import TUNING, Bundle, Manifest, Tuning, read_bundle, write_manifest
from ..collections import Collection, Sample
from ..encode.session import available_providers
from ..encode.versions import versions
from ..errors import BundleError, ExportError, GateError
from ..export.finishing import new_folder
from ..hooks import Modality
from ..machine import machine_name
from .choice import Kept, Measured, choose, objection
from .gating import PLAIN, Nearness, Place, nearness
from .kinds import Quality, quality_for, require_tunable
from .plot import plot_tuning, require_matplotlib
from .quality import MEASURE, Progress, require_measure
from .reading import sample_for
from .speed import Setting, Speed, encoder_of, fastest_settings, of_images

VARIANTS_FOLDER = "variants"

Refusal = Mapping[str, str]
"""A row of tuning.json: a variant, why it was refused, and on which provider if not on all."""


def plain_bundle(path: Path) -> Bundle:
    """The bundle as it was exported: itself, or, where it was tuned, the one kept inside.

    Raises BundleError as read_bundle does, and for a bundle that holds no plain one.
    """
    kept = path / VARIANTS_FOLDER / PLAIN
    bundle = read_bundle(kept if kept.is_dir() else path)
    if bundle.manifest.variant or bundle.manifest.precision != "fp32":
        raise BundleError(
            f"{path} is the variant {bundle.manifest.variant!r} and holds no {VARIANTS_FOLDER}/"
            f"{PLAIN} to start from; export the bundle again"
        )
    return bundle


def tune_bundle(
    path: Path,
    collection: Collection,
    *,
    max_loss: float = 0.005,
    allow_batch_dependent: bool = False,
    documents: int = 10_000,
    only: Sequence[str] = (),
    field: str | None = None,
    modality: Modality = "text",
    progress: Progress = lambda label, done, total: None,
) -> Tuning:
    """Makes the bundle at ``path`` its fastest variant on this machine that keeps the quality.

    Quality is nDCG@10 of exact search over at most so many documents of the collection, of
    cross-encoders that of reranking candidates from them; a variant may lose ``max_loss`` against
    the plain bundle, where it gives several kinds of outputs as each of them. An encoder of images
    is judged by those that a ``field`` of the documents holds, and that the queries, texts, find,
    with ``modality`` image; one of numbers by lists, which queries are as well. All variants,
    ``only`` the named ones and the plain one where names are given, stay below ``variants/``;
    tuning.json and tuning.png say what was measured. The bundle changes at once or, when anything
    fails, not at all.

    Raises BundleError, CollectionError, EvaluationError, JavaNotFound, MissingExtra, and
    ExportError for a variant that is not known.
    """
    origin = plain_bundle(path)
    require_tunable(origin)
    _require_known(only)
    require_matplotlib()
    require_measure()
    measured_on = sample_for(origin.manifest, collection, documents, field, modality)
    quality = quality_for(origin, measured_on)
    with new_folder(path) as staging:
        folder = staging / VARIANTS_FOLDER
        bundles, unbuilt = _build(origin, folder, only, quality, progress)
        rows, unfit = _measure(bundles, quality, progress)
        chosen = choose(rows, max_loss, allow_batch_dependent)
        _declare(bundles[chosen.variant], chosen)
        for file in (folder / chosen.variant).iterdir():
            shutil.copyfile(file, staging / file.name)
        objections = {row: objection(row, max_loss, allow_batch_dependent) for row in rows}
        refused = [*unbuilt, *unfit]
        tuning = _tuning(chosen, objections, refused, measured_on, quality, max_loss)
        (staging / TUNING).write_text(tuning.dumps())
        plot_tuning(tuning, staging / "tuning.png")
    return tuning


def _require_known(variants: Sequence[str]) -> None:
    from ..export.variants import VARIANTS

    unknown = sorted(set(variants) - set(VARIANTS))
    if unknown:
        raise ExportError(f"no variant {unknown[0]!r}; known are {', '.join(VARIANTS)}")


def _build(
    origin: Bundle, folder: Path, only: Sequence[str], quality: Quality, progress: Progress
) -> tuple[Mapping[str, Bundle], Sequence[Refusal]]:
    """The variants this machine has a provider for, and why the others were refused."""
    from ..export.variants import VARIANTS, build_variant

    there = set(available_providers())
    names = [
        name
        for name, variant in VARIANTS.items()
        if name == PLAIN or ((not only or name in only) and there & set(variant.providers))
    ]
    bundles: dict[str, Bundle] = {}
    refused: list[Refusal] = []
    for number, name in enumerate(names):
        progress("building variants", number, len(names))
        try:
            bundles[name] = build_variant(
                origin, name, folder / name, quality.texts, quality.images
            )
        except GateError as error:
            if name == PLAIN:  # there is nothing to compare with
                raise
            refused.append({"variant": name, "refused": str(error)})
    progress("building variants", len(names), len(names))
    return bundles, refused


def _measure(
    bundles: Mapping[str, Bundle], quality: Quality, progress: Progress
) -> tuple[Sequence[Measured], Sequence[Refusal]]:
    """Every variant on every provider whose gate it passes, and why the others were refused."""
    near, unfit = nearness(bundles)
    refused = dict(unfit)
    runnable = {(name, provider): bundles[name] for name, provider in near}
    speeds = fastest_settings(runnable, quality.texts, progress)
    if quality.images:
        speeds = of_images(runnable, speeds, quality.images, progress)
    qualities: dict[Place, Mapping[str, float]] = {}
    for place, speed in sorted(speeds.items()):
        label = f"searching with {place[0]}"
        try:
            qualities[place] = _measured(runnable[place], speed.setting, quality, label, progress)
        except GateError as error:
            if place == (PLAIN, "cpu"):
                raise
            refused[place] = str(error)
    plains = [found for (name, _), found in qualities.items() if name == PLAIN]
    plain = {kind: max(found[kind] for found in plains) for kind in plains[0]}
    rows = [
        _row(place[0], runnable[place], speeds[place], near[place], _kept(qualities[place], plain))
        for place in near
        if place in qualities
    ]
    return rows, [
        {"variant": name, "provider": provider, "refused": why}
        for (name, provider), why in refused.items()
    ]


def _kept(found: Mapping[str, float], plain: Mapping[str, float]) -> Mapping[str, Kept]:
    return {kind: Kept(own, round(plain[kind] - own, 4)) for kind, own in found.items()}


def _measured(
    bundle: Bundle, setting: Setting, quality: Quality, label: str, progress: Progress
) -> Mapping[str, float]:
    """By kind; raises GateError where a load of the bundle, run so, would refuse it."""
    from ..export.gate import gate_golden

    encoder = encoder_of(bundle, setting)
    gate_golden(encoder, bundle)
    return quality.measured(encoder, lambda done: progress(label, done, quality.steps))


def _row(
    name: str, bundle: Bundle, speed: Speed, near: Nearness, kinds: Mapping[str, Kept]
) -> Measured:
    return Measured(
        variant=name,
        precision=bundle.manifest.precision,
        fingerprint=_said_of(bundle, near).fingerprint,
        setting=speed.setting,
        texts_per_second=round(speed.texts_per_second, 2),
        kinds=kinds,
        near=near,
        megabytes=round(bundle.model.stat().st_size / 2**20, 1),
    )


def _declare(bundle: Bundle, chosen: Measured) -> None:
    """Writes into the manifest what was found on the provider that was chosen."""
    manifest = _said_of(bundle, chosen)
    if manifest != bundle.manifest:
        write_manifest(bundle.path, manifest, manifest.files)


def _said_of(bundle: Bundle, found: Nearness | Measured) -> Manifest:
    return replace(bundle.manifest, batch_dependent=found.batch_dependent)


def _tuning(
    chosen: Measured,
    objections: Mapping[Measured, str],
    refused: Sequence[Refusal],
    measured_on: Sample,
    quality: Quality,
    max_loss: float,
) -> Tuning:
    rows = [{**row.as_json(), "objection": reason} for row, reason in objections.items()]
    return Tuning(
        variant=chosen.variant,
        provider=chosen.setting.provider,
        tokens_per_run=chosen.setting.tokens_per_run,
        concurrent_runs=chosen.setting.concurrent_runs,
        max_loss=max_loss,
        collection=measured_on.name,
        documents=len(measured_on.documents),
        queries=quality.queries,
        measure=MEASURE,
        way=quality.way,
        unit=quality.unit,
        machine=machine_name(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        measured=[*rows, *refused],
        versions=versions(),
    )
