"""encoder.json: everything a runtime must know to give an encoder's vectors, as one value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from ..errors import BundleError
from .text import join_texts

FORMAT = 1
Role = Literal["query", "document"]
ROLES: tuple[Role, ...] = get_args(Role)

KINDS = ("dense",)
POOLINGS = ("mean", "cls", "last")
SIMILARITIES = ("cosine", "dot_product", "max_inner_product")

PRECISION_BOUNDS = {"fp32": 0.99999, "fp16": 0.9999, "int8": 0.95, "int4": 0.85}
"""The lowest cosine to the golden vectors that each precision may show."""

# These files decide what comes out of the encoder; the others only prove it.
_VECTOR_FILES = ("model.onnx", "model.onnx_data", "tokenizer.json")


@dataclass(frozen=True)
class Source:
    """Where the weights came from.

    ``repository`` is where their authors publish them, ``location`` where this export took them
    from, at ``revision``.
    """

    repository: str
    location: str
    revision: str
    license: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A bundle's description; format version 1.

    A text becomes ``prompts[role] + text`` (the fields of a document joined by ``joiner``), its
    token ids are cut to ``max_tokens`` (special tokens included), right-padded with ``pad_id`` and
    fed as int64 [batch, tokens] to ``inputs``; ``output`` is float32 [batch, dims]. A graph without
    ``attention_mask`` among its inputs knows no padding: a batch is of texts of one length.

    ``variant`` names what was made of the plain export. ``batch_dependent`` says that a vector
    depends on the texts that it is encoded together with.
    """

    name: str
    kind: str = "dense"
    precision: str = "fp32"
    variant: str = ""
    batch_dependent: bool = False
    dims: int
    similarity: str
    pooling: str
    normalise: bool
    max_tokens: int
    pad_id: int
    prompts: Mapping[str, str]
    joiner: str = " "
    inputs: Sequence[str]
    output: str
    source: Source
    files: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Hash over all that can change a vector, as ``sha256:<hex>``.

        Names and source are left out: the same graph under another name gives the same vectors.
        """
        content = self._as_json()
        content["files"] = {n: s for n, s in sorted(self.files.items()) if n in _VECTOR_FILES}
        for key in ("name", "source", "variant"):
            content.pop(key, None)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def knows_padding(self) -> bool:
        """Whether texts of several lengths may run together: the graph tells padding from text."""
        return "attention_mask" in self.inputs

    def join(self, fields: Sequence[str]) -> str:
        """The document text of several fields: those that are not blank, joined."""
        return join_texts(fields, self.joiner)

    def dumps(self) -> str:
        """The text of encoder.json."""
        content = {"format": FORMAT, **self._as_json(), "fingerprint": self.fingerprint}
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def loads(cls, text: str) -> Manifest:
        """Parses encoder.json.

        Raises BundleError when it is no manifest of format 1, a value is out of its range, or the
        fingerprint written down is not the one its content has.
        """
        content = _parsed(text)
        fingerprint = content.pop("fingerprint", None)
        try:
            content["source"] = Source(**content["source"])
            manifest = cls(**content)
        except (KeyError, TypeError) as error:
            raise BundleError(
                f"encoder.json is not a manifest of format {FORMAT}: {error}"
            ) from None
        manifest._check_ranges()
        if fingerprint != manifest.fingerprint:
            raise BundleError(
                f"encoder.json was changed after the export: its fingerprint is {fingerprint},"
                f" its content gives {manifest.fingerprint}; export the bundle again"
            )
        return manifest

    def _as_json(self) -> dict[str, Any]:
        content = {**asdict(self), "prompts": dict(self.prompts), "files": dict(self.files)}
        for key in ("variant", "batch_dependent"):  # written only where there is something to say
            if not content[key]:
                del content[key]
        return content

    def _check_ranges(self) -> None:
        for key, known in (
            ("kind", KINDS),
            ("pooling", POOLINGS),
            ("similarity", SIMILARITIES),
            ("precision", tuple(PRECISION_BOUNDS)),
        ):
            if getattr(self, key) not in known:
                value = getattr(self, key)
                raise BundleError(f"encoder.json: {key} is {value!r}; known: {', '.join(known)}")
        for key in ("dims", "max_tokens"):
            value = getattr(self, key)
            if not isinstance(value, int) or value < 1:
                raise BundleError(f"encoder.json: {key} is {value!r}; it must be a positive number")
        value = cast(object, self.batch_dependent)  # parsed JSON may be anything
        if not isinstance(value, bool):
            raise BundleError(
                f"encoder.json: batch_dependent is {value!r}; it must be true or false"
            )
        if set(self.prompts) != set(ROLES):
            raise BundleError(
                f"encoder.json: prompts are for {sorted(self.prompts)}; they must be for {ROLES}"
            )


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BundleError(f"encoder.json is not JSON: {error}; export the bundle again") from None
    version = content.pop("format", None) if isinstance(content, dict) else None
    if version != FORMAT:
        raise BundleError(
            f"encoder.json has format {version!r}, this densehook reads {FORMAT};"
            " export the bundle again or update densehook"
        )
    return dict(content)
