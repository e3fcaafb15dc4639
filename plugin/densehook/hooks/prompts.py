"""The prompt of a document where one of its fields chooses it: its language, its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RequestError

_KEYS = ("field", "prompts", "default")


@dataclass(frozen=True)
class DocumentPrompts:
    """The prompts by the values of a field; for other values ``default``, or the encoder's own."""

    field: str
    prompts: Mapping[str, str]
    default: str | None = None

    @property
    def stated(self) -> Mapping[str, Any]:
        """As ``_meta`` states it."""
        default = {} if self.default is None else {"default": self.default}
        return {"field": self.field, "prompts": self.prompts, **default}

    @classmethod
    def parse(cls, stated: Any) -> DocumentPrompts:
        """Reads what ``_meta`` states; raises RequestError for what chooses no prompt."""
        if not isinstance(stated, Mapping):
            raise RequestError(f"prompt is {stated!r}; it is an object with field and prompts")
        for name in stated:
            if name not in _KEYS:
                raise RequestError(
                    f"prompt has an unknown key {name!r}; known are {', '.join(_KEYS)}"
                )
        field, prompts, default = (stated.get(name) for name in _KEYS)
        if not isinstance(field, str) or not field.strip():
            raise RequestError(
                f"prompt.field is {field!r}; it is the field that chooses the prompt"
            )
        if not isinstance(prompts, Mapping) or not prompts or not _are_texts(prompts.values()):
            raise RequestError(
                f"prompt.prompts is {prompts!r}; it is an object with a prompt for each value"
            )
        if "default" in stated and not isinstance(default, str):
            raise RequestError(f"prompt.default is {default!r}; it is a prompt")
        return cls(field, dict(prompts), default)


def _are_texts(values: Any) -> bool:
    return all(isinstance(each, str) for each in values)
