"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..chunk import WAYS, ChunkRule
from ..files import text_lines
from ..hooks import INDEX_TYPES, Modality

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="DENSEHOOK_ES_URL",
        help="Cluster to use instead of the local node, e.g. https://search.example:9200.",
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="DENSEHOOK_ES_API_KEY", help="API key for that cluster."),
]
CaCerts = Annotated[
    Path | None,
    typer.Option(
        "--ca-certs", envvar="DENSEHOOK_ES_CA_CERTS", help="CA certificate of that cluster."
    ),
]
BundlePath = Annotated[
    Path | None,
    typer.Option(
        "--encoder",
        help="Bundle of the encoder, its folder or name; by default the one the index names.",
    ),
]
Instruction = Annotated[
    str | None,
    typer.Option(
        "--instruction",
        help="What the encoder is told to do with the query, in the place of its own prompt; where"
        " its recipe has instructions.",
    ),
]
RerankChunks = Annotated[
    int | None,
    typer.Option(
        "--rerank-chunks",
        min=1,
        help="Score a text by the best of its first so many chunks, with --rerank.",
    ),
]
VectorFieldName = Annotated[
    str | None,
    typer.Option("--field", help="Vector field; may be left out where the index has one."),
]
IdField = Annotated[
    str | None,
    typer.Option("--id", help="Field with the ids; by default _id, id or docid, the first there."),
]
MakeIds = Annotated[
    bool,
    typer.Option("--make-ids", help="A document without an id gets one made of its content."),
]
InCluster = Annotated[
    bool | None,
    typer.Option(
        "--in-cluster/--not-in-cluster",
        help="Whether the cluster's densehook plugin makes the vectors; by default where it has"
        " this encoder.",
        show_default=False,
    ),
]
ImageInput = Annotated[
    str | None,
    typer.Option(
        "--image",
        help="Instead of --input: the field whose images are encoded, in base64 or as data URLs.",
    ),
]
NumbersInput = Annotated[
    str | None,
    typer.Option(
        "--numbers", help="Instead of --input: the field whose lists of numbers are encoded."
    ),
]
ChunkBy = Annotated[
    str | None,
    typer.Option(
        "--chunk", help=f"Cut texts, and make a vector for each chunk: by {', '.join(WAYS)}."
    ),
]
ChunkTokens = Annotated[
    int, typer.Option("--chunk-tokens", help="Most tokens of a chunk, as the model reads it.")
]
ChunkOverlap = Annotated[
    int, typer.Option("--chunk-overlap", help="Most tokens that a chunk has of the one before.")
]
ChunkPrefix = Annotated[
    str,
    typer.Option("--chunk-prefix", help="Fields whose text is put before each chunk, as title is."),
]
ChunkLimit = Annotated[
    int, typer.Option("--chunk-limit", help="Most chunks of a document; more are refused.")
]
ChunkBeyond = Annotated[
    str,
    typer.Option(
        "--chunk-beyond", help="What becomes of a document of more: refuse, or cut it there."
    ),
]
Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        help="Put the inputs together so, instead of joining them: '{title}: {text}'.",
    ),
]
PromptField = Annotated[
    str | None,
    typer.Option("--prompt-field", help="Field of a document that chooses its prompt, as lang."),
]
Prompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        help="Prompt for a value of that field, as 'de=Dokument: '; may be given several times.",
    ),
]
PromptElse = Annotated[
    str | None,
    typer.Option(
        "--prompt-else",
        help="Prompt for its other values, and for documents without one; by default the encoder's"
        " own.",
    ),
]
JudgedBy = Annotated[
    str | None,
    typer.Option(
        "--collection",
        help="Judged collection that both indices are measured on: BEIR folder, or a name of"
        " ir_datasets.",
    ),
]
MaxLoss = Annotated[
    float, typer.Option("--max-loss", help="Most nDCG@10 that dense search may lose.")
]
Unmeasured = Annotated[
    bool, typer.Option("--unmeasured", help="Move without a collection, whatever is lost.")
]
RemoveIndex = Annotated[
    bool,
    typer.Option(
        "--remove-index", help="The name is an index's: remove it when the new one has its name."
    ),
]
IndexType = Annotated[
    str | None,
    typer.Option(
        "--index-type",
        help=f"One of {', '.join(INDEX_TYPES)}; the first of its kind by default.",
    ),
]
Texts = Annotated[
    bool,
    typer.Option(
        "--texts",
        help="Read every document, for those whose text is another than their vector's.",
    ),
]
Pace = Annotated[
    float | None,
    typer.Option(
        "--requests-per-second", help="Write at most so many documents a second; else all it can."
    ),
]
Rename = Annotated[
    list[str] | None,
    typer.Option("--rename", help="Name for a field, as body=text; may be given several times."),
]
Failures = Annotated[
    Path | None,
    typer.Option("--failures", help="JSONL file for what could not be indexed, whole, and why."),
]
CollectionName = Annotated[
    str | None,
    typer.Option(
        "--collection",
        help="Judged collection: BEIR folder, or a name of ir_datasets; else Python's help topics.",
    ),
]
Documents = Annotated[
    int,
    typer.Option(
        "--documents", min=1, help="At most so many of its documents; the judged ones always."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def renames(given: Sequence[str] | None) -> Mapping[str, str]:
    """Old names to new ones, of OLD=NEW. Raises BadParameter for what is not that."""
    made = _pairs("--rename", given, "OLD=NEW", "is renamed twice")
    for old, new in made.items():
        if not new:
            raise typer.BadParameter(f"{f'{old}='!r}; give OLD=NEW", param_hint="--rename")
    return made


def _pairs(option: str, given: Sequence[str] | None, form: str, twice: str) -> dict[str, str]:
    """What is before the first = of each, and behind it; nothing is ``twice`` before one."""
    made: dict[str, str] = {}
    for text in given or ():
        name, equals, rest = text.partition("=")
        if not (name and equals) or name in made:
            said = f"{name!r} {twice}" if name in made else f"{text!r}; give {form}"
            raise typer.BadParameter(said, param_hint=option)
        made[name] = rest
    return made


def held_input(image: str | None, numbers: str | None) -> tuple[str | None, Modality]:
    """The field that holds no text, where one is named, and what fields hold."""
    if image is not None and numbers is not None:
        raise typer.BadParameter("give one of them", param_hint="--image, --numbers")
    return image or numbers, "image" if image else "numbers" if numbers else "text"


def chunk_rule(
    by: str | None, tokens: int, overlap: int, limit: int, beyond: str, prefix: str
) -> ChunkRule | None:
    """The rule that options of chunks state; None without --chunk. Raises RequestError."""
    if by is None:
        return None
    return ChunkRule(by, tokens, overlap, limit, beyond, tuple(names(prefix)))


def prompt_rule(
    field: str | None, prompts: Sequence[str] | None, default: str | None
) -> Mapping[str, Any] | None:
    """What chooses a document's prompt; None without --prompt-field. Raises BadParameter."""
    if field is None:
        if prompts or default is not None:
            raise typer.BadParameter(
                "say which field chooses the prompt", param_hint="--prompt-field"
            )
        return None
    made = _pairs("--prompt", prompts, "VALUE=PROMPT", "has two prompts")
    if not made:
        raise typer.BadParameter(
            f"give a prompt for each value of {field!r}, as VALUE=PROMPT", param_hint="--prompt"
        )
    return {"field": field, "prompts": made, **({} if default is None else {"default": default})}


def numbers(option: str, text: str) -> list[int]:
    """Whole numbers separated by commas. Raises BadParameter naming the option and the text."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}; give whole numbers, as 64,128", param_hint=option
        ) from None


def factors(option: str, text: str) -> list[float]:
    """Numbers separated by commas. Raises BadParameter naming the option and the text."""
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise typer.BadParameter(f"{text!r}; give numbers, as 0,3", param_hint=option) from None


def names(text: str) -> list[str]:
    """Names separated by commas, without blanks around them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def read_lines(path: Path) -> list[str]:
    """A file's lines that are not blank. Raises CollectionError when it cannot be read."""
    return [line for _, line in text_lines(path)]
