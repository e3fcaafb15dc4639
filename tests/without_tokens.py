"""Bundles whose tokenizers make nothing of some texts: none puts a token of its own around one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tiny_models
from densehook.bundle import Bundle, read_bundle, write_golden, write_manifest
from densehook.bundle.kinds.multi import sample_of
from densehook.encode import encoder_of
from densehook.errors import EncodeError
from densehook.export import Recipe, export_bundle

NOTHING = "ΩΩ"
"""Not blank, and of no token to these tokenizers."""

_KEPT: Mapping[str, Callable[[Any], Any]] = {
    "sparse": dict,
    "multi": sample_of,
    "cross": lambda row: float(row[0]),
}
"""What golden.json has of a row, where that is no vector."""


def static(folder: Path) -> Bundle:
    """A table of vectors, as model2vec has it."""
    model = tiny_models.make_table(folder / "model", 8)
    return export_bundle(Recipe("static", str(model)), folder / "bundle")


def strict(bundle: Bundle, folder: Path, name: str) -> Bundle:
    """The same with a tokenizer that adds nothing to a text, and leaves Ω out of it.

    Its golden texts are those that have tokens still, with what Python gives for them.
    """
    path = shutil.copytree(bundle.path, folder / name)
    file = path / "tokenizer.json"
    stated: dict[str, Any] = json.loads(file.read_text())
    leaving_out = {"type": "Replace", "pattern": {"String": "Ω"}, "content": ""}
    own = [each for each in [stated["normalizer"]] if each is not None]
    stated["normalizer"] = {"type": "Sequence", "normalizers": [leaving_out, *own]}
    stated["post_processor"] = None
    file.write_text(json.dumps(stated))
    manifest = replace(bundle.manifest, name=name)
    encoder = encoder_of(Bundle(path, write_manifest(path, manifest, manifest.files)))
    kept = _KEPT.get(manifest.kind, lambda row: row.tolist())
    golden = []
    for each in bundle.golden():
        try:
            tokens = encoder.golden_tokens(each)
        except EncodeError:
            continue
        (row,) = encoder.encode_tokens([tokens])
        golden.append(replace(each, ids=list(tokens.ids), output=kept(row)))
    write_golden(path / "golden.json", golden, manifest.part)
    write_manifest(path, manifest, manifest.files)
    return read_bundle(path)
