"""Which files are meant: a graph, its tokenizer, and the folder that tells of both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import ExportError

_TOKENIZER = "tokenizer.json"
_USUAL = ("model.onnx", "onnx/model.onnx")


@dataclass(frozen=True)
class Files:
    """``folder`` is the model's own, with its configuration; None where there is none."""

    model: Path
    stated_tokenizer: Path | None
    folder: Path | None

    @property
    def tokenizer(self) -> Path:
        """Its tokenizer.json; raises ExportError where there is none."""
        found = self.stated_tokenizer or self.model.parent / _TOKENIZER
        if not found.is_file():
            raise ExportError(
                f"{found} is missing: a graph is fed with token ids; name its tokenizer.json with"
                " --tokenizer"
            )
        return found


def find_files(named: Path, *, file: str | None = None, tokenizer: Path | None = None) -> Files:
    """A graph by its path, or in a folder as hubs have it: beside the configuration, or in onnx/.

    ``file`` says which, relative to the folder. Raises ExportError where there is none or are
    several.
    """
    if named.is_file():
        if file is not None:
            raise ExportError(f"{named} is a file; name its folder to choose {file} in it")
        model = named
        folder = next((each for each in (named.parent, named.parent.parent) if _tells(each)), None)
    elif named.is_dir():
        model, folder = _model_in(named, file), named
    else:
        raise ExportError(f"{named} is neither a folder nor an ONNX file; check the path")
    places = [model.parent, *([] if folder is None else [folder]), model.parent.parent]
    found = tokenizer or next(
        (place / _TOKENIZER for place in places if (place / _TOKENIZER).is_file()), None
    )
    return Files(model, found, folder)


def _tells(folder: Path) -> bool:
    return (folder / "config.json").is_file() or (folder / "modules.json").is_file()


def _model_in(folder: Path, file: str | None) -> Path:
    if file is not None:
        if not (folder / file).is_file():
            raise ExportError(f"{folder / file} is missing; {_there(folder)}")
        return folder / file
    for usual in _USUAL:
        if (folder / usual).is_file():
            return folder / usual
    found = _graphs(folder)
    if len(found) != 1:
        raise ExportError(f"{folder} has no {' or '.join(_USUAL)}; {_there(folder)}")
    return found[0]


def _graphs(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])


def _there(folder: Path) -> str:
    names = [str(each.relative_to(folder)) for each in _graphs(folder)]
    return f"there are {', '.join(names)}: choose one with --file" if names else "it has no graph"
