"""The end of every road to a bundle: judge the graph, write the proof, the manifest last.

What differs is how model.onnx and tokenizer.json are made, what they are compared with, and what
there is to say of that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..bundle import (
    MANIFEST,
    Bundle,
    GoldenText,
    Manifest,
    replacing,
    require_replaceable,
    write_golden,
    write_manifest,
)
from ..encode import Encoder, encoder_of
from ..encode.versions import versions
from ..errors import ExportError
from .kinds import Parity


@contextmanager
def new_folder(output: Path, mark: str = MANIFEST) -> Iterator[Path]:
    """An empty folder that takes its place at ``output`` when the block ends well.

    Raises ExportError where something stands there that does not bear the mark, which is then left
    as it is, or where the disk refuses.
    """
    require_replaceable(output, mark)
    try:
        with replacing(output) as staging:
            yield staging
    except OSError as error:
        raise ExportError(f"{output} cannot be written: {error.strerror or error}") from error


@dataclass(frozen=True)
class Draft:
    """A folder with model.onnx and tokenizer.json, and what is to be said and asked of them.

    ``also_golden`` has by kind what the golden texts come to by other heads of the manifest.
    ``gate`` compares the graph with what it was made of. ``evidence`` and ``versions`` go into
    parity.json beside what it measured; ``declared`` is the manifest in the light of that.
    """

    folder: Path
    manifest: Manifest
    golden: Sequence[GoldenText]
    gate: Callable[[Encoder], Parity]
    declared: Callable[[Manifest, Parity], Manifest] = lambda manifest, parity: manifest
    evidence: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    also_golden: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def finish(draft: Draft) -> None:
    """Makes a bundle of a draft.

    Raises GateError where its graph is not near enough to what the gate compares it with, or to the
    golden texts.
    """
    from .gate import gate_golden, gate_golden_images

    bundle = Bundle(draft.folder, draft.manifest)
    also = [(draft.manifest.also[kind].part, rows) for kind, rows in draft.also_golden.items()]
    write_golden(draft.folder / "golden.json", draft.golden, draft.manifest.part, also)
    encoder = encoder_of(bundle)
    parity = draft.gate(encoder)
    gate_golden(encoder, bundle)  # as written: what every load will read
    gate_golden_images(encoder, bundle)
    content = {
        **parity.as_json(),
        **draft.evidence,
        "versions": {**draft.versions, **versions()},
    }
    (draft.folder / "parity.json").write_text(json.dumps(content, indent=2) + "\n")
    files = sorted(path.name for path in draft.folder.iterdir())
    write_manifest(draft.folder, draft.declared(draft.manifest, parity), files)
