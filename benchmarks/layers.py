"""Layers that a trace alone cannot have: state-space steps and mixtures of experts.

Random models. Mamba's graph runs against transformers' own steps; a mixture of experts as it is
exported, each token by its own experts, against the graph that has every expert read every token.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor
from transformers import MambaConfig, MambaModel, Qwen3MoeConfig, Qwen3MoeModel

from densehook.export import experts
from densehook.export.folder import Settings
from densehook.export.graph import write_graph

from .report import Result, at_least, out, parser, show

VOCABULARY = 1_000
LENGTHS = (512, 4_096)
MOST_TOKENS = 4_096
EXPERTS = (8, 32, 64)
CHOSEN = 4
MIXED_TOKENS = 512

Run = Callable[[], np.ndarray]


def exported(model: Any, folder: Path) -> onnxruntime.InferenceSession:
    """A model's graph, ready to run on the threads that PyTorch has."""
    settings = Settings("last", True, MOST_TOKENS, "dot_product", {"query": "", "document": ""})
    path = folder / "model.onnx"
    write_graph(model, settings, path, model.config.hidden_size)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(str(path), options)


def by_graph(session: onnxruntime.InferenceSession, ids: Tensor) -> Run:
    """Vectors of these token ids by a graph."""
    feed = {"input_ids": ids.numpy(), "attention_mask": np.ones(ids.shape, np.int64)}
    return lambda: np.asarray(session.run(None, feed)[0])


def by_pytorch(model: Any, ids: Tensor) -> Run:
    """The same by the model."""

    def run() -> np.ndarray:
        with torch.inference_mode():
            last = model(input_ids=ids, use_cache=False).last_hidden_state[:, -1]
            return np.asarray(torch.nn.functional.normalize(last, dim=-1))

    return run


def seconds(one: Run, other: Run, repeats: int) -> tuple[float, float, float]:
    """The least of each, in turn, and how far apart the two are in any number."""
    best = [float("inf"), float("inf")]
    apart = float(np.abs(one() - other()).max())
    for _ in range(repeats):
        for place, run in enumerate((one, other)):
            started = time.perf_counter()
            run()
            best[place] = min(best[place], time.perf_counter() - started)
    return best[0], best[1], apart


def state_space(repeats: int) -> list[Result]:
    """Mamba of 4 layers, 384 wide, by its graph and by transformers."""
    config = MambaConfig(hidden_size=384, num_hidden_layers=4, state_size=16, vocab_size=VOCABULARY)
    model = MambaModel(config).eval()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        session = exported(model, Path(folder))
        for length in LENGTHS:
            ids = torch.randint(0, VOCABULARY, (1, length))
            graph, pytorch, apart = seconds(by_graph(session, ids), by_pytorch(model, ids), repeats)
            out.print(
                f"Mamba, {length} tokens: {length / graph:,.0f} tokens/s, transformers"
                f" {length / pytorch:,.0f}, vectors apart {apart:.1e}"
            )
            name = f"Mamba, {length} tokens: the graph, times transformers"
            results.append(at_least(name, pytorch / graph, 1))
    return results


def _every_expert(block: Any, hidden_states: Tensor) -> tuple[Tensor, Tensor]:
    tokens = hidden_states.reshape(-1, hidden_states.shape[-1])
    logits = block.gate(tokens)
    weights, chosen = torch.topk(torch.softmax(logits, dim=1), block.top_k, dim=-1)
    shares = torch.zeros_like(logits).scatter(1, chosen, weights / weights.sum(-1, keepdim=True))
    mixed = torch.stack([expert(tokens) for expert in block.experts], dim=-1)
    return (mixed @ shares.unsqueeze(-1)).reshape(hidden_states.shape), logits


@contextmanager
def every_expert() -> Iterator[None]:
    """Has an export give every token to every expert."""
    routed = experts._routed
    experts._routed = _every_expert
    try:
        yield
    finally:
        experts._routed = routed


def mixtures(repeats: int) -> list[Result]:
    """Qwen3-MoE of 4 layers, 512 wide, experts of 512, by both graphs."""
    results = []
    for count in EXPERTS:
        model = Qwen3MoeModel._from_config(_mixture(count), attn_implementation="eager").eval()
        ids = torch.randint(0, VOCABULARY, (1, MIXED_TOKENS))
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            routed = by_graph(exported(model, Path(one)), ids)
            with every_expert():
                every = by_graph(exported(model, Path(other)), ids)
            own, whole, apart = seconds(routed, every, repeats)
        out.print(
            f"{CHOSEN} of {count} experts: {MIXED_TOKENS / own:,.0f} tokens/s, every expert"
            f" {MIXED_TOKENS / whole:,.0f}, vectors apart {apart:.1e}"
        )
        name = f"{CHOSEN} of {count} experts: routed, times every expert"
        results.append(at_least(name, whole / own, 1))
    return results


def _mixture(count: int) -> Qwen3MoeConfig:
    return Qwen3MoeConfig(
        hidden_size=512,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=64,
        intermediate_size=1_024,
        moe_intermediate_size=512,
        num_experts=count,
        num_experts_per_tok=CHOSEN,
        norm_topk_prob=True,
        vocab_size=VOCABULARY,
    )


PARTS: Mapping[str, Callable[[int], list[Result]]] = {
    "state-space": state_space,
    "experts": mixtures,
}


def main() -> int:
    """Measures what was asked for; the exit status, 1 when a bar is missed."""
    options = parser(__doc__ or "")
    options.add_argument("--only", choices=PARTS)
    options.add_argument("--repeats", type=int, default=3, help="of each run (default 3)")
    asked = options.parse_args()
    torch.manual_seed(0)
    results: list[Result] = []
    for name, part in PARTS.items():
        results += part(asked.repeats) if asked.only in (None, name) else []
    return show("Layers", results, asked.json)


if __name__ == "__main__":
    raise SystemExit(main())
