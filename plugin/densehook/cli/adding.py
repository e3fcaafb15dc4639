"""What a command says of a vector field that an index is to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..hooks import PLAIN, Wording, field_for
from ..hooks.kinds import FIELDS
from .bundles import document_encoder

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..chunk import ChunkRule
    from ..elastic.remote import RemoteEncoder
    from ..encode import Encoder
    from ..hooks import Modality, VectorField
    from ..index import Index
    from ..migration import Wanted


@dataclass(frozen=True)
class Adding:
    """A vector field that is to be added to an index, as it is asked for; or one that it has."""

    client: Elasticsearch
    index: str
    encoder: Path | None = None
    inputs: Sequence[str] = ()
    field: str | None = None
    of_kind: str | None = None
    index_type: str | None = None
    chunk: ChunkRule | None = None
    in_cluster: bool | None = None
    wording: Wording = PLAIN
    modality: Modality = "text"

    def __post_init__(self) -> None:
        """Raises BadParameter for a kind that has no field."""
        if self.of_kind is not None and self.of_kind not in FIELDS:
            known = ", ".join(FIELDS)
            raise typer.BadParameter(
                f"{self.of_kind!r} has no field; known: {known}", param_hint="--kind"
            )

    def to_index(self) -> Index:
        """The index with its vector field, and with whoever makes its vectors.

        Raises BadParameter for a field that is new, and of which not enough is said, and as
        ``Index.add_field``.
        """
        from ..index import Index

        if self._stated is None and (self.encoder is None or not self.inputs):
            raise typer.BadParameter(
                f"index {self.index!r} has no vector field {self._named!r}; say what is to make it,"
                " and from what",
                param_hint="--encoder, --input",
            )
        return Index.add_field(
            self.client,
            self.index,
            self._made,
            inputs=self.inputs,
            field=self._named,
            index_type=self.index_type,
            in_cluster=self.in_cluster,
            chunk=self.chunk,
            template=self.wording.template,
            prompt=self.wording.prompt,
            modality=self.modality,
        )

    def wanted(self, *, measured: bool) -> Wanted:
        """The same of a new index, where this one cannot take the field.

        Raises BadParameter where nobody can measure what there is.
        """
        from ..migration import Wanted

        if measured and (self._stated is None or not self._stated.mapping):
            raise typer.BadParameter(
                f"nothing says whose vectors field {self._named!r} has, so that there is nothing to"
                " measure by; move without (--unmeasured)",
                param_hint="--collection",
            )
        return Wanted(
            self._made,
            self._named,
            self.inputs,
            self.index_type,
            self.chunk,
            self.in_cluster,
            self.wording,
            self.modality if self.inputs else None,
        )

    @cached_property
    def _stated(self) -> VectorField | None:
        """What the index says of the field already, or of its only one, if anything."""
        from ..elastic.adding import stated_field
        from ..elastic.indices import the_index

        name, entry = the_index(self.client, self.index)
        return stated_field(name, entry["mappings"], self.field or self._usual)

    @property
    def _named(self) -> str:
        """The name of the field that is there, or of the one to be added."""
        if self._stated is not None:
            return self._stated.name
        return self.field or self._usual or field_for(self.chunk)

    @property
    def _usual(self) -> str | None:
        """The usual name of the kind that is asked for."""
        return None if self.of_kind is None else FIELDS[self.of_kind].USUAL_NAME

    @cached_property
    def _made(self) -> Encoder | RemoteEncoder:
        """The encoder that is named, or the field's own."""
        path = self.encoder or Path(self._stated.encoder if self._stated else "")
        made = document_encoder(self.client, path, self.in_cluster)
        return made if self.of_kind is None else made.of_kind(self.of_kind)
