"""Every variant by name, with the steps that make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .fusing import fuse, fuse_approximately
from .graphs import Step
from .halving import halve
from .quantising import quantise_dynamically, quantise_statically, quantise_to_int4
from .unpadding import drop_padding

PLAIN = "fp32"


@dataclass(frozen=True)
class Variant:
    """A precision and the steps from the plain graph to it.

    ``providers`` are the execution providers it is meant for; others can run it, slowly.
    ``batch_dependent`` is known of the scheme; the gate measures it beside that.
    """

    precision: str
    steps: tuple[Step, ...]
    providers: tuple[str, ...] = ("cpu", "cuda", "openvino")
    batch_dependent: bool = False

    @property
    def image_steps(self) -> tuple[Step, ...]:
        """The same of a graph of images, each of which runs by itself and has no padding."""
        return tuple(step for step in self.steps if step is not drop_padding)


_CPU = ("cpu",)

VARIANTS: Mapping[str, Variant] = {
    PLAIN: Variant("fp32", ()),
    "fp32-fused": Variant("fp32", (fuse,), ("cpu", "cuda")),
    "fp32-nopad": Variant("fp32", (fuse, drop_padding), ("cpu", "cuda")),
    "fp16": Variant("fp16", (fuse, halve), ("cuda",)),
    "int8-dynamic": Variant(
        "int8", (fuse_approximately, quantise_dynamically), _CPU, batch_dependent=True
    ),
    "int8-static": Variant("int8", (fuse_approximately, quantise_statically), _CPU),
    "int8-static-nopad": Variant(
        "int8", (fuse_approximately, drop_padding, quantise_statically), _CPU
    ),
    "int4": Variant("int4", (fuse_approximately, quantise_to_int4), ("cpu", "cuda")),
}
