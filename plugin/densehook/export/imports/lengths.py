"""How many tokens a graph reads, where its folder, its tokenizer or the graph itself says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..folder import Settings
from ..modules_json import read_json
from .files import Files

_TRIED_TOKENS = 8192
"""Longer texts are not run to see whether they can be: attention would take gigabytes."""
_DEFAULT_TOKENS = 512
"""Tokens, where neither the folder nor the command says how many the model reads."""


def tokenizer_limit(tokenizer: Any) -> int:
    """The longest input that a tokenizer of transformers' thinks right."""
    limit = int(tokenizer.model_max_length)
    return limit if limit < 1_000_000 else _DEFAULT_TOKENS  # transformers' way of saying "unknown"


def stated_positions(files: Files) -> int | None:
    """How many tokens the model has positions for, where its config.json says it."""
    config = read_json(files.folder / "config.json") if files.folder is not None else None
    stated = config.get("max_position_embeddings") if isinstance(config, dict) else None
    return stated if type(stated) is int and stated > 0 else None


def longest_run(run: Callable[[int], Any], most: int) -> int:
    """As many tokens as the graph can run, up to that many; it says so by failing."""

    def runs(tokens: int) -> bool:
        try:
            run(tokens)
        except Exception:  # onnxruntime's own errors share no root but this
            return False
        return True

    if most > _TRIED_TOKENS or runs(most):
        return most
    low, high = 5, most  # five it has run already
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if runs(middle) else (low, middle)
    return low


def within(reference: Any, settings: Settings) -> Settings:
    """The settings with as many tokens as the graph can run; ``reference`` runs it as it came."""

    def run(tokens: int) -> None:
        reference.encode(settings, "document", [reference.pad_id] * tokens)

    most = longest_run(run, settings.max_tokens)
    if most == settings.max_tokens:
        return settings
    return replace(settings, max_tokens=most, remarks=[*settings.remarks, cut_remark(most)])


def cut_remark(tokens: int) -> str:
    """What is to be said of texts that are cut for the graph."""
    return f"max_tokens is {tokens}: the graph cannot run {tokens + 1} tokens"
