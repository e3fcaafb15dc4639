"""The gate of a migration: fields of any kind are measured, or refused before the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from densehook.collections import Collection
from densehook.errors import RequestError
from densehook.hooks.kinds import format_of
from densehook.index import Index
from densehook.migration import Gate, gate
from densehook.migration.gate import Verdict
from densehook.types import ScoredDoc

COLLECTION = Collection("little", lambda: iter(()), {"q": "cats"}, {"q": {"d1": 1}})
MAPPED: Mapping[str, Mapping[str, Any]] = {
    "dense": {"type": "dense_vector"},
    "sparse": {"type": "sparse_vector"},
    "maxsim": {"type": "binary"},
}


class FakeSearcher:
    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.asked: list[Any] = []

    def search(self, queries: Any, mode: str, depth: int, on_progress: Any) -> Any:
        self.asked.append(mode)
        return {"q": [ScoredDoc("d1", 1.0)]}

    def lacking(self, ids: Iterable[str]) -> list[str]:
        return []

    def require_askable(self, queries: Mapping[str, str], modes: Iterable[str]) -> None:
        self.asked.append((dict(queries), list(modes)))
        if self.refusal:
            raise RequestError(self.refusal)


def index(kind: str, searcher: FakeSearcher) -> Any:
    field = SimpleNamespace(name="f", encoder="e", format=format_of(MAPPED[kind]))
    return SimpleNamespace(
        client=None,
        name="there",
        field=field,
        encoder=object(),
        cluster_encodes=True,
        searcher=lambda: searcher,
    )


@pytest.mark.parametrize("kind", MAPPED)
def test_a_field_of_any_kind_is_measured_by_its_own_search(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "refresh", lambda client, name: "")
    old, new = FakeSearcher(), FakeSearcher()
    verdict = gate.measured(
        Gate(COLLECTION), index("dense", old), index(kind, new), lambda *told: None
    )
    assert (old.asked, new.asked) == (["dense"], [kind])
    assert verdict.passed and (verdict.old, verdict.new) == (1, 1)
    named = "dense" if kind == "dense" else f"dense and {kind}"
    assert str(verdict).startswith(f"nDCG@10 of {named} search, 1 queries: 1.0000 before")


def test_a_verdict_is_of_dense_search_unless_it_says_another() -> None:
    assert str(Verdict(4, 1, 1, 1, 0.005)) == (
        "nDCG@10 of dense search, 4 queries: 1.0000 before, 1.0000 now, p 1"
    )


def test_what_cannot_be_asked_is_known_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = FakeSearcher("query 'q' is asked of numbers")
    monkeypatch.setattr(Index, "open", lambda *given, **more: index("maxsim", asked))
    with pytest.raises(RequestError, match="query 'q' is asked of numbers"):
        gate.searchable(None, "there", None, Gate(COLLECTION))
    assert asked.asked == [({"q": "cats"}, ["bm25", "maxsim"])]
    monkeypatch.setattr(Index, "open", lambda *given, **more: index("dense", FakeSearcher()))
    assert gate.searchable(None, "there", None, Gate(COLLECTION)).name == "there"
