"""What can be made of a plain fp32 bundle: fused, unpadded, quantised; each a bundle of its own.

Works on the ONNX graph alone, without PyTorch, and measures what comes out against the plain one.
"""

from .building import build_variant, calibrating
from .registry import VARIANTS, Variant

__all__ = ["VARIANTS", "Variant", "build_variant", "calibrating"]
