"""The model itself; the only module that imports onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..bundle import Manifest
from ..errors import BundleError
from .machine import usable_cpus

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]
Vector = NDArray[np.float32]

# What each graph input is, made from ids and mask, both int64 [batch, tokens].
_INPUTS: Mapping[str, Callable[[Ids, Ids], Ids]] = {
    "input_ids": lambda ids, mask: ids,
    "attention_mask": lambda ids, mask: mask,
    "token_type_ids": lambda ids, mask: np.zeros_like(ids),
}


class Session:
    """One ONNX graph on the CPU, on the given number of threads (default: the process's CPUs).

    Threads that spin look for work for a while before they sleep: a run is a little faster, and
    whoever shares the cores has less of them.
    """

    def __init__(
        self,
        model: Path,
        manifest: Manifest,
        threads: int | None = None,
        *,
        spinning: bool = True,
    ) -> None:
        unknown = sorted(set(manifest.inputs) - set(_INPUTS))
        if unknown:
            raise BundleError(f"{model}: graph inputs {unknown} are not known to this densehook")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_cpus()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own errors share no root but this
            raise BundleError(f"{model} cannot be run: {_first_line(error)}") from None
        self._inputs = {name: _INPUTS[name] for name in manifest.inputs}
        self._output = manifest.output

    def run(self, ids: Ids, mask: Ids) -> Vectors:
        """int64 [batch, tokens] ids and mask -> float32 [batch, dims]."""
        feed = {name: make(ids, mask) for name, make in self._inputs.items()}
        (vectors,) = self._session.run([self._output], feed)
        return np.asarray(vectors, dtype=np.float32)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
