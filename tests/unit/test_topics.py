"""Topics as TREC wrote them over the years, and as others write queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from densehook.collections import open_topics
from densehook.errors import CollectionError

OLD = """<top>
<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations that participate
in international criminal activity.

<narr> Narrative:
A relevant document must name them.
</top>

<top>
<num> Number: 302
<title> Poliomyelitis and Post-Polio
<desc> Description:
Is the disease of Poliomyelitis under control?
</top>
"""
NEW = """<topics><TOP><num>301</num><title>Organized  Crime</title>
<desc>who</desc></TOP><top number="x"></top></topics>"""


@pytest.fixture
def qrels(tmp_path: Path) -> Path:
    path = tmp_path / "qrels.txt"
    path.write_text("301 0 a 1\n302 0 b 2\n")
    return path


def test_the_parts_of_a_topic_are_told_apart(tmp_path: Path, qrels: Path) -> None:
    (tmp_path / "topics.301.txt").write_text(OLD)
    opened = open_topics(tmp_path / "topics.301.txt", qrels)
    assert opened.name == "topics"
    assert opened.queries == {
        "301": "International Organized Crime",
        "302": "Poliomyelitis and Post-Polio",
    }
    assert opened.qrels == {"301": {"a": 1}, "302": {"b": 2}}
    both = open_topics(tmp_path / "topics.301.txt", qrels, ["title", "description"]).queries
    assert both["301"].endswith(
        "Crime Identify organizations that participate in international criminal activity."
    )
    long = open_topics(tmp_path / "topics.301.txt", qrels, ["title", "narrative"]).queries
    assert long["302"] == "Poliomyelitis and Post-Polio"  # which has no narrative


def test_tags_may_be_closed_and_stand_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(NEW.replace('<top number="x"></top>', ""))
    (tmp_path / "q").write_text("301 0 a 1\n")
    assert open_topics(tmp_path / "t", tmp_path / "q").queries == {"301": "Organized Crime"}


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("the <b>bold</b> one", "the bold one"),
        ("H<sub>2</sub>O &amp; <I>salt</I>", "H2O & salt"),
        ("one<br/>two <a href='x' id=y>three</a>", "one two three"),
        ("R&D where 3 < 5 and 7 > 6; <5>", "R&D where 3 < 5 and 7 > 6; <5>"),
        ("a <x and y> b", "a <x and y> b"),
        ("first <dom> economics", "first"),
        ("first <note kind='x'> not asked", "first"),
    ],
)
def test_markup_of_words_is_no_part_of_them(
    tmp_path: Path, qrels: Path, title: str, text: str
) -> None:
    (tmp_path / "t").write_text(OLD.replace("International Organized Crime", title))
    assert open_topics(tmp_path / "t", qrels).queries["301"] == text


def test_rows_of_id_and_text_are_topics_too(tmp_path: Path, qrels: Path) -> None:
    (tmp_path / "queries.tsv").write_text("301\torganized\tcrime\n302\tpolio\n303\tunjudged\n")
    opened = open_topics(tmp_path / "queries.tsv", qrels)
    assert opened.queries == {"301": "organized\tcrime", "302": "polio"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no tab here\n", r"t:1: neither one of TREC's topics nor an id, a tab and a text"),
        (OLD + "\n<top>\n<num> Number: 9\n", r"t:20: the topic has no </top>"),
        ("<top><title>x</top>", r"t:1: the topic's number is ''; it needs one word"),
        ("\n<top><num> Number: 3 4<title>x</top>", r"t:2: the topic's number is '3 4'"),
        (OLD.replace("<title> Polio", "<title>\n<desc> Polio"), r"'302' \(.*t:13\)"),
    ],
)
def test_a_file_that_is_no_topics_is_named(
    tmp_path: Path, qrels: Path, text: str, said: str
) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(CollectionError, match=said):
        open_topics(tmp_path / "t", qrels)


def test_a_part_that_no_topic_has_is_refused(tmp_path: Path, qrels: Path) -> None:
    with pytest.raises(CollectionError, match=r"no part 'body'; it has title, description"):
        open_topics(tmp_path / "t", qrels, ["title", "body"])
