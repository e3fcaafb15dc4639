"""How the text of a document is made of its fields: one way, whoever encodes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from ..bundle import MANY, Manifest, is_blank, join_texts
from ..errors import EncodeError, UnusableDocument
from ..number_lists import text_of_numbers
from ..types import Document
from .paths import values_at
from .prompts import DocumentPrompts
from .template import TextTemplate

Join = Callable[[Sequence[str]], str]
"""An encoder's own way to put the texts of inputs together."""


Modality = Literal["text", "image", "numbers"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)


@dataclass(frozen=True)
class Input:
    """A field that gives text: its name as stated, and where documents have its values."""

    name: str
    paths: Sequence[str]

    def texts(self, fields: Mapping[str, Any]) -> Iterator[str]:
        """Those of its values in a document. Raises UnusableDocument when one is an object."""
        for path in self.paths:
            yield from texts_in(path, values_at(fields, path))


@dataclass(frozen=True)
class TextRule:
    """The inputs of a text, in their order, and the template it is made by, unless by joining.

    ``prompts`` are those that a field chooses among, which ``chosen_by`` is; None where every
    document has the encoder's. ``prefix`` are fields whose text is put before each chunk.
    ``modality`` says whether the inputs hold texts, or the only one an image, in base64 or as a
    data URL, or a list of numbers.
    """

    inputs: Sequence[Input]
    template: TextTemplate | None = None
    prompts: DocumentPrompts | None = None
    chosen_by: Input | None = None
    prefix: Sequence[Input] = ()
    modality: Modality = "text"

    @classmethod
    def joining(cls, names: Sequence[str]) -> TextRule:
        """Inputs that documents have under their own names, joined."""
        return cls(tuple(Input(name, (name,)) for name in names))

    @property
    def names(self) -> Sequence[str]:
        """The inputs, as they are stated."""
        return tuple(each.name for each in self.inputs)

    @property
    def paths(self) -> Sequence[str]:
        """Where documents have what the text is made of."""
        return tuple(dict.fromkeys(path for each in self.inputs for path in each.paths))

    @property
    def read(self) -> Sequence[str]:
        """What must be read of a document: also what is before chunks, and chooses the prompt."""
        chosen = () if self.chosen_by is None else (self.chosen_by,)
        others = (path for each in (*self.prefix, *chosen) for path in each.paths)
        return tuple(dict.fromkeys((*self.paths, *others)))


def own_modality(manifest: Manifest) -> Modality:
    """What an encoder reads where nobody says: texts, if it can."""
    return cast(Modality, manifest.modalities[0])


def modality_objection(modality: Modality, manifest: Manifest) -> str:
    """Why an encoder cannot read what a field is made of; empty when it can."""
    if modality in manifest.modalities:
        return ""
    return (
        f"is made of {MANY[modality]}, encoder {manifest.name!r} of kind {manifest.kind} reads"
        f" {' and '.join(MANY[each] for each in manifest.modalities)} alone"
    )


def join_by_spaces(texts: Sequence[str]) -> str:
    """The texts that are not blank, as an encoder joins them whose joiner is a space."""
    return join_texts(texts, " ")


def text_of(
    document: Document,
    rule: TextRule,
    join: Join = join_by_spaces,
) -> tuple[str, list[str]]:
    """The text to encode, empty when there is none, and the inputs that gave nothing to it.

    ``join`` is the encoder's, ``manifest.join``, where it is at hand. A field is a string, a
    number, a boolean, or a list of these; ``a.b`` is a path, as in Elasticsearch. Of numbers the
    text is as ``number_lists`` has it. Raises UnusableDocument when a field is an object, or holds
    no list of numbers where it should.
    """
    read = _READ[rule.modality]
    texts = {each.name: join(list(read(each, document.fields))) for each in rule.inputs}
    missing = [name for name, text in texts.items() if not text]
    if rule.template is None or len(missing) == len(texts):
        return join(list(texts.values())), missing
    return rule.template.filled(texts), missing


def prompt_of(document: Document, rule: TextRule) -> str | None:
    """The prompt that goes before a document's text; None for the encoder's own.

    Raises UnusableDocument when an object should choose it.
    """
    if rule.prompts is None or rule.chosen_by is None:
        return None
    value = next(rule.chosen_by.texts(document.fields), "")
    return rule.prompts.prompts.get(value, rule.prompts.default)


def _image(given: Input, fields: Mapping[str, Any]) -> Iterator[str]:
    """The image that an input holds."""
    found = [text for text in given.texts(fields) if not is_blank(text)]
    if len(found) > 1:
        raise UnusableDocument(f"input field {given.name!r} holds {len(found)} images; give one")
    yield from found


def _numbers(given: Input, fields: Mapping[str, Any]) -> Iterator[str]:
    """The list that an input holds, by whichever of its paths it is there."""
    found = [
        (path, value) for path in given.paths if (value := values_at(fields, path)) is not None
    ]
    if len(found) > 1:
        several = " and ".join(path for path, _ in found)
        raise UnusableDocument(
            f"input field {given.name!r} has numbers of {several}; give one list"
        )
    for path, value in found:
        try:
            yield text_of_numbers(value)
        except EncodeError as error:
            raise UnusableDocument(f"input field {path!r}: {error}") from None


_READ: Mapping[Modality, Callable[[Input, Mapping[str, Any]], Iterator[str]]] = {
    "text": Input.texts,
    "image": _image,
    "numbers": _numbers,
}
"""What an input gives of a document, as texts."""


def texts_in(name: str, value: Any) -> Iterator[str]:
    """Those of a field's value. Raises UnusableDocument when it is an object."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(name, item)
    elif isinstance(value, int | float):
        yield json.dumps(value)
    elif value is not None:
        kind = "an object" if isinstance(value, Mapping) else f"of type {type(value).__name__}"
        raise UnusableDocument(f"input field {name!r} is {kind}, not text")
