"""Reads TREC's topics, beside judgements in a file of their own.

    <top> <num> Number: 301  <title> International Organized Crime  <desc> Description: … </top>

Tags need no end, as in TREC's own files, and may have one. Markup of words within a part, as <b>
or &amp;, is no part of its text. A file without ``<top>`` is rows of an id and a text, parted by a
tab, as MS MARCO's queries are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import CollectionError
from ..files import text_lines
from ..types import Document
from .collection import Collection, Query, judged_queries
from .qrels import read_qrels

PARTS = ("title", "description", "narrative")
"""What a topic has to say, from the shortest to the longest."""

_TAGS = {"title": "title", "desc": "description", "narr": "narrative", "num": "number"}
_TOP = re.compile(r"<top>(?P<topic>.*?)(?P<end></top>|(?=<top>)|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(
    r"<(?P<name>/?[a-z]\w*)(\s+[\w:-]+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s<>]+))*\s*/?>", re.I
)
_MARKUP = re.compile(
    r"a|abbr|b|big|br|cite|code|del|em|font|hi|i|ins|kbd|mark|p|q|s|small|span|strong|sub|sup|tt|u"
    r"|var"
)
"""Tags that mark words, and begin no part of a topic."""

_REPLACED = {"br": " ", "p": " "}
"""What stands between words; the others may stand within one, as in H<sub>2</sub>O."""

_ENTITY = re.compile(r"&(#\d+|#x[0-9a-f]+|\w+);", re.IGNORECASE)
_LABEL = re.compile(r"^\s*(number|topic|description|narrative)\s*:", re.IGNORECASE)


def open_topics(topics: Path, qrels: Path, parts: Sequence[str] = ("title",)) -> Collection:
    """A collection of topics and judgements, whose documents an index has.

    ``parts`` of a topic, joined by a space, are its query. Raises CollectionError with file and
    line of what cannot be read.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        raise CollectionError(
            f"a topic has no part {', '.join(unknown) or ''!r}; it has {', '.join(PARTS)}"
        )
    name = topics.name.split(".")[0]
    judgements = read_qrels(qrels)
    queries = judged_queries(name, read_topics(topics, parts), judgements)
    return Collection(name, lambda: _no_documents(topics), queries, judgements, has_documents=False)


def read_topics(path: Path, parts: Sequence[str] = ("title",)) -> Iterator[Query]:
    """The topics of a file, TREC's or of two columns. Raises CollectionError with file and line."""
    lines = list(text_lines(path))
    if any("<top>" in line.lower() for _, line in lines):
        yield from _tagged(path, lines, parts)
        return
    for number, line in lines:
        id_, tab, text = line.partition("\t")
        if not tab or not id_.strip():
            raise CollectionError(
                f"{path}:{number}: neither one of TREC's topics nor an id, a tab and a text"
            )
        yield Query(id_.strip(), text.strip(), f"{path}:{number}")


def _tagged(path: Path, lines: Sequence[tuple[int, str]], parts: Sequence[str]) -> Iterator[Query]:
    """Topics of one text, so that a tag's text may go over several lines."""
    text = "\n".join(line for _, line in lines)
    for begun in _TOP.finditer(text):
        number = lines[text.count("\n", 0, begun.start())][0]
        topic = begun["topic"]
        if not begun["end"]:
            raise CollectionError(f"{path}:{number}: the topic has no </top>")
        tags = [tag for tag in _TAG.finditer(topic) if not _is_markup(tag)]
        ends = [*(tag.start() for tag in tags[1:]), len(topic)]
        fields = {
            _TAGS[name]: topic[tag.end() : end]
            for tag, end in zip(tags, ends, strict=True)
            if (name := tag["name"].lower()) in _TAGS
        }
        yield _query(fields, parts, f"{path}:{number}")


def _query(topic: Mapping[str, str], parts: Sequence[str], origin: str) -> Query:
    texts = {name: " ".join(_plain(_LABEL.sub("", text)).split()) for name, text in topic.items()}
    id_ = texts.get("number", "")
    if not id_ or " " in id_:
        raise CollectionError(f"{origin}: the topic's number is {id_!r}; it needs one word")
    return Query(id_, " ".join(texts[part] for part in parts if texts.get(part)), origin)


def _is_markup(tag: re.Match[str]) -> bool:
    return _MARKUP.fullmatch(tag["name"].lower().removeprefix("/")) is not None


def _plain(text: str) -> str:
    """Text without the markup of its words."""
    shown = _TAG.sub(lambda tag: _REPLACED.get(tag["name"].lower().strip("/"), ""), text)
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), shown)


def _no_documents(topics: Path) -> Iterator[Document]:
    raise CollectionError(f"{topics} comes without documents, which this needs")
