"""How a document's text is worded, where it is not in the encoder's own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..bundle import Manifest
from ..chunk import ChunkRule
from ..errors import RequestError
from .prompts import DocumentPrompts
from .template import TextTemplate
from .text_rule import TextRule


@dataclass(frozen=True)
class Wording:
    """What a mapping's ``_meta`` states of a text beside its inputs.

    The ``template`` that it is made by, as "{title}: {body}", unless its inputs are joined; and the
    ``prompt`` that a field of the document chooses, as
    ``{"field": "lang", "prompts": {"de": "Dokument: "}, "default": ""}``, unless it is the
    encoder's.
    """

    template: str | None = None
    prompt: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, rule: TextRule) -> Wording:
        """What is stated of a text that is made by this rule."""
        template = None if rule.template is None else rule.template.stated
        return cls(template, None if rule.prompts is None else rule.prompts.stated)

    @property
    def stated(self) -> dict[str, Any]:
        """Its keys in an entry of ``_meta``, and in a processor."""
        both = {"template": self.template, "prompt": self.prompt}
        return {key: value for key, value in both.items() if value is not None}

    def is_another(self, rule: TextRule) -> bool:
        """Whether it states something that texts by this rule are not made by."""
        known = Wording.of(rule).stated
        return any(known.get(key) != value for key, value in self.stated.items())

    @property
    def chosen_by(self) -> Sequence[str]:
        """The field that chooses the prompt, if any."""
        return () if self.prompt is None else (DocumentPrompts.parse(self.prompt).field,)

    def require(self, manifest: Manifest, inputs: Sequence[str], chunk: ChunkRule | None) -> None:
        """Raises RequestError unless an encoder's texts, of these inputs, can be worded so."""
        if self.template is not None:
            TextTemplate.parse(self.template, inputs)
            if chunk is not None and chunk.name_key is not None:
                raise RequestError(
                    f"chunks by {chunk.by} are of each input by itself, and a template makes one"
                    " text of them; leave one of the two out"
                )
        if self.prompt is not None:
            prompts = DocumentPrompts.parse(self.prompt)
            known = manifest.prompts.values()
            default = () if prompts.default is None else (prompts.default,)
            asked = (*prompts.prompts.values(), *default) if manifest.unpooled else ()
            for text in asked:
                if text not in known:
                    raise RequestError(
                        f"encoder {manifest.name!r} pools no tokens of its prompts, and of {text!r}"
                        " it is not known which they are; give one of its own:"
                        f" {', '.join(map(repr, known))}"
                    )


PLAIN = Wording()
"""The encoder's own way: inputs are joined, and its prompt of documents goes before."""
