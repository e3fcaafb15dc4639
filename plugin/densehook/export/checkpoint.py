"""A folder's weight files, read as they are: names and tensors, with no model's code between.

The only reader of weights here, beside transformers' own: of a transformer and of the modules that
sentence-transformers puts behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from ..errors import ExportError

# in the order in which transformers looks for them
_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


class Checkpoint:
    """The tensors of a model folder by the names they have there, read one file at a time.

    Raises ExportError where the folder has no weights, or its index names files, or tensors in
    them, that are not there.
    """

    def __init__(self, folder: Path) -> None:
        found = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
        if found is None:
            raise ExportError(f"{folder} has no weights: none of {', '.join(_WEIGHTS)} is there")
        self.path = found
        """The file that was found, be it the index of others."""
        if found.suffix == ".json":
            self._files = _indexed(found)
            self._require_tensors()
        else:
            with _Opened(found) as tensors:
                self._files = dict.fromkeys(tensors.names(), found)

    @property
    def names(self) -> frozenset[str]:
        """The names of all tensors."""
        return frozenset(self._files)

    def _require_tensors(self) -> None:
        for file in sorted(set(self._files.values())):
            with _Opened(file) as tensors:
                there = set(tensors.names())
            lacking = [n for n, part in self._files.items() if part == file and n not in there]
            if lacking:
                raise ExportError(f"{file} has no tensor {lacking[0]}, which its index says it has")

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Pairs of name and tensor, in the order of the files; one is in memory at a time."""
        by_file: dict[Path, list[str]] = {}
        for name in names:
            by_file.setdefault(self._files[name], []).append(name)
        for file, inside in by_file.items():
            with _Opened(file) as tensors:
                for name in inside:
                    yield name, tensors.get(name)

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor of floating-point numbers, by name."""
        shapes: dict[str, tuple[int, ...]] = {}
        for file in sorted(set(self._files.values())):
            with _Opened(file) as tensors:
                shapes.update(tensors.shapes())
        return shapes

    def is_float(self, name: str) -> bool:
        """Whether there is a tensor of that name with floating-point numbers."""
        return name in self.shapes


def tensors_of(file: Path) -> Mapping[str, Tensor]:
    """The tensors of one weight file by name. Raises ExportError where it cannot be read."""
    with _Opened(file) as tensors:
        return {name: tensors.get(name) for name in tensors.names()}


class _Opened:
    """One weight file, safetensors or PyTorch's own, with what reading it costs put off."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> _Opened:
        try:
            if self._path.suffix == ".safetensors":
                opened: Any = safe_open(self._path, framework="pt")
                self._file = opened.__enter__()
                self._tensors: Mapping[str, Tensor] | None = None
            else:
                self._tensors = _unpickled(self._path)
        except Exception as error:  # those of safetensors and of pickle share no root
            reason = str(error).strip().partition("\n")[0]
            raise ExportError(f"{self._path} cannot be read: {reason}") from error
        return self

    def __exit__(self, *raised: object) -> None:
        if self._tensors is None:
            self._file.__exit__(*raised)

    def names(self) -> Iterable[str]:
        return list(self._file.keys()) if self._tensors is None else list(self._tensors)

    def get(self, name: str) -> Tensor:
        return self._file.get_tensor(name) if self._tensors is None else self._tensors[name]

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        if self._tensors is not None:
            return {
                name: tuple(each.shape)
                for name, each in self._tensors.items()
                if each.is_floating_point()
            }
        slices = ((name, self._file.get_slice(name)) for name in self._file.keys())  # noqa: SIM118
        return {
            name: tuple(each.get_shape())
            for name, each in slices
            if each.get_dtype().startswith(("F", "BF"))
        }


def _unpickled(path: Path) -> Mapping[str, Tensor]:
    # never more than tensors is unpickled; files of PyTorch before 1.6 cannot be mapped
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError:
        content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        raise ValueError("it holds no tensors by name")
    return {name: each for name, each in content.items() if isinstance(each, Tensor)}


def _indexed(index: Path) -> dict[str, Path]:
    try:
        files = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        parts = {str(name): index.parent / Path(file).name for name, file in files.items()}
        strangers = [file for file in files.values() if Path(file).name != file]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ExportError(f"{index} is not an index of weight files: {error!r}") from None
    if strangers:
        raise ExportError(f"{index} names {strangers[0]!r}, which is no file beside it")
    missing = sorted({part.name for part in parts.values() if not part.is_file()})
    if missing:
        raise ExportError(f"{index.parent} has not all of its weights: {missing[0]} is missing")
    return parts
