"""The model itself; the only module that imports onnxruntime."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import EPFail

from ..bundle import NUMBERS_INPUT
from ..bundle.kinds.image_text import IMAGE_INPUT
from ..errors import BundleError, EncodeError, ProviderError
from ..machine import usable_cpus

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]
Vector = NDArray[np.float32]
Rows = NDArray[Any]
"""What a graph gives, [batch, …]."""


class Batch(NamedTuple):
    """Texts that run together, each value int64 [batch, tokens].

    ``mask`` is 1 for a token and 0 for padding, ``pooled``, int64 [batch, spans, tokens], for a
    token that a vector is pooled of and for one that it is not: one for each part of a text, or for
    the whole. ``types`` are those of the tokens, 0 for padding. ``kept`` is 1 for a token that has
    a vector, where each has its own.
    """

    ids: Ids
    mask: Ids
    pooled: Ids
    types: Ids
    kept: Ids


_INPUTS: Mapping[str, Callable[[Batch], NDArray[Any]]] = {
    "input_ids": lambda batch: batch.ids,
    "attention_mask": lambda batch: batch.mask,
    "token_type_ids": lambda batch: batch.types,
    "pooling_mask": lambda batch: batch.pooled[:, 0],
    "span_mask": lambda batch: batch.pooled,
    "token_mask": lambda batch: batch.kept,
    NUMBERS_INPUT: lambda batch: batch.ids.astype(np.uint32).view(np.float32),
}
"""What each graph input is."""

_PROVIDERS: Mapping[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
_PACKAGES = {"cuda": "onnxruntime-gpu", "openvino": "onnxruntime-openvino"}

# onnxruntime 1.32 on a CPU takes 0.99 ms for its fused SkipLayerNormalization of 512 x 384 numbers,
# and 0.13 ms for the Add and the LayerNormalization it is made of
SLOWER_FUSED = "SkipLayerNormFusion"


class Runnable(Protocol):
    """What there is to know of a graph to run it."""

    @property
    def inputs(self) -> Sequence[str]:
        """The names of its inputs, in their order."""

    @property
    def output(self) -> str:
        """The name of its output."""

    @property
    def precision(self) -> str:
        """In what numbers it is computed."""


class Session:
    """One ONNX graph on one execution provider, on so many threads (default: the process's CPUs).

    Threads that spin look for work for a while before they sleep: a run is a little faster, and
    whoever shares the cores has less of them.
    """

    def __init__(
        self,
        model: Path,
        graph: Runnable,
        threads: int | None = None,
        *,
        provider: str = "cpu",
        spinning: bool = True,
    ) -> None:
        wanted = _available(provider)
        if provider != "cpu" and graph.precision == "int8":
            raise ProviderError(
                f"{model} is in int8, whose products have a kernel on the CPU alone; choose"
                f" provider 'cpu', or for {provider!r} a bundle in fp32 or fp16"
            )
        unknown = sorted(set(graph.inputs) - set(_INPUTS))
        if unknown:
            raise BundleError(f"{model}: graph inputs {unknown} are not known to this densehook")
        self._session = _opened(model, _options(threads or usable_cpus(), spinning), wanted)
        if self._session.get_providers()[0] != wanted:  # onnxruntime itself only logs it
            raise ProviderError(
                f"provider {provider!r} did not start, onnxruntime fell back to the CPU; its log"
                " says why; set that right, or choose provider 'cpu'"
            )
        self._inputs = {name: _INPUTS[name] for name in graph.inputs}
        self._output = graph.output

    def giving(self, output: str) -> Session:
        """The same graph, of which ``run`` gives another output."""
        other = copy.copy(self)
        other._output = output
        return other

    def run(self, batch: Batch) -> Rows:
        """A batch -> the graph's output; else as ``run_each``."""
        (output,) = self.run_each(batch, [self._output])
        return output

    def run_each(self, batch: Batch, outputs: Sequence[str]) -> Sequence[Rows]:
        """A batch -> so many of the graph's outputs, and nothing is computed for others.

        Raises EncodeError when the model cannot run them, ProviderError when the provider fails.
        """
        feed = {name: make(batch) for name, make in self._inputs.items()}
        return _ran(self._session, outputs, feed)

    def values(
        self, names: Sequence[str], ids: Ids, types: Sequence[int] = ()
    ) -> Sequence[Vectors]:
        """The named outputs of a graph that has more than its own; ids are without padding."""
        every = np.ones_like(ids)
        typed = np.array([types], dtype=np.int64) if types else np.zeros_like(ids)
        feed = {
            name: make(Batch(ids, every, every[:, None], typed, every))
            for name, make in self._inputs.items()
        }
        return list(self._session.run(list(names), feed))


class ImageSession:
    """The graph of images, on the CPU; else as ``Session``."""

    def __init__(self, model: Path, threads: int, *, spinning: bool = True) -> None:
        self._session = _opened(model, _options(threads, spinning), _PROVIDERS["cpu"])

    def run_each(self, pixels: NDArray[np.uint8], outputs: Sequence[str]) -> Sequence[Rows]:
        """An image, uint8 [height, width, 3] -> so many outputs, each as for a batch of one.

        Raises as ``Session.run_each``.
        """
        return _ran(self._session, outputs, {IMAGE_INPUT: pixels})


def available_providers() -> list[str]:
    """The execution providers that this onnxruntime has, of those known here."""
    return [name for name, full in _PROVIDERS.items() if full in _installed()]


def _available(provider: str) -> str:
    """The provider's name in onnxruntime; raises ProviderError when it is not to be had."""
    there = available_providers()
    if provider in there:
        return _PROVIDERS[provider]
    if provider in _PACKAGES:
        hint = f"; for {provider!r} install {_PACKAGES[provider]} in place of onnxruntime"
    else:
        hint = ""
    raise ProviderError(
        f"this onnxruntime has no provider {provider!r}, only {', '.join(there)}{hint}"
    )


def _options(threads: int, spinning: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    options.add_session_config_entry("optimization.disable_specified_optimizers", SLOWER_FUSED)
    return options


def _opened(
    model: Path, options: onnxruntime.SessionOptions, provider: str
) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(
            str(model), options, providers=[provider], enable_fallback=0
        )
    except Exception as error:  # onnxruntime's own errors share no root but this
        raise BundleError(f"{model} cannot be run: {_first_line(error)}") from None


def _ran(
    session: onnxruntime.InferenceSession, outputs: Sequence[str], feed: Mapping[str, Any]
) -> Sequence[Rows]:
    try:
        given = session.run(list(outputs), feed)
    except EPFail as error:
        raise ProviderError(f"the execution provider failed: {_first_line(error)}") from error
    except Exception as error:  # a token id the graph has no row for, say, or no more memory
        raise EncodeError(f"the model cannot run it: {_first_line(error)}") from error
    return [np.asarray(output) for output in given]


def _installed() -> Sequence[str]:
    return list(onnxruntime.get_available_providers())


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
