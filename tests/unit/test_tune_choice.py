"""Which variant is chosen."""

from __future__ import annotations

from dataclasses import replace

from densehook.tune.choice import Measured, choose, objection
from densehook.tune.speed import Setting

ROW = Measured(
    variant="fp32",
    precision="fp32",
    fingerprint="sha256:0",
    setting=Setting("cpu", 1024, 1),
    texts_per_second=30.0,
    quality=0.65,
    loss=0.0,
    lowest_cosine=1.0,
    batch_dependent=False,
    megabytes=86.0,
)


def row(variant: str, speed: float, loss: float = 0.0, dependent: bool = False) -> Measured:
    return replace(
        ROW, variant=variant, texts_per_second=speed, loss=loss, batch_dependent=dependent
    )


def test_the_fastest_that_keeps_the_quality_is_chosen() -> None:
    rows = [ROW, row("int8-static", 80.0, 0.004), row("int4", 90.0, 0.02)]
    assert choose(rows, 0.005, False).variant == "int8-static"
    assert choose(rows, 0.02, False).variant == "int4"
    assert choose(rows, 0.0, False).variant == "fp32"


def test_batch_dependence_is_never_chosen_unless_allowed() -> None:
    rows = [ROW, row("int8-dynamic", 80.0, dependent=True)]
    assert choose(rows, 0.005, False).variant == "fp32"
    assert choose(rows, 0.005, True).variant == "int8-dynamic"


def test_the_loss_allowed_is_itself_allowed() -> None:
    assert objection(row("a", 1.0, 0.005), 0.005, False) == ""
    assert objection(row("a", 1.0, 0.0051), 0.005, False) == "loses more than 0.005"
    assert objection(row("a", 1.0, float("nan")), 0.005, False)
    assert objection(row("a", 1.0, dependent=True), 0.005, False) == "depends on the batch"
