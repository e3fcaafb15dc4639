"""Loading a model's weights, and proof that they are those of the checkpoint.

transformers fills what a checkpoint lacks with random numbers and goes on. Here each weight that
the vector depends on must come from the checkpoint, and is compared with what its file says, read
a second time without transformers: a fault of the loader cannot certify itself.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch import Tensor
from transformers import AutoModel

from ..bundle.stated import shown
from ..errors import ExportError
from .checkpoint import Checkpoint
from .experts import traceable_experts
from .modules_json import read_json

# written out, so that the graph traced from it is one whose attention optimizers can recognise
_ATTENTION = "eager"
PROBE_TOKENS = 8
_SHOWN = 3
# where a model names code of its own, by file, for what is loaded here
_CODE = {
    "config.json": ("AutoConfig", "AutoModel"),
    "tokenizer_config.json": ("AutoTokenizer",),
}
# where a quantiser says that it was at work, by file and key; None for the whole file
_QUANTISED: Sequence[tuple[str, str | None]] = (
    ("config.json", "quantization_config"),
    ("config.json", "compression_config"),
    ("quantize_config.json", None),
    ("quant_config.json", None),
)
# names that transformers has given up, by those it has now
_OLD_ENDINGS = {"weight": "gamma", "bias": "beta"}


class Loaded(NamedTuple):
    """A model whose vectors depend on nothing but its checkpoint and its code.

    ``sums`` has the SHA-256 of everything that it computes a vector with, by name. ``absent`` are
    weights that the checkpoint lacks: random, and of no use to the vector.
    """

    model: Any
    sums: Mapping[str, str]
    absent: frozenset[str]


def require_plain_model(folder: Path) -> None:
    """Raises ExportError for what is no model whose files alone say what it computes.

    That is a folder without a config.json, and a model with Python code of its own, with an adapter
    not merged into its weights, or with weights in the numbers of some quantiser.
    """
    for file, kinds in _CODE.items():
        code = _stated(folder / file).get("auto_map")
        named = [code.get(kind) for kind in kinds] if isinstance(code, dict) else [code]
        if any(named):
            raise ExportError(
                f"{folder / file}: the model runs by code of its own (auto_map:"
                f" {next(filter(None, named))}), which densehook does not run; if transformers has"
                " the same architecture, take auto_map out of a copy of the folder"
            )
    if (folder / "adapter_config.json").is_file():
        raise ExportError(
            f"{folder} has an adapter (adapter_config.json) that is not part of its weights;"
            " merge it into them first, with peft's merge_and_unload"
        )
    if not (folder / "config.json").is_file():
        raise ExportError(
            f"{folder} is no model: it has no config.json; name the folder that holds a model's"
            " config.json, weights and tokenizer"
        )
    for file, key in _QUANTISED:
        content = _stated(folder / file)
        if quantised := content if key is None else content.get(key):
            method = quantised.get("quant_method") if isinstance(quantised, dict) else None
            raise ExportError(
                f"{folder / file}: the weights are quantised ({method or shown(quantised)}); take"
                " the model that they were made of"
            )


def load_weights(
    folder: Path,
    config: Any,
    cut: bool = False,
    model_class: Any = AutoModel,
    probe: Callable[[Any], Tensor] | None = None,
) -> Loaded:
    """The folder's model in fp32, every weight that its output depends on checked.

    With ``cut`` the configuration has fewer layers than the checkpoint on purpose. ``probe`` runs
    the model, by default on a few tokens: what its output depends on is needed. Raises
    ExportError, with names, where a weight is missing from the checkpoint, has another shape or
    other numbers there, or where the checkpoint has more than the architecture would use.
    """
    checkpoint = Checkpoint(folder)
    with _quiet():
        model, said = model_class.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            attn_implementation=_ATTENTION,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # refused below, with their names, where they matter
            output_loading_info=True,
        )
    model = model.eval()
    needed = _needed(model, probe or _of_a_few_tokens)
    missing = frozenset(map(str, said["missing_keys"]))
    _require_all(folder, needed, missing, checkpoint)
    _require_no_more(folder, model, needed, sorted(said["unexpected_keys"]), checkpoint, cut)
    _compare(folder, model, needed, checkpoint)
    computed_with = {**needed, **dict(model.named_buffers())}
    sums = {name: _sum(each) for name, each in computed_with.items() if name not in missing}
    return Loaded(model, sums, missing)


def require_same(folder: Path, first: Mapping[str, str], second: Mapping[str, str]) -> None:
    """Raises ExportError when two loads of one folder do not compute with the same numbers."""
    changed = sorted(name for name in first.keys() | second if first.get(name) != second.get(name))
    if changed:
        raise ExportError(
            f"{folder} was read twice, with different numbers in {_shown(changed)}: no two exports"
            " of it would give the same vectors"
        )


def _of_a_few_tokens(model: Any) -> Tensor:
    rows = model.get_input_embeddings().num_embeddings
    ids = torch.linspace(0, rows - 1, min(rows, PROBE_TOKENS)).long()[None]
    output: Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids))[0]
    return output


def _needed(model: Any, probe: Callable[[Any], Tensor]) -> dict[str, Tensor]:
    """The weights that the model's output depends on, by name, floating-point buffers included.

    Found by walking back from the probe's output through the graph that autograd keeps.
    """
    buffers = [each for each in model.buffers() if each.is_floating_point()]
    with torch.enable_grad(), traceable_experts():  # also of experts that these tokens do not need
        try:
            for each in (*model.parameters(), *buffers):
                each.requires_grad_(True)
            output = probe(model)
        finally:
            for each in buffers:
                each.requires_grad_(False)
    found: set[int] = set()
    seen: set[Any] = set()
    ahead = [output.grad_fn]
    while ahead:
        step = ahead.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        if (leaf := getattr(step, "variable", None)) is not None:
            found.add(id(leaf))
        ahead.extend(before for before, _ in step.next_functions)
    persistent = model.state_dict(keep_vars=True)
    return {name: each for name, each in persistent.items() if id(each) in found}


def _require_all(
    folder: Path, needed: Mapping[str, Tensor], missing: frozenset[str], checkpoint: Checkpoint
) -> None:
    lacking = sorted(needed.keys() & missing)
    if lacking:
        raise ExportError(
            f"{folder}: the vector depends on {len(needed)} weights, and {len(lacking)} of them are"
            f" not in the checkpoint: {_shown(lacking)}; it has {_shown(sorted(checkpoint.names))}:"
            " its names or its architecture are not those of config.json"
        )


def _require_no_more(
    folder: Path,
    model: Any,
    needed: Mapping[str, Tensor],
    unexpected: Sequence[str],
    checkpoint: Checkpoint,
    cut: bool,
) -> None:
    """What stands beside the encoder, heads and the like, is left out; what is inside may not."""
    layers: list[str] = []
    strangers: list[str] = []
    prefix = f"{model.base_model_prefix}."
    base = getattr(model, model.base_model_prefix, model)  # the encoder, where a head is loaded too
    for name in unexpected:
        if not checkpoint.is_float(name) and not checkpoint.is_float(prefix + name):
            continue  # a table of places, which every model makes itself
        module, inside = _innermost(base, name.removeprefix(prefix))
        if base is not model:
            inside = prefix + inside
        if module is base or not any(each.startswith(f"{inside}.") for each in needed):
            continue
        (layers if isinstance(module, torch.nn.ModuleList) else strangers).append(name)
    if strangers:
        raise ExportError(
            f"{folder}: the checkpoint has weights inside the encoder that"
            f" {type(model).__name__} does not compute with: {_shown(strangers)}; it is of another"
            " architecture than config.json says"
        )
    if layers and not cut:
        raise ExportError(
            f"{folder}: the checkpoint has layers that config.json does not speak of:"
            f" {_shown(layers)}; to leave them out on purpose write"
            f" layers = {model.config.num_hidden_layers} into the recipe"
        )


def _innermost(model: Any, name: str) -> tuple[Any, str]:
    """The module that the weight of this name would lie in, as far as there is one."""
    module, path = model, list[str]()
    for part in name.split("."):
        child = dict(module.named_children()).get(part)
        if child is None:
            break
        module = child
        path.append(part)
    return module, ".".join(path)


def _compare(
    folder: Path, model: Any, needed: Mapping[str, Tensor], checkpoint: Checkpoint
) -> None:
    """Compares each weight with what its file says, to the bit; the file may have fewer bits."""
    origins: dict[str, list[str]] = {}
    unknown: list[str] = []
    aliases: dict[int, list[str]] = {}
    for name, each in model.state_dict(keep_vars=True).items():
        aliases.setdefault(id(each), []).append(name)
    for name, each in needed.items():
        origin = _origin(aliases[id(each)], checkpoint.names, str(model.base_model_prefix))
        if origin is None:
            unknown.append(name)
        else:
            origins.setdefault(origin, []).append(name)
    different = [
        name
        for origin, stated in checkpoint.read(origins)
        for name in origins[origin]
        if not _equal(stated, needed[name])
    ]
    if unknown:  # under a name that transformers has changed
        shapes = {tuple(needed[name].shape) for name in unknown}
        candidates = [name for name, shape in checkpoint.shapes.items() if shape in shapes]
        for _, stated in checkpoint.read(candidates):
            unknown = [name for name in unknown if not _equal(stated, needed[name])]
    if wrong := sorted(different + unknown):
        raise ExportError(
            f"{folder}: transformers {transformers.__version__} made other numbers of the"
            f" checkpoint than its files hold, in {_shown(wrong)}"
        )


def _origin(names: Sequence[str], there: frozenset[str], prefix: str) -> str | None:
    """What a weight of these names is called in the checkpoint; None where that is not plain."""
    for name in names:
        stem, dot, ending = name.rpartition(".")
        for own in (name, stem + dot + _OLD_ENDINGS.get(ending, ending)):
            for tried in (own, f"{prefix}.{own}", own.removeprefix(f"{prefix}.")):
                if tried in there:
                    return tried
    return None


def _equal(stated: Tensor, loaded: Tensor) -> bool:
    if stated.shape != loaded.shape:
        return False
    return torch.allclose(stated.to(loaded.dtype), loaded, rtol=0, atol=0, equal_nan=True)


def _sum(tensor: Tensor) -> str:
    numbers: Any = tensor.detach().contiguous().flatten().view(torch.uint8).numpy()
    return hashlib.sha256(numbers).hexdigest()


def _stated(path: Path) -> Mapping[str, Any]:
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers from listing weights: what they mean is said here."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)
