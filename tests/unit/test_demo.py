"""What the demo shows fits a terminal of 80 columns, and says which system is best where."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.table import Table

from densehook.cli.demo import _excerpt, _table
from densehook.cli.shown import kinds_table
from densehook.collections.packaged import KINDS, judge, passages
from densehook.demo.quickstart import example_questions
from densehook.evaluation import DEFAULT_MEASURES as MEASURES
from densehook.evaluation import SYSTEMS, Evaluation, KindOfQuery
from densehook.fusion import Part
from densehook.index import Hit

LONG = "is called when the default attribute access fails with an AttributeError, " * 3


def printed(table: Table) -> list[str]:
    console = Console(file=io.StringIO(), width=80, soft_wrap=True)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def hit(id_: str, piece: str | None, bm25: int | None, dense: int | None) -> Hit:
    parts = {
        name: Part(rank, None, None, 1.0, 0.0) for name, rank in (("bm25", bm25), ("dense", dense))
    }
    text = (
        LONG
        if piece is None
        else f"First of all.\n{piece}".replace("<em>", "").replace("</em>", "")
    )
    return Hit(id_, 0.03, {"text": text}, parts, {} if piece is None else {"text": [piece]})


def test_a_hit_is_one_line_of_80_columns_with_its_judgement_and_ranks() -> None:
    question = next(each for each in judge(passages()).questions if each.text == "__getattr__")
    hits = [
        hit("attribute-access-01", f"object.<em>__getattr__</em>(self) {LONG}", 1, 57),
        hit("attribute-references-02", None, None, 2),
        hit("with-01", None, 100, None),
    ]
    header, *lines = printed(_table(question, hits))
    assert len(lines) == len(hits)
    assert all(len(line) <= 80 for line in lines)
    assert header.split() == ["bm25", "dense", "passage"]
    assert [line.split()[:4] for line in lines] == [
        ["✓", "1", "57", "attribute-access-01"],
        ["~", "–", "2", "attribute-references-02"],
        ["100", "–", "with-01", "is"],
    ]
    right = header.index("dense") + len("dense")
    assert [line[:right].split()[-1] for line in lines] == ["57", "2", "–"]
    assert all(line[right - 1] != " " and line[right] == " " for line in lines)


def test_the_querys_words_are_set_off_and_stand_near_the_start() -> None:
    piece = f"{LONG}then <em>slice</em> it with a <em>negative</em>\nstep, sliced: negative"
    shown = _excerpt(hit("a", piece, 1, 1))
    assert shown.plain.startswith("…")
    assert 0 < shown.plain.index("slice") <= 30
    assert [shown.plain[span.start : span.end] for span in shown.spans if span.style] == [
        "slice",
        "negative",
        "negative",
    ]
    assert shown.plain.endswith("negative step, sliced: negative")


def test_the_piece_with_most_of_the_querys_words_is_shown() -> None:
    pieces = ["one <em>slice</em>", "a <em>slice</em> with a <em>step</em>"]
    text = "one slice, and much else that nobody asked for; a slice with a step"
    found = Hit("a", 0.03, {"text": text}, {}, {"text": pieces})
    assert _excerpt(found).plain == "…asked for; a slice with a step"


def test_a_text_without_the_querys_words_is_shown_from_its_start() -> None:
    shown = _excerpt(hit("a", None, None, 1))
    assert shown.plain.startswith("is called when")
    assert not [span for span in shown.spans if span.style]


def test_a_word_of_the_query_longer_than_the_lead_is_shown_whole() -> None:
    shown = _excerpt(hit("a", f"{'x' * 40} <em>{'w' * 40}</em> y", 1, 1))
    assert shown.plain == f"…{'x' * 40} {'w' * 40} y"


def test_examples_are_the_first_of_each_kind_not_chosen_ones() -> None:
    questions = judge(passages()).questions
    assert [question.kind for question in example_questions()] == list(KINDS)
    for example in example_questions():
        assert example == next(each for each in questions if each.kind == example.kind)


def test_every_kind_stands_in_the_table_and_the_best_of_each_is_marked() -> None:
    def systems(best: str) -> dict[str, dict[str, float]]:
        return {name: dict.fromkeys(MEASURES, 0.75 if name == best else 0.25) for name in SYSTEMS}

    kinds = {
        kind: KindOfQuery(10 + number, systems(best))
        for number, (kind, best) in enumerate(zip(KINDS, list(SYSTEMS), strict=False))
    }
    evaluation = Evaluation("c", 60, systems("dense"), Path(), kinds)
    header, *rows = printed(kinds_table(evaluation))
    assert header.split() == ["nDCG@10", *KINDS, "all"]
    assert all(len(line) <= 80 for line in (header, *rows))
    assert rows[-1].split() == ["queries", "10", "11", "12", "13", "14", "60"]
    for number, system in enumerate(list(SYSTEMS)[: len(KINDS)]):
        marked = [row.split()[0] for row in rows if row.split()[1 + number].startswith("*")]
        assert marked == [system]
    assert [row.split()[0] for row in rows if row.split()[-1] == "*0.7500"] == ["dense"]
