"""Which fields find what token vectors put in order."""

from __future__ import annotations

from collections.abc import Sequence

from ..bundle import MANY
from ..errors import RequestError
from ..hooks import FIELDS, VECTOR_LISTS, Provenance, VectorField
from ..hooks.kinds.multi import RESCORED
from .modes import HYBRID


def fields_that_find(
    provenance: Provenance, field: VectorField, first: str, *, encodes_here: bool
) -> list[VectorField]:
    """The fields that ``first`` searches, dense, sparse or hybrid, for those of token vectors.

    They are of the same texts by the same encoder, one of a kind; or, where the cluster encodes,
    the only ones of their kinds. Raises RequestError where there is none.
    """
    fused = [name for name in VECTOR_LISTS if name != RESCORED]
    lists = fused if first == HYBRID else [first]
    fields = [
        each
        for each in provenance.vector_fields.values()
        if each.format.LIST in lists and each.text.modality == field.text.modality
    ]
    own = field.fingerprint, field.text
    alike = [each for each in fields if (each.fingerprint, each.text) == own]
    if not alike and not encodes_here and _are_of_different_kinds(fields):
        alike = fields
    found = {each.format.LIST: each for each in reversed(alike)}  # the first of a kind stays
    if not found:
        types = dict.fromkeys(each.TYPE for each in FIELDS.values() if each.LIST in lists)
        raise RequestError(
            f"field {field.name!r} of index {provenance.index!r} has token vectors, which order"
            f" what others find, and no {' or '.join(types)} field has vectors of the same"
            f" {MANY[field.text.modality]} by the same encoder; add one, or name another first"
        )
    return [found[name] for name in lists if name in found]


def _are_of_different_kinds(fields: Sequence[VectorField]) -> bool:
    return len({each.format.LIST for each in fields}) == len(fields)
