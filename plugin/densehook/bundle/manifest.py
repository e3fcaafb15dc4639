"""encoder.json: everything a runtime must know to give an encoder's vectors, as one value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeVar, get_args

from ..errors import BundleError
from .kinds import ALSO, GRAPH_INPUTS, KINDS, MANY, Part, read_for
from .stated import NAME, Stated, is_name, is_number, parse, shown
from .text import join_texts

FORMAT = 1
Role = Literal["query", "document"]
ROLES: tuple[Role, ...] = get_args(Role)

PRECISIONS = ("fp32", "fp16", "int8", "int4")

# These files decide what comes out of the encoder; the others only prove it.
_VECTOR_FILES = (
    "model.onnx",
    "model.onnx_data",
    "image.onnx",
    "image.onnx_data",
    "tokenizer.json",
    "idf.json",
)
_SHA256 = re.compile("[0-9a-f]{64}")
_POOLING_MASK = "pooling_mask"
_SPAN_MASK = "span_mask"
_TOKENS = set(MANY) - {"image"}
"""What model.onnx may read."""

INSTRUCTION = "{instruction}"
"""Stands in ``instruction`` where a query's own goes."""

P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Head:
    """An output that a graph gives beside its own, and what an encoder of its kind states."""

    output: str
    part: Part


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

    ``part`` is what its kind states, beside what encoders of all kinds do.

    A text becomes ``prompts[role] + text`` (the fields of a document joined by ``joiner``), its
    token ids are cut to ``max_tokens`` (special tokens included), right-padded with ``pad_id`` and
    fed as int64 [batch, tokens] to ``inputs``; what ``output`` is, the kind says. A graph without
    ``attention_mask`` among its inputs knows no padding: a batch is of texts of one length.

    Where ``inputs`` has ``pooling_mask``, a vector is pooled of the tokens that are 1 there: not of
    the first ``unpooled[role]``, which are the prompt's, but always of the last.

    Where ``inputs`` has ``span_mask``, int64 [batch, spans, tokens], each span of a text has a
    vector of the tokens that are 1 there, so that there is one dimension more; a text as a whole is
    one.

    A query may bring an instruction where ``instruction`` is stated: what goes before the query
    then, with ``{instruction}`` in the place of its own; the role's prompt does not.

    ``also`` are the heads of other kinds, by kind, where one run gives several outputs for a text.
    All of them are of what is read for the manifest's own kind; those beside an encoder of images
    and texts are outputs of its graph of images. ``whole`` is the manifest that this
    one is a part of, as ``of_kind`` gives it; it is not written down.

    ``queries`` is the fingerprint of the bundle in ``queries/``, a tower of its own for queries in
    the space of this one's vectors; empty where one encoder is for both.

    ``variant`` names what was made of the plain export. ``proof`` is what is known of a graph that
    others exported: "none", or how near it is to PyTorch; empty where the export gate proved it
    equal. ``batch_dependent`` says that a vector
    depends on the texts that it is encoded together with.
    """

    name: str
    kind: str
    precision: str = "fp32"
    variant: str = ""
    proof: str = ""
    batch_dependent: bool = False
    part: Part
    max_tokens: int
    pad_id: int
    prompts: Mapping[str, str]
    unpooled: Mapping[str, int] = field(default_factory=dict)
    instruction: str = ""
    joiner: str = " "
    inputs: Sequence[str]
    output: str
    also: Mapping[str, Head] = field(default_factory=dict)
    queries: str = ""
    source: Source
    files: Mapping[str, str]
    whole: Manifest | None = None

    @property
    def space(self) -> str:
        """Hash over all that can change a document's vector: what an index's vectors are of.

        It is the fingerprint of this encoder without what queries alone have, a tower of their own
        and instructions, so that an index stays as it is when only that is another.
        """
        if self.whole is not None:
            return self.whole.space
        return replace(self, queries="", instruction="").fingerprint

    @property
    def fingerprint(self) -> str:
        """Hash over all that can change a vector, as ``sha256:<hex>``.

        Names and source are left out: the same graph under another name gives the same vectors.
        """
        if self.whole is not None:
            return self.whole.fingerprint
        content = self._as_json()
        content["files"] = {n: s for n, s in sorted(self.files.items()) if n in _VECTOR_FILES}
        for key in ("name", "source", "variant", "proof"):
            content.pop(key, None)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def heads(self) -> Mapping[str, Head]:
        """What it gives, by kind; its own kind first."""
        return {self.kind: Head(self.output, self.part), **self.also}

    @property
    def modalities(self) -> Sequence[str]:
        """What it reads for what is of its kind, of ``MANY``'s keys."""
        return read_for(self.kind, (self.whole or self).kind)

    @property
    def token_heads(self) -> Mapping[str, Head]:
        """What model.onnx gives, for a text or for numbers, by kind; its own kind first."""
        return self._heads_of(_TOKENS)

    @property
    def image_heads(self) -> Mapping[str, Head]:
        """What image.onnx gives; empty where it reads no images."""
        return self._heads_of({"image"})

    def _heads_of(self, read: Set[str]) -> Mapping[str, Head]:
        heads = self.heads.items()
        return {kind: head for kind, head in heads if self.of_kind(kind)._reads(read)}

    def _reads(self, any_of: Set[str]) -> bool:
        return not any_of.isdisjoint(self.modalities)

    def require_modality(self, modality: str) -> None:
        """Raises BundleError unless it reads that for what is of its kind."""
        if modality in self.modalities:
            return
        if self.whole is not None:
            read = " and ".join(MANY[each] for each in self.modalities)
            raise BundleError(
                f"encoder {self.name!r} gives what is of kind {self.kind!r} for {read} alone, not"
                f" for {MANY[modality]}"
            )
        known = " or ".join(repr(kind) for kind in KINDS if modality in read_for(kind, kind))
        raise BundleError(
            f"encoder {self.name!r} is of kind {self.kind!r}; this can be done with one of kind"
            f" {known} alone"
        )

    def require_tokens(self) -> None:
        """Raises BundleError where it reads images alone for what is of its kind."""
        if not self._reads(_TOKENS):
            self.require_modality("text")

    @property
    def summary(self) -> str:
        """What there is to say of its outputs, in a few words."""
        return ", ".join(head.part.summary for head in self.heads.values())

    def of_kind(self, kind: str) -> Manifest:
        """The same as that of an encoder of one of its kinds alone, with the same fingerprint.

        Raises BundleError for another kind.
        """
        whole = self.whole or self
        head = whole.heads.get(kind)
        if head is None:
            raise BundleError(
                f"encoder {self.name!r} is of kind {' and '.join(whole.heads)}; this can be done"
                f" with one of kind {kind!r} alone"
            )
        if head.part is whole.part:
            return whole
        return replace(whole, kind=kind, part=head.part, output=head.output, also={}, whole=whole)

    @property
    def knows_padding(self) -> bool:
        """Whether texts of several lengths may run together: the graph tells padding from text."""
        return "attention_mask" in self.inputs

    @property
    def knows_spans(self) -> bool:
        """Whether parts of a text have vectors, in the light of the whole."""
        return _SPAN_MASK in self.inputs

    def require_spans(self) -> None:
        """Raises BundleError unless parts of a text have vectors, as chunks by ``late`` need."""
        if not self.knows_spans:
            raise BundleError(
                f"encoder {self.name!r} gives no vectors of parts of a text, which chunks by late"
                " are; write late_chunking = true into its recipe, and export it again"
            )

    def of(self, kind: type[P]) -> P:
        """What it states as an encoder of this kind.

        Raises BundleError for an encoder of another.
        """
        if not isinstance(self.part, kind):
            wanted = next(name for name, each in KINDS.items() if each is kind)
            raise BundleError(
                f"encoder {self.name!r} is of kind {self.kind!r}; this can be done with one of kind"
                f" {wanted!r} alone"
            )
        return self.part

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
        kind = _kind(content)
        needed = [*_KEYS, *kind.KEYS]
        stated = Stated(content, "encoder.json", needed, _OPTIONAL_KEYS)
        manifest = _read(stated, kind)
        if (fingerprint := stated.text("fingerprint")) != manifest.fingerprint:
            raise BundleError(
                "encoder.json was changed after the export: its fingerprint is"
                f" {shown(fingerprint)}, its content gives {manifest.fingerprint};"
                " export the bundle again"
            )
        return manifest

    def _as_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key, value in asdict(self).items():
            if key == "part":
                content |= value
            elif key == "also" and value:
                content[key] = {
                    kind: {"output": head["output"], **head["part"]} for kind, head in value.items()
                }
            elif key != "whole" and (value or key not in _OPTIONAL_KEYS):
                content[key] = value
        return content


