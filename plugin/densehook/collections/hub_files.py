"""Which files of a retrieval dataset of Hugging Face's hub are its corpus, queries and judgements.

    corpus.jsonl, queries.jsonl, qrels/test.jsonl          mteb/scifact
    corpus/…-00000-of-00001.parquet, queries/…, data/…     what push_to_hub writes
    corpus.jsonl.gz, queries.jsonl.gz; NAME-qrels/test.tsv  BeIR/NAME and BeIR/NAME-qrels
    de-corpus/…, de-queries/…, de-qrels/…                  WebFAQ, and MTEB's multilingual tasks
    de/corpus.jsonl, de/queries.jsonl, de/qrels/test.tsv   a folder for each language

Which files are which is said by ``configs`` in README.md, else by their names. The names of
configurations are those of MTEB's loader: ``corpus``, ``queries``, ``default`` or ``qrels``, each
with a language before or behind it. Of corpus and queries without the split that is asked all is
read.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..errors import CollectionError, MissingExtra
from ..files import text_lines
from .readers import FORMATS, format_by_name

CORPUS, QUERIES, QRELS = "corpus", "queries", "qrels"

_ROLES: Mapping[str, str] = {
    "corpus": CORPUS,
    "queries": QUERIES,
    "query": QUERIES,
    "qrels": QRELS,
    "default": QRELS,
}
"""What configurations are called, and what they hold."""

_SHARD = re.compile(r"(?P<split>.+?)-\d{5}-of-\d{5}")
_ABOUT = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""Files that Hugging Face's library writes beside the rows."""

_DEPTHS = ("*", "*/*", "*/*/*")
"""How deep a dataset's files lie; a folder of something else may be without end."""

_FRONT = "---"


class Config(NamedTuple):
    """What one configuration holds, and of which language, "" where the dataset has but one."""

    role: str
    language: str


Splits = Mapping[str, Sequence[Path]]
"""The files of each split."""


@dataclass(frozen=True)
class Hub:
    """The files of a dataset, by configuration and split."""

    folder: Path
    configs: Mapping[Config, Splits]

    @property
    def languages(self) -> list[str]:
        """Those with judgements and queries, in their order."""
        return [
            language
            for role, language in self.configs
            if role == QRELS and Config(QUERIES, language) in self.configs
        ]


def find_hub(folder: Path) -> Hub | None:
    """The dataset in a folder; None where it holds no queries with judgements of this kind.

    Raises CollectionError for a README.md whose configurations cannot be read.
    """
    for configs in (_stated(folder), _laid_out(folder)):
        hub = Hub(folder, {**_beside(folder), **configs})
        if hub.languages:
            return hub
    return None


def _beside(folder: Path) -> dict[Config, Splits]:
    """The judgements of BeIR/NAME, which are a dataset of their own."""
    folder = folder.resolve()
    beside = folder.with_name(f"{folder.name}-{QRELS}")
    splits = _by_split(_data(beside)) if beside.is_dir() else {}
    return {Config(QRELS, ""): splits} if splits else {}


def _stated(folder: Path) -> dict[Config, Splits]:
    """What README.md says; nothing where it says nothing, or its files are not there."""
    readme = folder / "README.md"
    if not readme.is_file():
        return {}
    found: dict[Config, Splits] = {}
    for entry in _configs_of(readme):
        config = _config_of(str(entry.get("config_name", "")))
        if config is None:
            continue
        base = _within(readme, str(entry.get("data_dir") or "."))
        splits = {
            split: files
            for split, patterns in _patterns_of(readme, entry.get("data_files")).items()
            if (files := [file for each in patterns for file in _matching(readme, base, each)])
        }
        if "data_files" not in entry:
            splits = _by_split(_data(base))
        if splits:  # of many languages some may not have been fetched
            found.setdefault(config, splits)
    return found


def _configs_of(readme: Path) -> Sequence[Mapping[str, Any]]:
    lines = [line for _, line in text_lines(readme)]
    if not lines or lines[0].strip() != _FRONT or _FRONT not in (x.rstrip() for x in lines[1:]):
        return []
    end = next(n for n, line in enumerate(lines[1:], start=1) if line.rstrip() == _FRONT)
    front = "\n".join(lines[1:end])
    if "configs" not in front:
        return []
    if importlib.util.find_spec("yaml") is None:
        raise MissingExtra("pyyaml", "evaluate")
    import yaml

    try:
        told = yaml.safe_load(front)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise CollectionError(
            f"{readme} cannot be read: {reason}; mend what is between ---"
        ) from None
    configs = told.get("configs") if isinstance(told, dict) else None
    if configs is None:
        return []
    if not isinstance(configs, list) or not all(isinstance(each, dict) for each in configs):
        raise CollectionError(f"{readme}: configs is no list of configurations; mend it")
    return configs


