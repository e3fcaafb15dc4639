"""golden.json: texts with their token ids and what PyTorch made of them, a bundle's own proof."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..errors import BundleError
from ..number_lists import MOST_OF_FLOAT32, bits_of, numbers_of
from .kinds import GRAPH_INPUTS, Part
from .manifest import ROLES, Head, Role
from .stated import Stated, is_number, is_real, parse, read_text, shown

_IDS = "ids"


@dataclass(frozen=True)
class GoldenText:
    """A text in a role, with what PyTorch made of it.

    ``ids`` are the token ids after prompt and truncation; ``output`` is what an encoder of this
    kind gives for a text: of a dense one a vector. Of an encoder of pairs each text has its
    ``query``. Of one of numbers the text is that of a list, as ``number_lists`` has it; golden.json
    has the list's numbers in the place of ids.
    """

    role: Role
    text: str
    ids: Sequence[int]
    output: Any
    query: str | None = None


@dataclass(frozen=True)
class GoldenImage:
    """An image, a file in base64, with what PyTorch made of it."""

    image: str
    output: Any


def write_golden_images(
    path: Path,
    images: Iterable[GoldenImage],
    part: Part,
    also: Sequence[tuple[Part, Sequence[Any]]] = (),
) -> None:
    """Writes images.json, as ``write_golden`` does golden.json."""
    rows = [
        {
            "image": golden.image,
            part.OUTPUT_KEY: part.written_output(golden.output),
            **{head.OUTPUT_KEY: head.written_output(outputs[n]) for head, outputs in also},
        }
        for n, golden in enumerate(images)
    ]
    _write(path, rows)


def read_golden_images(path: Path, part: Part, beside: Collection[str] = ()) -> list[GoldenImage]:
    """Reads images.json; raises BundleError as ``read_golden`` does."""
    found = []
    for i, row in enumerate(_rows(path, "golden images")):
        stated = Stated(row, f"{path}: image {i}", {"image", part.OUTPUT_KEY, *beside})
        found.append(GoldenImage(stated.text("image"), part.read_output(stated)))
    return found


def write_golden(
    path: Path,
    texts: Iterable[GoldenText],
    part: Part,
    also: Sequence[tuple[Part, Sequence[Any]]] = (),
) -> None:
    """Writes golden.json, with outputs as the encoder's kind writes them.

    ``also`` are the outputs of its other heads, in the order of the texts.
    """
    rows = [
        {
            "role": golden.role,
            **({} if golden.query is None else {"query": golden.query}),
            "text": golden.text,
            **_written_ids(golden.ids, part),
            part.OUTPUT_KEY: part.written_output(golden.output),
            **{head.OUTPUT_KEY: head.written_output(outputs[n]) for head, outputs in also},
        }
        for n, golden in enumerate(texts)
    ]
    _write(path, rows)


def read_golden(path: Path, part: Part, beside: Collection[str] = ()) -> list[GoldenText]:
    """Reads golden.json, with the outputs of this encoder.

    ``beside`` are the keys of outputs that its texts have of other kinds.

    Raises BundleError when it is not one, or is empty.
    """
    rows = _rows(path, "golden texts")
    return [_golden_text(row, f"{path}: text {i}", part, beside) for i, row in enumerate(rows)]


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def _rows(path: Path, what: str) -> list[Any]:
    rows = parse(read_text(path), str(path))
    if not isinstance(rows, list) or not rows:
        raise BundleError(f"{path} is {shown(rows)}; it must be a list of {what}")
    return rows


def _written_ids(ids: Sequence[int], part: Part) -> Mapping[str, Any]:
    """What is read, by its key: token ids, or what they are the bits of."""
    read = GRAPH_INPUTS.get(type(part))
    if read is None:
        return {_IDS: list(ids)}
    return {read: [float(f"{number:.9g}") for number in numbers_of(ids)]}


def _read_ids(stated: Stated, part: Part) -> Sequence[int]:
    read = GRAPH_INPUTS.get(type(part))
    if read is None:
        return stated.list_of(_IDS, is_number, "token ids")
    return bits_of(stated.list_of(read, _is_float32, "numbers that float32 can hold"))


def _is_float32(value: object) -> bool:
    return is_real(value) and abs(cast(float, value)) <= MOST_OF_FLOAT32


def golden_keys(heads: Mapping[str, Head]) -> list[str]:
    """The keys of the outputs that a golden text, or image, has, one of each kind."""
    return [head.part.OUTPUT_KEY for head in heads.values()]


def _golden_text(row: Any, where: str, part: Part, beside: Collection[str]) -> GoldenText:
    needed = {"role", "text", GRAPH_INPUTS.get(type(part), _IDS), part.OUTPUT_KEY, *beside}
    stated = Stated(row, where, needed, ["query"])
    golden = GoldenText(
        role=cast(Role, stated.one_of("role", ROLES)),
        text=stated.text("text"),
        ids=_read_ids(stated, part),
        output=part.read_output(stated),
        query=stated.text("query") if stated.has("query") else None,
    )
    if not golden.ids:
        raise BundleError(f"{where} has 0 token ids; it must have some")
    return golden
