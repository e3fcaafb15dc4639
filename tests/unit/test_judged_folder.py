"""A folder of judgements grows, loses nothing that was there, and is measured on."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from densehook.collections import JudgedFolder, open_collection, open_measured, read_qrels
from densehook.errors import CollectionError
from densehook.evaluation import evaluate
from densehook.index import Index

QUESTION = "how do cats sleep"


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_it_is_a_beir_folder_with_the_same_in_trecs_columns(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    judged = JudgedFolder(folder)
    assert not folder.exists()  # nothing is made before the first judgement
    assert judged.judge(QUESTION, "d1", 1) == {"d1": 1}
    judged.judge(QUESTION, "d2", 0)
    assert files(folder) == {"queries.jsonl", "qrels/test.tsv", "qrels.trec", ".lock"}
    (query,) = map(json.loads, (folder / "queries.jsonl").read_text().splitlines())
    assert query["text"] == QUESTION
    id_ = query["_id"]
    assert (folder / "qrels/test.tsv").read_text() == (
        f"query-id\tcorpus-id\tscore\n{id_}\td1\t1\n{id_}\td2\t0\n"
    )
    assert (folder / "qrels.trec").read_text() == f"{id_} 0 d1 1\n{id_} 0 d2 0\n"
    assert read_qrels(folder / "qrels.trec") == read_qrels(folder / "qrels/test.tsv")


def test_a_question_has_the_same_id_in_every_folder(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "other"):
        judged = JudgedFolder(tmp_path / name)
        judged.judge(f"something else in {name}", "d", 1)
        judged.judge(f" {QUESTION}\n", "d", 1)
        *_, last = (tmp_path / name / "queries.jsonl").read_text().splitlines()
        ids.append(json.loads(last)["_id"])
    assert ids[0] == ids[1]


def test_a_judgement_is_changed_and_taken_back(tmp_path: Path) -> None:
    judged = JudgedFolder(tmp_path)
    judged.judge(QUESTION, "d1", 1)
    assert judged.judge(QUESTION, "d1", 0) == {"d1": 0}
    assert judged.judge(QUESTION, "d1", None) == {}
    assert judged.judge("never judged", "d1", None) == {}
    assert judged.counts() == {}
    assert "never" not in (tmp_path / "queries.jsonl").read_text()
    with pytest.raises(CollectionError, match="has no relevance judgements"):
        open_measured(tmp_path)


def test_a_folder_that_is_there_keeps_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    asked = {"_id": "7", "text": QUESTION, "metadata": {"by": "Ann"}}
    other = {"_id": "8", "text": "unjudged"}
    rows = "".join(json.dumps(each) + "\n" for each in (asked, other))
    (tmp_path / "queries.jsonl.gz").write_bytes(gzip.compress(rows.encode()))
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n7\td9\t2\n")
    judged = JudgedFolder(tmp_path)
    assert judged.judge(QUESTION, "d1", 1) == {"d9": 2, "d1": 1}
    judged.judge("a new question", "d1", 1)
    lines = (tmp_path / "queries.jsonl").read_text().splitlines()
    assert list(map(json.loads, lines[:2])) == [asked, other]
    assert judged.counts() == {QUESTION: 2, "a new question": 1}


def test_several_judge_at_once(tmp_path: Path) -> None:
    def judge(number: int) -> None:
        JudgedFolder(tmp_path).judge(f"question {number % 4}", f"d{number}", number % 2)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(judge, range(40)))
    assert sum(JudgedFolder(tmp_path).counts().values()) == 40
    assert len((tmp_path / "queries.jsonl").read_text().splitlines()) == 4
    assert not [name for name in files(tmp_path) if name.endswith(".new")]


def test_a_damaged_folder_and_one_that_cannot_be_made_are_refused(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels/test.tsv").write_text("q\td\tvery\n")
    with pytest.raises(CollectionError, match=r"test\.tsv:1: grade 'very'"):
        JudgedFolder(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CollectionError, match="cannot be written"):
        JudgedFolder(tmp_path / "file" / "below").judge(QUESTION, "d", 1)


def test_it_is_measured_on_without_documents_and_says_who_needs_them(tmp_path: Path) -> None:
    JudgedFolder(tmp_path).judge(QUESTION, "d1", 1)
    collection = open_measured(tmp_path)
    assert not collection.has_documents
    assert list(collection.queries.values()) == [QUESTION]
    with pytest.raises(CollectionError, match=r"it has no corpus\.jsonl"):
        open_collection(tmp_path)
    with pytest.raises(CollectionError, match=r"has no corpus\.jsonl, which this needs"):
        evaluate(collection, ["pyserini-rrf"], Index.searcher, tmp_path / "out")  # type: ignore[arg-type]
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "text": "They sleep."}\n')
    assert [each.id for each in open_measured(tmp_path).documents()] == ["d1"]
