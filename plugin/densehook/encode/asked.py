"""What ``encode`` takes beside its texts, by the names that sentence-transformers gives it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

import numpy as np

from ..bundle import Manifest, Role, is_blank
from ..bundle.manifest import INSTRUCTION
from ..errors import RequestError
from .kinds.dense import unit
from .session import Vectors


class Options(TypedDict, total=False):
    """What ``encode`` takes by name; the meaning is in ``Asked``."""

    prompt: str | None
    batch_size: int | None
    show_progress_bar: bool | None
    normalize_embeddings: bool
    truncate_dim: int | None
    instruction: str | None
    convert_to_numpy: bool


_NUMPY = "vectors are NumPy arrays; torch.from_numpy makes tensors of them"
_OWN_THREADS = "an encoder has every CPU by itself"
_FIXED: Mapping[str, tuple[Sequence[object], str]] = {
    "convert_to_numpy": ([True], _NUMPY),
    "convert_to_tensor": ([False], _NUMPY),
    "output_value": (["sentence_embedding"], "a bundle's graph gives the vector of a text alone"),
    "precision": (
        ["float32", None],
        "vectors are float32; an index type as int8_hnsw makes them small",
    ),
    "device": ([None], "the device is chosen where the bundle is opened: load(..., provider=...)"),
    "pool": ([None], _OWN_THREADS),
    "chunk_size": ([None], _OWN_THREADS),
}
"""Arguments of sentence-transformers that mean one thing here, and why no other."""


QUERY: Role = "query"


class Prompt(NamedTuple):
    """What goes before a text; the vector is not pooled of its first ``unpooled`` tokens.

    ``role`` is how the text is read, where that is another for queries than for documents.
    """

    text: str
    unpooled: int = 0
    role: str = "document"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How to encode, checked; RequestError for what cannot be.

    ``prompt_name`` is query or document, or None for the prompt that both have, if any; ``prompt``
    is the prompt itself. At most ``batch_size`` texts run together, by default as many as the
    bundle was tuned for; it changes no vector. With ``show_progress_bar`` a terminal shows how far
    it is. ``truncate_dim`` leaves so many dims of a vector, which has no unit length then unless
    ``normalize_embeddings`` gives it one, as in sentence-transformers. ``instruction`` is what the
    encoder is told to do with queries, where its bundle states how: in the place of their prompt.
    """

    prompt_name: str | None = None
    prompt: str | None = None
    batch_size: int | None = None
    show_progress_bar: bool | None = None
    normalize_embeddings: bool = False
    truncate_dim: int | None = None
    instruction: str | None = None

    @classmethod
    def of(cls, prompt_name: str | None, options: Mapping[str, Any]) -> Asked:
        """What these options ask, whatever sentence-transformers knows beside."""
        known = {each.name for each in dataclasses.fields(cls)}
        for name in options:
            if name not in known and name not in _FIXED:
                raise RequestError(
                    f"encode takes nothing called {name!r}; known: {', '.join(sorted(known))}"
                )
        for name, (possible, why) in _FIXED.items():
            if options.get(name, possible[0]) not in possible:
                raise RequestError(f"encode cannot have {name}={options[name]!r}: {why}")
        taken = {name: value for name, value in options.items() if name in known}
        asked = cls(prompt_name=prompt_name, **taken)
        if asked.batch_size is not None and asked.batch_size < 1:
            raise RequestError(f"batch_size is {asked.batch_size}; it must be 1 or more")
        if asked.instruction is not None and (prompt_name != QUERY or asked.prompt is not None):
            raise RequestError(
                "instruction is for queries, in the place of their prompt; leave it out, or encode"
                ' with prompt_name="query" and no prompt'
            )
        return asked

    def prompt_of(self, manifest: Manifest) -> Prompt:
        """The prompt of each text."""
        if self.prompt is not None:
            return stated_prompt(self.prompt, manifest)
        if self.prompt_name is not None:
            return named_prompt(manifest, self.prompt_name)
        both = {_of_documents(named_prompt(manifest, name)) for name in manifest.prompts}
        return both.pop() if len(both) == 1 else Prompt("")

    def finished(self, vectors: Vectors) -> Vectors:
        """Float32 [n, dims] -> float32 [n, truncate_dim], of unit length where that is asked."""
        dims = self.truncate_dim
        if vectors.ndim != 2 and (self.normalize_embeddings or dims is not None):
            raise RequestError(
                "truncate_dim and normalize_embeddings are for vectors, and this encoder gives none"
            )
        if dims is not None:
            if not 1 <= dims <= vectors.shape[1]:
                raise RequestError(
                    f"truncate_dim is {dims}; the encoder gives {vectors.shape[1]} dims, and it"
                    " must be from 1 to that"
                )
            vectors = np.ascontiguousarray(vectors[:, :dims])
        return unit(vectors) if self.normalize_embeddings else vectors


def named_prompt(manifest: Manifest, name: str) -> Prompt:
    """The prompt of a role. Raises RequestError where the bundle has none of that name."""
    if name not in manifest.prompts:
        raise RequestError(
            f"encoder {manifest.name!r} has no prompt {name!r}; known: "
            + ", ".join(manifest.prompts)
        )
    return Prompt(manifest.prompts[name], manifest.unpooled.get(name, 0), name)


def instructed_prompt(
    manifest: Manifest, instruction: str, leading: Callable[[str], int]
) -> Prompt:
    """What goes before a query that brings an instruction; ``leading`` counts a prompt's tokens.

    Raises RequestError for an encoder that takes none, and for a blank or too long one: at least
    half of what the encoder reads is the query's.
    """
    name = f"encoder {manifest.name!r}"
    if not manifest.instruction:
        raise RequestError(
            f"{name} takes no instruction with a query, since its recipe states none; leave it out"
        )
    if is_blank(instruction):
        raise RequestError(
            f"the instruction {instruction!r} is blank; leave it out for {name}'s own"
        )
    text = manifest.instruction.replace(INSTRUCTION, instruction)
    tokens, most = leading(text), manifest.max_tokens // 2
    if tokens > most:
        raise RequestError(
            f"the instruction makes a prompt of {tokens} tokens, and may make one of at most"
            f" {most}, half of what {name} reads; shorten it"
        )
    return Prompt(text, tokens if manifest.unpooled else 0, QUERY)


def _of_documents(prompt: Prompt) -> Prompt:
    return prompt._replace(role="document")


def stated_prompt(text: str, manifest: Manifest) -> Prompt:
    """A prompt as such; RequestError where the encoder would have to tell its tokens and cannot."""
    for name, known in manifest.prompts.items():
        if known == text:
            return _of_documents(named_prompt(manifest, name))
    if manifest.unpooled:
        raise RequestError(
            f"encoder {manifest.name!r} pools no tokens of its prompts, and of {text!r} it is not"
            f" known which they are; name one by prompt_name: {', '.join(manifest.prompts)}"
        )
    return Prompt(text)
