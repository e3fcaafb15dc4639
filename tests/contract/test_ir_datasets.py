"""Any dataset of ir_datasets with documents, queries and judgements is a collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from densehook.collections import open_collection, read_documents
from densehook.errors import CollectionError
from densehook.types import Document

ir_datasets = pytest.importorskip("ir_datasets", reason="ir_datasets is not installed")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    written = {
        "docs_tsv": "d1\tfirst text\nd2\tsecond text\n",
        "queries_tsv": "001\twhich is first\nunjudged\tnobody asked\n",
        "qrels_trec": "001 0 d1 2\n001 0 d2 0\n",
    }
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    return {name: str(tmp_path / name) for name in written}


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    names = dict(ir_datasets.registry._registered)
    monkeypatch.setattr(ir_datasets.registry, "_registered", names)
    return ir_datasets.registry.register


def test_a_dataset_is_opened_by_name(files: dict[str, str], register) -> None:
    register("densehook-test", ir_datasets.create_dataset(**files))
    collection = open_collection("densehook-test")
    assert collection.name == "densehook-test"
    assert collection.queries == {"001": "which is first"}
    assert collection.qrels == {"001": {"d1": 2, "d2": 0}}
    for _ in range(2):
        assert [(document.id, document.fields) for document in collection.documents()] == [
            ("d1", {"text": "first text"}),
            ("d2", {"text": "second text"}),
        ]


def test_its_documents_are_read_without_queries_and_judgements(
    files: dict[str, str], register
) -> None:
    del files["qrels_trec"], files["queries_tsv"]
    register("densehook/only-docs", ir_datasets.create_dataset(**files))
    documents = read_documents("densehook/only-docs", rename={"text": "body"})
    assert list(documents) == [
        Document("d1", {"body": "first text"}),
        Document("d2", {"body": "second text"}),
    ]
    del files["docs_tsv"]
    register("densehook/nothing", ir_datasets.create_dataset(**files))
    with pytest.raises(CollectionError, match="densehook/nothing has no docs"):
        read_documents("densehook/nothing")


@pytest.mark.parametrize(
    ("absent", "word"), [("docs_tsv", "docs"), ("queries_tsv", "queries"), ("qrels_trec", "qrels")]
)
def test_a_dataset_that_lacks_a_part_is_refused_by_name(
    files: dict[str, str], register, absent: str, word: str
) -> None:
    del files[absent]
    register("densehook-test", ir_datasets.create_dataset(**files))
    with pytest.raises(CollectionError, match=f"densehook-test has no {word}; an evaluation needs"):
        open_collection("densehook-test")


def test_an_unknown_name_is_one_line() -> None:
    with pytest.raises(CollectionError, match="ir_datasets knows no dataset of that name") as error:
        open_collection("beir/no-such-dataset/test")
    assert "\n" not in str(error.value)


def test_a_dataset_that_cannot_be_fetched_is_one_line(files: dict[str, str], register) -> None:
    files["docs_tsv"] += "-gone"
    register("densehook-test", ir_datasets.create_dataset(**files))
    with pytest.raises(CollectionError, match="ir_datasets cannot read densehook-test: ") as error:
        list(open_collection("densehook-test").documents())
    assert "\n" not in str(error.value)


def test_a_judgement_that_contradicts_another_is_refused(files: dict[str, str], register) -> None:
    with Path(files["qrels_trec"]).open("a") as file:
        file.write("001 0 d1 0\n")
    register("densehook-test", ir_datasets.create_dataset(**files))
    with pytest.raises(CollectionError, match=r"query '001' and document 'd1' have grade 0, .* 2"):
        open_collection("densehook-test")


def test_only_a_judged_query_needs_a_text(files: dict[str, str], register) -> None:
    Path(files["queries_tsv"]).write_text("unjudged\t\n001\twhich is first\n")
    register("densehook-test", ir_datasets.create_dataset(**files))
    assert open_collection("densehook-test").queries == {"001": "which is first"}
    Path(files["queries_tsv"]).write_text("001\t\n")
    with pytest.raises(CollectionError, match=r"no text, the first is '001' \(densehook-test\)"):
        open_collection("densehook-test")
