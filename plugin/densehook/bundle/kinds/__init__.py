"""The kinds of encoders: what each states in encoder.json beside what all of them state.

A kind is its entry in ``KINDS`` and a module of its name in each room that has a part in it: here
its part of the manifest and its golden outputs, in ``encode.kinds`` what its graph gives, in
``hooks.kinds`` its field and its query, in ``export.kinds`` its gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

from ..stated import Stated
from .cross import Cross
from .dense import Dense
from .image_text import ImageText
from .multi import Multi
from .numbers import NUMBERS_INPUT, Numbers
from .sparse import Sparse


class Part(Protocol):
    """What one kind states; a frozen dataclass, whose fields are keys of encoder.json."""

    KEYS: ClassVar[tuple[str, ...]]
    OUTPUT_KEY: ClassVar[str]
    """The key of a golden text's output."""

    @property
    def summary(self) -> str:
        """What there is to say of its outputs, in two or three words."""

    @property
    def space(self) -> Any:
        """What two encoders must have alike for their outputs to be compared."""

    def reads_plainly(self, max_tokens: int) -> bool:
        """Whether queries and documents are read as the tokenizer gives them, up to that many."""

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """Its keys, parsed; raises BundleError for a value out of its range."""

    def read_output(self, golden: Stated) -> Any:
        """A golden text's output; raises BundleError when it is none of this encoder's."""

    def written_output(self, output: Any) -> Any:
        """The same as JSON has it."""


ALSO: Mapping[str, Mapping[str, str]] = {
    "dense": {"sparse": "text", "multi": "text"},
    "image-text": {"multi": "image"},
}
"""Of a kind the others that the same bundle may have heads of, and what those are made of."""

MANY: Mapping[str, str] = {"text": "texts", "image": "images", "numbers": "numbers"}
"""What an encoder may read, and what several are called."""

_READ: Mapping[str, tuple[str, ...]] = {"image-text": ("text", "image"), "numbers": ("numbers",)}
"""What is read by encoders of a kind, where that is not text alone."""


def read_for(kind: str, own: str) -> tuple[str, ...]:
    """What an encoder, whose own kind is ``own``, reads for its outputs of a kind."""
    return _READ.get(own, ("text",)) if kind == own else (ALSO[own][kind],)


KINDS: Mapping[str, type[Part]] = {
    "dense": Dense,
    "cross": Cross,
    "sparse": Sparse,
    "multi": Multi,
    "image-text": ImageText,
    "numbers": Numbers,
}
"""Every kind by name."""

GRAPH_INPUTS: Mapping[type[Part], str] = {Numbers: NUMBERS_INPUT}
"""The graph's input that has what is read, of the kinds that read no token ids."""
