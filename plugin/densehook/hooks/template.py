"""What a document's text is made by, where inputs are not only joined: ``{title}: {body}``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RequestError

_PIECE = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<name>[^}]*)\}|(?P<half>[{}])|(?P<text>[^{}]+)")


@dataclass(frozen=True)
class TextTemplate:
    """A template, as it is stated and in pieces: literal text and the name of an input, by turns.

    A name in braces is an input, two braces are one. Literal text is first and last.
    """

    stated: str
    pieces: Sequence[str]

    @classmethod
    def parse(cls, stated: Any, inputs: Sequence[str]) -> TextTemplate:
        """Reads a template that has all these inputs in it, and no other.

        Raises RequestError for what is none.
        """
        if not isinstance(stated, str):
            raise RequestError(f"template is {stated!r}; it is a text with inputs in braces")
        pieces = _pieces(stated)
        known = ", ".join(inputs)
        for name in pieces[1::2]:
            if name not in inputs:
                raise RequestError(
                    f"template names {name!r}, which is no input; inputs are {known}"
                )
        for name in inputs:
            if name not in pieces[1::2]:
                raise RequestError(
                    f"template does not name input {name!r}; put it there in braces, or take it"
                    " out of the inputs"
                )
        return cls(stated, tuple(pieces))

    def filled(self, texts: Mapping[str, str]) -> str:
        """The text, of those of the inputs by their names."""
        return "".join(
            texts[piece] if place % 2 else piece for place, piece in enumerate(self.pieces)
        )


def _pieces(template: str) -> list[str]:
    pieces = [""]
    for found in _PIECE.finditer(template):
        if found["half"]:
            raise RequestError(
                f"template has a {found['half']!r} without its other half; a brace that is text is"
                " written twice"
            )
        if found["name"] is not None:
            pieces += [found["name"], ""]
        else:
            pieces[-1] += found["text"] or found["brace"][0]
    return pieces
