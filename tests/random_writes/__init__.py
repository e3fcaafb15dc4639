"""Writes drawn at random, and what an index must hold after them. Pure: nothing here is sent.

A ``Writer`` draws operations from a seed. A ``Model`` applies them and says what each must answer
and what every document must hold then: its fields, and of each vector field whether it is the
encoder's of the text, the client's own, or none.
"""

from .bodies import NOTES, parameters, place, source_of, text_of, update_body, value_at, vector_of
from .model import Doc, Model
from .operations import (
    Bulk,
    Delete,
    Edit,
    EditAll,
    Fields,
    Item,
    Maintain,
    Operation,
    Put,
    PutMapping,
    Recreate,
    Shape,
    Single,
    Switch,
    Update,
    VectorField,
    count,
    is_versioned,
    routing_of,
)
from .shrinking import of_document, shortest, told
from .writer import WORDS, Writer

__all__ = [
    "NOTES",
    "WORDS",
    "Bulk",
    "Delete",
    "Doc",
    "Edit",
    "EditAll",
    "Fields",
    "Item",
    "Maintain",
    "Model",
    "Operation",
    "Put",
    "PutMapping",
    "Recreate",
    "Shape",
    "Single",
    "Switch",
    "Update",
    "VectorField",
    "Writer",
    "count",
    "is_versioned",
    "of_document",
    "parameters",
    "place",
    "routing_of",
    "shortest",
    "source_of",
    "text_of",
    "told",
    "update_body",
    "value_at",
    "vector_of",
]
