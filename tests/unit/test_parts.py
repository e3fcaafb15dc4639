"""A source's parts are the whole source, and no two have a document in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.collections import BadLine, Part, documents_from
from densehook.errors import CollectionError
from densehook.types import Document


@given(st.lists(st.text(min_size=1), max_size=30), st.integers(1, 9))
def test_each_document_is_of_one_part_by_its_id(ids: list[str], parts: int) -> None:
    rows = [{"_id": id_, "n": n} for n, id_ in enumerate(ids)]
    found = [list(documents_from(rows).only(Part(n, parts))) for n in range(1, parts + 1)]
    together = [item for part in found for item in part]
    assert sorted(item.fields["n"] for item in together if isinstance(item, Document)) == [
        *range(len(ids))
    ]
    for part in found:  # what comes twice is met by one process
        held = {item.id for item in part if isinstance(item, Document)}
        assert sum(id_ in held for id_ in ids) == len(part)


def test_parts_are_about_alike_and_stay_what_they_are() -> None:
    rows = [{"_id": str(n)} for n in range(4000)]
    sizes = [len(list(documents_from(rows).only(Part(n, 4)))) for n in range(1, 5)]
    assert min(sizes) > 900
    # processes of different versions feed one source: a part is never another one
    held = [next(n for n in range(1, 5) if Part(n, 4).holds(Document(f"d{m}"))) for m in range(8)]
    assert held == [4, 3, 1, 3, 3, 4, 2, 2]


def test_a_line_without_a_document_is_of_one_part() -> None:
    line = BadLine("corpus.jsonl:7", "torn")
    assert sum(Part(n, 5).holds(line) for n in range(1, 6)) == 1


@pytest.mark.parametrize("text", ["", "2", "0/4", "2/", "-1/4", "2/8/9", "a/b", "1/0"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(CollectionError, match="is no part of a source; write it like 2/8"):
        Part.of_text(text)


def test_a_part_that_there_is_not_is_refused() -> None:
    with pytest.raises(CollectionError, match="there is no part 9 of 8; they count from 1/8 to"):
        Part.of_text("9/8")
