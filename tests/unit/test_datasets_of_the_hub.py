"""Retrieval datasets as Hugging Face's hub has them, in folders as they are really laid out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from densehook.cli.shown import kinds_table
from densehook.collections import JudgedFolder, open_collection, open_measured, read_documents
from densehook.errors import CollectionError
from densehook.evaluation import evaluating, measure_runs
from densehook.report import write_report
from densehook.types import ScoredDoc

Rows = Sequence[Mapping[str, Any]]

CORPUS: Rows = [
    {"_id": "007", "title": "One", "text": "first"},
    {"_id": "7", "title": "", "text": "b"},
]
QUERIES: Rows = [
    {"_id": "1", "text": "which is first"},
    {"_id": "001", "text": "which is second"},
    {"_id": "spare", "text": "nobody asked"},
]
TEST: Rows = [
    {"query-id": "1", "corpus-id": "007", "score": 1},
    {"query-id": "001", "corpus-id": "7", "score": 2},
    {"query-id": "001", "corpus-id": "007", "score": 0},
]
DEV: Rows = [{"query-id": "spare", "corpus-id": "7", "score": 1}]
QRELS = {"1": {"007": 1}, "001": {"7": 2, "007": 0}}


def write(path: Path, rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), path)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif path.suffix in (".tsv", ".csv"):
        parted = "\t" if path.suffix == ".tsv" else ","
        lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
        path.write_text("".join(parted.join(line) + "\n" for line in lines))
    else:
        path.write_text(text)


def jsonl(folder: Path) -> Path:
    """As mteb/scifact."""
    write(folder / "corpus.jsonl", CORPUS)
    write(folder / "queries.jsonl", QUERIES)
    write(folder / "qrels/test.jsonl", TEST)
    write(folder / "qrels/dev.jsonl", DEV)
    readme(
        folder,
        "- config_name: default\n  data_files:\n  - split: dev\n    path: qrels/dev.jsonl\n"
        "  - split: test\n    path: qrels/test.jsonl\n"
        "- config_name: corpus\n  data_files:\n  - split: corpus\n    path: corpus.jsonl\n"
        "- config_name: queries\n  data_files:\n  - split: queries\n    path: queries.jsonl\n",
    )
    return folder


def readme(folder: Path, configs: str) -> None:
    front = f"---\nlanguage:\n- en\nconfigs:\n{configs}---\n"
    (folder / "README.md").write_text(front + "# A dataset\n\n--- not a front\n")


def parquet(folder: Path) -> Path:
    """As push_to_hub writes: the configuration called default in data/."""
    write(folder / "corpus/corpus-00000-of-00002.parquet", CORPUS[:1])
    write(folder / "corpus/corpus-00001-of-00002.parquet", CORPUS[1:])
    write(folder / "queries/queries-00000-of-00001.parquet", QUERIES)
    write(folder / "data/test-00000-of-00001.parquet", TEST)
    write(folder / "data/dev-00000-of-00001.parquet", DEV)
    return folder


def stated_parquet(folder: Path) -> Path:
    parquet(folder)
    readme(
        folder,
        "- config_name: corpus\n  data_files:\n  - split: corpus\n    path: corpus/corpus-*\n"
        "- config_name: default\n  data_files:\n  - split: test\n    path: data/test-*\n"
        "  - split: dev\n    path: [data/dev-*]\n"
        "- config_name: queries\n  data_dir: queries\n",
    )
    return folder


def two_folders(folder: Path) -> Path:
    """As BeIR/scifact and BeIR/scifact-qrels."""
    write(folder / "corpus.jsonl.gz", CORPUS)
    write(folder / "queries.jsonl.gz", QUERIES)
    write(folder.with_name(f"{folder.name}-qrels") / "test.tsv", TEST)
    write(folder.with_name(f"{folder.name}-qrels") / "dev.tsv", DEV)
    return folder


def named_qrels(folder: Path) -> Path:
    write(folder / "corpus.jsonl", [{"id": row["_id"], "text": row["text"]} for row in CORPUS])
    write(folder / "query/test.csv", [{"id": r["_id"], "query": r["text"]} for r in QUERIES])
    write(folder / "qrels/test.csv", TEST)
    write(folder / "qrels/dev.csv", DEV)
    return folder


def saved(folder: Path) -> Path:
    """As save_to_disk writes."""
    for name, splits in {
        "corpus": {"corpus": CORPUS},
        "queries": {"queries": QUERIES},
        "qrels": {"test": TEST, "dev": DEV},
    }.items():
        made = {
            split: datasets.Dataset.from_list(list(map(dict, rows)))
            for split, rows in splits.items()
        }
        datasets.DatasetDict(made).save_to_disk(folder / name)
    return folder


@pytest.mark.parametrize(
    "lay_out", [jsonl, parquet, stated_parquet, two_folders, named_qrels, saved]
)
def test_each_layout_gives_the_same_collection(
    tmp_path: Path, lay_out: Callable[[Path], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = lay_out(tmp_path / "little")
    collection = open_collection(folder)
    assert collection.name == "little"
    assert collection.queries == {"1": "which is first", "001": "which is second"}
    assert collection.qrels == QRELS
    assert not collection.kinds
    assert [each.id for each in collection.documents()] == ["007", "7"]
    assert [each.id for each in collection.documents()] == ["007", "7"]  # a stream that begins anew
    assert [each.id for each in read_documents(folder)] == ["007", "7"]  # as it is ingested
    assert open_measured(folder, "dev").qrels == {"spare": {"7": 1}}
    with pytest.raises(
        CollectionError, match=r"no split 'train'; it has (dev, test|test, dev): name"
    ):
        open_measured(folder, "train")
    with pytest.raises(
        CollectionError, match="has no language 'de'; it has one, which has no name"
    ):
        open_measured(folder, languages=["de"])


def test_ids_stay_text_whatever_the_file_has(tmp_path: Path) -> None:
    write(tmp_path / "queries/test.parquet", [{"_id": 17, "text": "a"}])
    write(tmp_path / "corpus/test.parquet", [{"_id": 42, "text": "b"}])
    write(tmp_path / "qrels/test.parquet", [{"query-id": 17, "corpus-id": 42, "score": 1.0}])
    collection = open_measured(tmp_path)
    assert (collection.qrels, collection.queries) == ({"17": {"42": 1}}, {"17": "a"})
    assert [each.id for each in collection.documents()] == ["42"]
    assert [each.id for each in read_documents(tmp_path / "corpus")] == ["42"]


def test_a_folder_that_is_beirs_own_is_read_as_that(tmp_path: Path) -> None:
    folder = jsonl(tmp_path)
    write(folder / "qrels/test.tsv", DEV)
    assert open_measured(folder).qrels == {"spare": {"7": 1}}


LANGUAGES = {"deu": "Frage", "fra": "question", "zh-CN": "问题"}


def of_language(language: str, name: str) -> str:
    return f"{language}-{name}"


def before(language: str, name: str) -> str:
    return f"{'default' if name == 'qrels' else name}-{language}"


def below(language: str, name: str) -> str:
    return f"{language}/{name}"


def multilingual(folder: Path, called: Callable[[str, str], str], *, own_ids: bool = True) -> Path:
    for number, (language, text) in enumerate(LANGUAGES.items()):
        own = language if own_ids else ""
        queries = [{"_id": f"{own}q{n}", "text": f"{text} {n}"} for n in range(number + 1)]
        judged = [
            {"query-id": each["_id"], "corpus-id": f"{own}d{n}", "score": 1}
            for n, each in enumerate(queries)
        ]
        documents = [{"_id": f"{own}d{n}", "title": "", "text": text} for n in range(3)]
        write(folder / called(language, "corpus") / "corpus-00000-of-00001.parquet", documents)
        write(folder / called(language, "queries") / "test-00000-of-00001.parquet", queries)
        write(folder / called(language, "qrels") / "test-00000-of-00001.parquet", judged)
    return folder


@pytest.mark.parametrize("called", [of_language, before, below])
def test_languages_are_kinds_of_queries(tmp_path: Path, called: Callable[[str, str], str]) -> None:
    collection = open_measured(multilingual(tmp_path / "faq", called))
    assert list(dict.fromkeys(collection.kinds.values())) == list(LANGUAGES)
    assert len(collection.queries) == len(collection.kinds) == 6
    assert len(list(collection.documents())) == 9
    two = open_measured(tmp_path / "faq", languages=["fra", "zh-CN"])
    assert set(two.kinds.values()) == {"fra", "zh-CN"} and len(two.qrels) == 5
    one = open_measured(tmp_path / "faq", languages=["fra"])
    assert not one.kinds and one.queries == {"fraq0": "question 0", "fraq1": "question 1"}
    assert {each.id for each in one.documents()} == {"frad0", "frad1", "frad2"}
    with pytest.raises(CollectionError, match=r"no language 'eng'; it has deu, fra, zh-CN"):
        open_measured(tmp_path / "faq", languages=["eng"])
    with pytest.raises(CollectionError, match=r"no split 'dev' of deu; it has test: name one"):
        open_measured(tmp_path / "faq", "dev")


def test_languages_that_share_ids_are_measured_one_at_a_time(tmp_path: Path) -> None:
    folder = multilingual(tmp_path, of_language, own_ids=False)
    with pytest.raises(CollectionError, match=r"'q0' is in deu and in fra; .*--language fra"):
        open_measured(folder)
    assert open_measured(folder, languages=["fra"]).queries["q0"] == "question 0"


def test_a_language_whose_corpus_is_not_there_has_no_documents(tmp_path: Path) -> None:
    folder = multilingual(tmp_path, of_language)
    (folder / "fra-corpus/corpus-00000-of-00001.parquet").unlink()
    collection = open_measured(folder)
    assert not collection.has_documents
    with pytest.raises(CollectionError, match="has no corpus of all that is measured"):
        collection.documents()
    assert open_measured(folder, languages=["deu"]).has_documents
    write(folder / "corpus.jsonl", [{"_id": "shared", "text": "one for all"}])
    shared = [each.id for each in open_measured(folder).documents()]
    own = [f"{each}d{n}" for each in ("deu", "zh-CN") for n in range(3)]
    assert shared == [*own, "shared"]


def test_the_mean_of_the_languages_counts_each_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "anserini_jar", lambda: Path("jar"))
    monkeypatch.setattr(evaluating, "find_java", lambda _minimum: Path("java"))
    monkeypatch.setattr(evaluating, "official_means", lambda runs, *_: {name: {} for name in runs})
    collection = open_measured(multilingual(tmp_path / "faq", of_language))
    # of one German, two French and three Chinese questions the first of each is answered
    run = {
        query: [ScoredDoc("deud0" if query.endswith("q0") else "x", 1.0)]
        for query in collection.queries
    }
    run |= {f"{each}q0": [ScoredDoc(f"{each}d0", 1.0)] for each in LANGUAGES}
    found = measure_runs(collection, {"r": run}, tmp_path / "out", measures=["RR@10"])
    assert [kind.systems["r"]["RR@10"] for kind in found.kinds.values()] == [1.0, 0.5, 0.3333]
    assert found.systems["r"]["RR@10"] == 0.5
    assert found.macro == {"r": {"RR@10": 0.6111}}
    assert json.loads((tmp_path / "out/metrics.json").read_text())["macro"] == found.macro
    assert [column.header for column in kinds_table(found).columns][-2:] == ["mean", "all"]
    page = write_report(found).read_text()
    assert "<th>mean</th>" in page and "<td>0.6111</td>" in page


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (
            "qrels/test.jsonl",
            '{"query-id": "1", "score": 1}\n',
            r"test\.jsonl:1: .* 'corpus-id'; this",
        ),
        (
            "qrels/test.jsonl",
            '{"query-id": "1", "corpus-id": "d"}\n',
            r"test\.jsonl:1: .* has 'score'",
        ),
        ("qrels/test.jsonl", '{"query-id": "", "corpus-id": "d", "score": 1}\n', "query-id is ''"),
        (
            "qrels/test.jsonl",
            '{"query-id": 1.5, "corpus-id": "d", "score": 1}\n',
            "query-id is 1.5",
        ),
        (
            "qrels/test.jsonl",
            '{"query-id": "1", "corpus-id": "d", "score": 0.5}\n',
            "grade 0.5 is not",
        ),
        (
            "qrels/test.jsonl",
            '{"query-id": "1", "corpus-id": "d", "score": "y"}\n',
            "grade 'y' is not",
        ),
        (
            "qrels/test.jsonl",
            '{"query-id": "1", "corpus-id": "d", "score": true}\n',
            "grade True is",
        ),
        ("qrels/test.jsonl", "{\n", r"test\.jsonl:1: .*an evaluation needs every row"),
        ("qrels/test.jsonl", "", "little has no relevance judgements"),
        ("qrels/test.jsonl", '{"query-id": "x", "corpus-id": "d", "score": 1}\n', "no text.*'x'"),
        ("queries.jsonl", '{"text": "no id"}\n', r"queries\.jsonl:1: no _id"),
        ("queries.jsonl", "[1]\n", r"queries\.jsonl:1: a document is a JSON object"),
        (
            "README.md",
            "---\nconfigs: [\n---\n",
            r"README\.md cannot be read: .*mend what is between",
        ),
        ("README.md", "---\nconfigs: corpus\n---\n", r"README\.md: configs is no list"),
        (
            "README.md",
            "---\nconfigs:\n- config_name: corpus\n  data_files: 7\n---\n",
            r"README\.md: data_files 7 name no paths",
        ),
        (
            "README.md",
            "---\nconfigs:\n- config_name: corpus\n  data_files: ../../etc/*\n---\n",
            r"path '\.\./\.\./etc/\*' leads out of the dataset",
        ),
        (
            "README.md",
            "---\nconfigs:\n- config_name: corpus\n  data_files: /etc/*\n---\n",
            r"path '/etc/\*' leads out",
        ),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, path: str, content: str, said: str) -> None:
    folder = jsonl(tmp_path / "little")
    (folder / path).write_text(content)
    with pytest.raises(CollectionError, match=said) as error:
        open_measured(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data/test-00000-of-00001.parquet", b"PAR1 and no more", "cannot be read to its end"),
        (
            "data/test-00000-of-00001.parquet",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n",
            "is a pointer of Git LFS and not the file itself; fetch that with: git lfs pull",
        ),
        (
            "queries/queries-00000-of-00001.parquet",
            b"PAR1 and no more",
            "cannot be read to its end",
        ),
    ],
)
def test_a_damaged_parquet_file_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    folder = parquet(tmp_path)
    (folder / name).write_bytes(content)
    with pytest.raises(CollectionError, match=f"{name} {said}"):
        open_measured(folder)


def test_two_grades_of_one_document_are_named(tmp_path: Path) -> None:
    write(jsonl(tmp_path) / "qrels/test.jsonl", [*TEST, {**TEST[0], "score": 0}])
    with pytest.raises(CollectionError, match=r"test\.jsonl:4: query '1' and document '007' have"):
        open_measured(tmp_path)


def test_a_readme_without_configurations_leaves_it_to_the_names(tmp_path: Path) -> None:
    folder = jsonl(tmp_path)
    for text in ("# no front\n", "---\nlanguage: en\n", "---\nconfigs:\n---\n", "---\n- a\n---\n"):
        (folder / "README.md").write_text(text)
        assert open_measured(folder).qrels == QRELS


def test_judgements_in_other_files_are_not_hidden_by_new_ones(tmp_path: Path) -> None:
    with pytest.raises(
        CollectionError, match=r"judgements are not in qrels/test\.tsv; judge into an"
    ):
        JudgedFolder(jsonl(tmp_path))