# written only where there is something to say
_OPTIONAL_KEYS = (
    "variant",
    "proof",
    "batch_dependent",
    "unpooled",
    "instruction",
    "also",
    "queries",
)
_NOT_KEYS = {"part", "whole", *_OPTIONAL_KEYS}
_KEYS = {each.name for each in fields(Manifest)} - _NOT_KEYS | {"fingerprint"}


def _parsed(text: str) -> dict[str, Any]:
    content = parse(text, "encoder.json")
    version = content.pop("format", None) if isinstance(content, dict) else None
    if not is_number(version) or version != FORMAT:
        raise BundleError(
            f"encoder.json has format {shown(version)}, this densehook reads {FORMAT};"
            " export the bundle again or update densehook"
        )
    return dict(content)


def _kind(content: Mapping[str, Any]) -> type[Part]:
    kind = Stated(content, "encoder.json", ["kind"], content).text("kind")
    if kind not in KINDS:
        raise BundleError(
            f"encoder.json: kind is {shown(kind)}; this densehook knows {', '.join(KINDS)}; export"
            " the bundle again or update densehook"
        )
    return KINDS[kind]


def _read(stated: Stated, kind: type[Part]) -> Manifest:
    prompts = Stated(stated.table("prompts"), "encoder.json: prompts", ROLES)
    source = Stated(
        stated.table("source"), "encoder.json: source", [each.name for each in fields(Source)]
    )
    inputs = stated.list_of("inputs", is_name, "names of graph inputs")
    read = GRAPH_INPUTS.get(kind, "input_ids")
    if read not in inputs or len(set(inputs)) != len(inputs):
        raise BundleError(
            f"encoder.json: inputs is {shown(inputs)}; it must have {read}, and none twice"
        )
    unpooled = _unpooled(stated)
    if _SPAN_MASK not in inputs and bool(unpooled) != (_POOLING_MASK in inputs):
        raise BundleError(
            f"encoder.json: inputs is {shown(inputs)}; {_POOLING_MASK} must be among them where"
            " unpooled is stated, and nowhere else"
        )
    max_tokens = stated.number("max_tokens", 1)
    return Manifest(
        name=stated.name("name"),
        kind=stated.text("kind"),
        precision=stated.one_of("precision", PRECISIONS),
        variant=stated.text("variant") if stated.has("variant") else "",
        proof=stated.text("proof") if stated.has("proof") else "",
        batch_dependent=stated.has("batch_dependent") and stated.truth("batch_dependent"),
        part=kind.read(stated),
        max_tokens=max_tokens,
        pad_id=stated.number("pad_id", 0),
        prompts={role: prompts.text(role) for role in ROLES},
        unpooled=unpooled,
        instruction=_instruction(stated),
        joiner=stated.text("joiner"),
        inputs=inputs,
        output=stated.name("output"),
        also=_heads(stated, max_tokens) if stated.has("also") else {},
        queries=stated.text("queries") if stated.has("queries") else "",
        source=Source(**{each.name: source.text(each.name) for each in fields(Source)}),
        files=_sums(stated.table("files")),
    )


