"""Documents and operations as they look on the wire: texts, vectors, bodies, parameters."""

from __future__ import annotations

import json
import math
import random
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .operations import Brought, Delete, Fields, Item, Put, Update, routing_of

NOTES = "densehook"
DIMS = 32


def is_blank(text: str) -> bool:
    return all(unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp") for c in text)


def text_of(fields: Fields, inputs: Iterable[str]) -> str:
    """The text that a document's vector is made from; "" when there is none."""
    texts = [text for name in inputs for text in _texts(fields.get(name))]
    return " ".join(text for text in texts if not is_blank(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def vector_of(brought: int) -> list[float]:
    """The vector of a number: of length 1, and like no other."""
    drawn = random.Random(brought)
    values = [drawn.gauss(0, 1) for _ in range(DIMS)]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def source_of(fields: Fields, brought: Brought) -> dict[str, Any]:
    source = dict(fields)
    for path, number in brought.items():
        place(source, path, vector_of(number))
    return source


def place(source: dict[str, Any], path: str, value: Any) -> None:
    head, _, rest = path.partition(".")
    if rest:
        source[head] = dict(source.get(head) or {})
        place(source[head], rest, value)
    else:
        source[head] = value


def value_at(source: Mapping[str, Any], path: str) -> Any:
    head, _, rest = path.partition(".")
    value = source.get(head)
    return value_at(value, rest) if rest and isinstance(value, Mapping) else value


def update_body(update: Update) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if update.script is not None:
        params = {"set": update.script.set, "remove": update.script.remove, "op": update.script.op}
        body["script"] = {"lang": "edit", "source": "edit", "params": params}
    else:
        body["doc"] = source_of(update.doc, update.brought)
        body["detect_noop"] = update.detect_noop
    if update.upsert is not None:
        body["upsert"] = update.upsert
    if update.doc_as_upsert:
        body["doc_as_upsert"] = True
    return body


def parameters(item: Item, seq_no: Mapping[str, int] | None) -> dict[str, Any]:
    """Those of the request, or of the item's line in a bulk."""
    given: dict[str, Any] = {}
    if routing_of(item.id):
        given["routing"] = routing_of(item.id)
    if isinstance(item, Put | Delete) and item.version is not None:
        given |= {"version": item.version, "version_type": "external"}
    if isinstance(item, Put | Update) and item.right_seq_no is not None:
        given |= seq_no or {"if_seq_no": 1_000_000, "if_primary_term": 1}
    if isinstance(item, Update) and item.retries:
        given["retry_on_conflict"] = item.retries
    return given
