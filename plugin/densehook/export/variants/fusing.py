"""Subgraphs that onnxruntime has one kernel for, put together by onnxruntime's own optimizer."""

from __future__ import annotations

import contextlib
import io
import logging
from typing import Any

from .graphs import Model, RangesOf, use_microsoft_operators


def fuse(model: Model, ranges_of: RangesOf) -> Model:
    """Attention, GELU with its bias, layer normalisation; the same numbers within fp32's rounding.

    What the optimizer does not recognise stays as it is.
    """
    return _optimised(model, approximate_gelu=False)


def fuse_approximately(model: Model, ranges_of: RangesOf) -> Model:
    """As ``fuse``, with GELU by its tanh formula (Hendrycks and Gimpel 2016).

    For graphs that are quantised afterwards: the difference is less than a step of eight bits.
    """
    return _optimised(model, approximate_gelu=True)


def _optimised(model: Model, approximate_gelu: bool) -> Model:
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    options: Any = FusionOptions("bert")
    options.use_multi_head_attention = True  # takes unpacked weights, which quantising needs
    options.enable_gelu_approximation = approximate_gelu
    # both are slower on a CPU than the operators they replace
    options.enable_skip_layer_norm = options.enable_bias_skip_layer_norm = False
    options.enable_embed_layer_norm = False  # wants int32 inputs and a mask
    with _quiet():
        optimised = optimize_model(
            model, model_type="bert", optimization_options=options, opt_level=0
        )
    use_microsoft_operators(optimised.model)
    return optimised.model


@contextlib.contextmanager
def _quiet() -> Any:
    """Keeps the optimizer's remarks on what it did not recognise off the user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