def _instruction(stated: Stated) -> str:
    if not stated.has("instruction"):
        return ""
    template = stated.text("instruction")
    if template.count(INSTRUCTION) != 1:
        raise BundleError(
            f"encoder.json: instruction is {shown(template)}; it must have {INSTRUCTION} once"
        )
    return template


def _heads(stated: Stated, max_tokens: int) -> Mapping[str, Head]:
    heads = {}
    known = ALSO.get(stated.text("kind"), {})
    for kind, content in stated.table("also").items():
        where = f"encoder.json: also.{shown(kind)}"
        if kind not in known:
            raise BundleError(
                f"{where} must be another kind than the encoder's own, of {', '.join(known)}"
            )
        own = Stated(content, where, [*KINDS[kind].KEYS, "output"])
        head = Head(own.name("output"), KINDS[kind].read(own))
        if not head.part.reads_plainly(max_tokens):
            raise BundleError(
                f"{where} reads a text otherwise than kind {stated.text('kind')!r} does, and one"
                " run gives both; export the bundle again"
            )
        heads[kind] = head
    return heads


def _unpooled(stated: Stated) -> Mapping[str, int]:
    if not stated.has("unpooled"):
        return {}
    table = Stated(stated.table("unpooled"), "encoder.json: unpooled", ROLES)
    return {role: table.number(role, 0) for role in ROLES}


def _sums(files: Mapping[str, Any]) -> Mapping[str, str]:
    for name, checksum in files.items():
        if not is_name(name) or name == "encoder.json":
            raise BundleError(f"encoder.json: files names {shown(name)}; it must be {NAME}")
        if not isinstance(checksum, str) or not _SHA256.fullmatch(checksum):
            raise BundleError(
                f"encoder.json: files has {shown(checksum)} for {shown(name)}; it must be a SHA-256"
                " in hex"
            )
    return files
