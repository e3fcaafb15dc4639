"""What an encoder reads of documents: which fields, put together, cut and worded how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..bundle import MANY, Manifest
from ..chunk import ChunkRule
from ..errors import RequestError
from .text_rule import MODALITIES, Modality, own_modality
from .wording import PLAIN, Wording


@dataclass(frozen=True)
class Reading:
    """What a vector field's encoder is to read of each document, as a mapping's ``_meta`` says it.

    The text is made of the fields ``inputs``, as ``wording`` says; it is one, or cut by ``chunk``.
    With ``modality`` image or numbers the one input holds no text but that.
    """

    inputs: Sequence[str]
    chunk: ChunkRule | None = None
    wording: Wording = PLAIN
    modality: Modality = "text"

    @property
    def stated(self) -> dict[str, Any]:
        """What an entry of ``_meta`` and a processor have of it beside the inputs and chunks."""
        what = {} if self.modality == "text" else {"modality": self.modality}
        return {**self.wording.stated, **what}

    @property
    def searched(self) -> Sequence[str]:
        """The fields of its text: the inputs, and what is put before chunks."""
        prefix = () if self.chunk is None else self.chunk.prefix
        return list(dict.fromkeys((*prefix, *self.inputs)))

    def require(self, manifest: Manifest) -> None:
        """Raises RequestError, or BundleError for the encoder, unless that can read so.

        Whether a mapping has these inputs is another question.
        """
        self._require_modality(manifest)
        if self.chunk is not None:
            if self.chunk.is_late:
                manifest.require_spans()
            # of other encoders it is not known how many tokens their prompt has
            rule = self.chunk.within(manifest.max_tokens)
            rule.room_within(manifest.unpooled.get("document", 0))
        self.wording.require(manifest, self.inputs, self.chunk)

    def _require_modality(self, manifest: Manifest) -> None:
        if self.modality not in MODALITIES:
            raise RequestError(f"modality is {self.modality!r}; known: {', '.join(MODALITIES)}")
        if self.modality == "text" and self.modality not in manifest.modalities:
            raise RequestError(
                f"encoder {manifest.name!r} of kind {manifest.kind} reads no texts; say what it"
                f" reads, and in which field: modality={own_modality(manifest)!r}"
            )
        manifest.require_modality(self.modality)
        is_made = self.chunk is not None or bool(self.wording.stated)
        if self.modality != "text" and (len(self.inputs) != 1 or is_made):
            raise RequestError(
                f"of {MANY[self.modality]} a vector is made of one field, not of"
                f" {', '.join(self.inputs)}, without a template, prompts and chunks; name the field"
                " that holds them"
            )
