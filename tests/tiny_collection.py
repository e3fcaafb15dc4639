"""A judged collection of a few dozen texts."""

from __future__ import annotations

from collections.abc import Iterator

from densehook.collections import Collection
from densehook.export.texts import PASSAGES
from densehook.types import Document


def small_collection(documents: int = len(PASSAGES)) -> Collection:
    """Each query is a passage's first words, and that passage is what it asks for."""

    def read() -> Iterator[Document]:
        for number, text in enumerate(PASSAGES[:documents]):
            yield Document(f"d{number}", {"title": text.split()[0], "text": text})

    queries = {f"q{number}": " ".join(PASSAGES[number].split()[:6]) for number in range(20)}
    return Collection(
        "small", read, queries, {f"q{number}": {f"d{number}": 1} for number in range(20)}
    )
