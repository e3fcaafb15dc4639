"""`densehook tune`: build the variants, measure speed and quality, keep the best."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..bundle import TUNING, Bundle, Tuning, read_bundle, replacing
from ..encode.machine import machine_name
from ..encode.session import available_providers
from ..encode.versions import versions
from ..errors import BundleError, ExportError, GateError, MissingExtra
from ..evaluate import Collection
from .choice import Measured, choose, objection
from .plot import plot_tuning
from .quality import MEASURE, Progress, Sample, encode_sample, ndcg, require_trec_eval, sample
from .speed import Setting, encoder_of, fastest_settings

VARIANTS_FOLDER = "variants"
PLAIN = "fp32"


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
    progress: Progress = lambda label, done, total: None,
) -> Tuning:
    """Makes the bundle at ``path`` its fastest variant on this machine that keeps the quality.

    Quality is nDCG@10 of exact search over at most so many documents of the collection; a variant
    may lose ``max_loss`` against the plain bundle. All variants, ``only`` the named ones and the
    plain one where names are given, stay below ``variants/``; tuning.json and tuning.png say what
    was measured. The bundle changes at once or, when anything fails, not at all.

    Raises BundleError, CollectionError, EvaluationError, JavaNotFound, MissingExtra, and
    ExportError for a variant that is not known.
    """
    origin = plain_bundle(path)
    require_trec_eval()
    measured_on = sample(collection, origin.manifest.joiner, documents)
    try:
        with replacing(path) as staging:
            folder = staging / VARIANTS_FOLDER
            bundles, refused = _build(origin, folder, only, measured_on.documents, progress)
            rows = _measure(bundles, measured_on, progress)
            chosen = choose(rows, max_loss, allow_batch_dependent)
            for file in (folder / chosen.variant).iterdir():
                shutil.copyfile(file, staging / file.name)
            objections = {row: objection(row, max_loss, allow_batch_dependent) for row in rows}
            tuning = _tuning(chosen, objections, refused, measured_on, max_loss)
            (staging / TUNING).write_text(tuning.dumps())
            plot_tuning(tuning, staging / "tuning.png")
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from error
    return tuning


def _build(
    origin: Bundle, folder: Path, only: Sequence[str], texts: Sequence[str], progress: Progress
) -> tuple[Mapping[str, Bundle], Mapping[str, str]]:
    """The variants this machine has a provider for, and why the others were refused."""
    try:
        from ..export.variants import VARIANTS, build_variant
    except ImportError as error:
        raise MissingExtra(error.name or "onnx", "tune") from error
    unknown = sorted(set(only) - set(VARIANTS))
    if unknown:
        raise ExportError(f"no variant {unknown[0]!r}; known are {', '.join(VARIANTS)}")
    there = set(available_providers())
    names = [
        name
        for name, variant in VARIANTS.items()
        if name == PLAIN or ((not only or name in only) and there & set(variant.providers))
    ]
    bundles: dict[str, Bundle] = {}
    refused: dict[str, str] = {}
    for number, name in enumerate(names):
        progress("building variants", number, len(names))
        try:
            bundles[name] = build_variant(origin, name, folder / name, texts)
        except GateError as error:
            refused[name] = str(error)
    progress("building variants", len(names), len(names))
    return bundles, refused


def _measure(
    bundles: Mapping[str, Bundle], measured_on: Sample, progress: Progress
) -> Sequence[Measured]:
    from ..export.variants import VARIANTS

    runnable = {
        (name, provider): bundle
        for name, bundle in bundles.items()
        for provider in available_providers()
        if provider in VARIANTS[name].providers
    }
    speeds = fastest_settings(runnable, measured_on.documents, progress)
    qualities = {
        (name, provider): _quality(
            bundles[name], speed.setting, measured_on, f"searching with {name}", progress
        )
        for (name, provider), speed in sorted(speeds.items())
    }
    plain = max(quality for (name, _), quality in qualities.items() if name == PLAIN)
    return [
        _row(
            name,
            bundles[name],
            speeds[name, provider].setting,
            plain,
            speeds[name, provider].texts_per_second,
            qualities[name, provider],
        )
        for name, provider in runnable
    ]


def _quality(
    bundle: Bundle, setting: Setting, measured_on: Sample, label: str, progress: Progress
) -> float:
    documents, queries = encode_sample(
        encoder_of(bundle, setting),
        measured_on,
        lambda done: progress(label, done, len(measured_on.documents)),
    )
    return ndcg(measured_on, documents, queries, bundle.manifest.similarity)


def _row(
    name: str, bundle: Bundle, setting: Setting, plain: float, speed: float, quality: float
) -> Measured:
    parity = json.loads((bundle.path / "parity.json").read_text())
    return Measured(
        variant=name,
        precision=bundle.manifest.precision,
        fingerprint=bundle.manifest.fingerprint,
        setting=setting,
        texts_per_second=round(speed, 2),
        quality=quality,
        loss=round(plain - quality, 4),
        lowest_cosine=parity["lowest_cosine"],
        batch_dependent=bundle.manifest.batch_dependent,
        megabytes=round(bundle.model.stat().st_size / 2**20, 1),
    )


def _tuning(
    chosen: Measured,
    objections: Mapping[Measured, str],
    refused: Mapping[str, str],
    measured_on: Sample,
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
        queries=len(measured_on.queries),
        measure=MEASURE,
        machine=machine_name(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        measured=[*rows, *({"variant": name, "refused": why} for name, why in refused.items())],
        versions=versions(),
    )
