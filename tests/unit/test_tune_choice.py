"""Which variant is chosen."""

from __future__ import annotations

from dataclasses import replace

from densehook.tune.choice import Kept, Measured, choose, objection
from densehook.tune.gating import Nearness
from densehook.tune.speed import Setting

ROW = Measured(
    variant="fp32",
    precision="fp32",
    fingerprint="sha256:0",
    setting=Setting("cpu", 1024, 1),
    texts_per_second=30.0,
    kinds={"dense": Kept(0.65, 0.0)},
    near=Nearness("lowest_cosine", 1.0, False),
    megabytes=86.0,
)


def row(variant: str, speed: float, loss: float = 0.0, dependent: bool = False) -> Measured:
    return replace(
        ROW,
        variant=variant,
        texts_per_second=speed,
        kinds={"dense": Kept(0.65 - loss, loss)},
        near=Nearness("lowest_cosine", 0.9, dependent),
    )


def of_kinds(variant: str, speed: float, **losses: float) -> Measured:
    kinds = {kind: Kept(0.65 - loss, loss) for kind, loss in losses.items()}
    return replace(ROW, variant=variant, texts_per_second=speed, kinds=kinds)


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


def test_every_kind_must_keep_its_own_quality() -> None:
    plain = of_kinds("fp32", 10.0, dense=0.0, sparse=0.0)
    good = of_kinds("int8-static", 20.0, dense=0.004, sparse=-0.01)
    bad = of_kinds("int4", 30.0, dense=-0.1, sparse=0.006)
    assert choose([plain, good, bad], 0.005, False) is good
    assert objection(bad, 0.005, False) == "loses more than 0.005 as sparse"
    lost = of_kinds("int8-dynamic", 40.0, dense=0.0, sparse=float("nan"), multi=0.3)
    assert objection(lost, 0.5, False) == "loses more than 0.5 as sparse"


def test_a_row_has_the_kinds_where_there_are_several() -> None:
    assert "kinds" not in ROW.as_json()
    written = of_kinds("int4", 30.0, dense=0.001, sparse=0.006).as_json()
    assert written["kinds"]["sparse"]["loss"] == written["loss"] == 0.006
    assert (written["quality"], written["lowest_cosine"]) == (0.649, 1.0)
    pairs = replace(ROW, near=Nearness("orders_agree", 0.75, False)).as_json()
    assert pairs["orders_agree"] == 0.75 and "lowest_cosine" not in pairs