def _patterns_of(readme: Path, files: Any) -> dict[str, list[str]]:
    """Patterns of paths by split: ``data_files`` is a path, some, or such by split."""
    if files is None:
        return {}
    if isinstance(files, str):
        return {"train": [files]}
    if isinstance(files, Mapping):
        files = [{"split": split, "path": path} for split, path in files.items()]
    if isinstance(files, list) and all(isinstance(each, str) for each in files):
        return {"train": list(files)}
    found: dict[str, list[str]] = {}
    for each in files if isinstance(files, list) else [None]:
        if not isinstance(each, Mapping):
            each = {}
        path = each.get("path")
        paths = [path] if isinstance(path, str) else path
        if not isinstance(paths, list) or not all(isinstance(one, str) for one in paths):
            raise CollectionError(f"{readme}: data_files {files!r} name no paths; mend them")
        found.setdefault(str(each.get("split", "train")), []).extend(paths)
    return found


def _within(readme: Path, path: str) -> Path:
    """A path below the dataset's folder. Raises CollectionError for one that leads out of it."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise CollectionError(f"{readme}: path {path!r} leads out of the dataset; mend it")
    return readme.parent / path


def _matching(readme: Path, base: Path, pattern: str) -> list[Path]:
    _within(readme, pattern)
    try:
        found = list(base.glob(pattern))
    except ValueError as error:
        raise CollectionError(f"{readme}: path {pattern!r}: {error}") from None
    return sorted(filter(_is_data, found))


def _laid_out(folder: Path) -> dict[Config, Splits]:
    """What the names of files and folders say."""
    found: dict[Config, dict[str, list[Path]]] = {}
    for file in _data(folder):
        parts = file.relative_to(folder).parts
        if (placed := _placed([*parts[:-1], _stem(file)])) is not None:
            config, split = placed
            found.setdefault(config, {}).setdefault(split, []).append(file)
    return dict(found)


def _placed(parts: Sequence[str]) -> tuple[Config, str] | None:
    """Configuration and split of a file by its path, without the ending."""
    if parts[0] == "data":  # where push_to_hub writes the configuration called default
        parts = ("default", *parts[1:])
    if len(parts) > 2 and parts[0] in _ROLES and parts[2] != "data":  # qrels/de/test.tsv
        return Config(_ROLES[parts[0]], parts[1]), parts[2]
    for depth in (1, 2):
        config = _config_of("-".join(parts[:depth])) if len(parts) >= depth else None
        if config is not None:
            # save_to_disk gives a split a folder, and its files no name
            return config, (parts[depth] if len(parts) > depth else parts[-1])
    return None


def _config_of(name: str) -> Config | None:
    """``corpus``, ``de-corpus``, ``corpus-de``: the language stands before or behind."""
    if name in _ROLES:
        return Config(_ROLES[name], "")
    before, _, last = name.rpartition("-")
    if before and last in _ROLES:
        return Config(_ROLES[last], before)
    first, _, behind = name.partition("-")
    if behind and first in _ROLES:
        return Config(_ROLES[first], behind)
    return None


def _data(folder: Path) -> Iterator[Path]:
    """Files of rows in a folder and not far below, in order; none that is hidden."""
    try:
        for file in sorted(file for depth in _DEPTHS for file in folder.glob(depth)):
            parts = file.relative_to(folder).parts
            if not any(part.startswith(".") for part in parts) and _is_data(file):
                yield file
    except OSError as error:
        raise CollectionError(f"{folder} cannot be read: {error.strerror or error}") from None


def _is_data(file: Path) -> bool:
    return format_by_name(file) is not None and file.name not in _ABOUT and file.is_file()


def _stem(file: Path) -> str:
    """A file's name without its ending and the number of its part: the split."""
    name = file.name.lower().removesuffix(".gz")
    ending = next(each for each in FORMATS if name.endswith(each))
    stem = file.name[: len(name) - len(ending)]
    shard = _SHARD.fullmatch(stem)
    return stem if shard is None else shard["split"]


def _by_split(files: Iterator[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in files:
        found.setdefault(_stem(file), []).append(file)
    return found
