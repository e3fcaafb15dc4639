"""Whether a difference is one: paired tests, intervals, and how many queries would tell.

Student's t-test and the randomisation test over the same queries (Smucker et al. 2007, "A
Comparison of Statistical Significance Tests for Information Retrieval Evaluation"), corrected for
several systems by Holm (1979), intervals by the bootstrap's percentiles (Sakai 2006), and the power
of the paired t-test by the noncentral t. scipy computes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .measures import Values, weights

Floats = NDArray[np.float64]

SEED = 20_260_101
RESAMPLES = 9_999
"""Of each test and each interval; with few queries the randomisation test is exact."""

LEVEL = 0.05
"""Below this a difference counts as one; intervals hold the other 95%."""

POWER = 0.8
_ROUNDING = 1e-12
_MOST_QUERIES = 1_000_000
_NUMBERS_AT_ONCE = 4_000_000


class Interval(NamedTuple):
    """A mean over queries, and where it may lie for queries like these."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A system's measure less the baseline's, over the same ``queries``.

    ``low`` and ``high`` bound its mean with 95% confidence. The p-values are two-sided, those of
    ``holm`` corrected over the systems compared by this measure. ``effect`` is the mean over the
    standard deviation (Cohen's d of pairs), None where all differences are equal; ``needed`` is how
    many queries would show such an effect four times in five, None for more than a million.
    """

    system: str
    measure: str
    queries: int
    mean: float
    low: float
    high: float
    t_test: float
    t_test_holm: float
    randomisation: float
    randomisation_holm: float
    effect: float | None
    needed: int | None
    better: int
    worse: int
    equal: int

    @property
    def is_significant(self) -> bool:
        """Whether the randomisation test, corrected, takes it for a difference."""
        return self.randomisation_holm < LEVEL

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, or ``no difference`` where there may be none."""
        if not self.is_significant or not self.mean:
            return "no difference"
        return "better" if self.mean > 0 else "worse"

    def as_json(self) -> dict[str, Any]:
        """What metrics.json holds of it."""
        return asdict(self)


def intervals(values: Mapping[str, Values], measures: Sequence[str]) -> list[dict[str, Interval]]:
    """For each system, in order, the mean of each measure with its interval."""
    rows = _rows(list(values.values()), measures)
    found = iter(_intervals(rows))
    return [{measure: next(found) for measure in measures} for _ in values]


def differences(
    values: Mapping[str, Values], measures: Sequence[str], baseline: str
) -> list[Difference]:
    """Every other system against the baseline, by every measure: systems in order, measures within.

    All systems have values for the same queries.
    """
    others = [system for system in values if system != baseline]
    if not others:
        return []
    base = _rows([values[baseline]], measures)
    rows = _rows([values[system] for system in others], measures)
    rows = rows - np.tile(base, (len(others), 1))
    t_test, randomisation = _t_test(rows), _randomisation(rows)
    spans = _intervals(rows)
    holm = {
        name: [holm_corrected(ps[place :: len(measures)]) for place in range(len(measures))]
        for name, ps in (("t", t_test), ("randomisation", randomisation))
    }
    found = []
    for number, row in enumerate(rows):
        system, place = divmod(number, len(measures))
        effect = effect_of(row)
        found.append(
            Difference(
                system=others[system],
                measure=measures[place],
                queries=len(row),
                mean=spans[number].mean,
                low=spans[number].low,
                high=spans[number].high,
                t_test=t_test[number],
                t_test_holm=holm["t"][place][system],
                randomisation=randomisation[number],
                randomisation_holm=holm["randomisation"][place][system],
                effect=effect,
                needed=queries_needed(effect),
                better=int((row > 0).sum()),
                worse=int((row < 0).sum()),
                equal=int((row == 0).sum()),
            )
        )
    return found


def holm_corrected(ps: Sequence[float]) -> list[float]:
    """P-values of one family, corrected: Holm 1979, "A Simple Sequentially Rejective Test"."""
    order = sorted(range(len(ps)), key=ps.__getitem__)
    corrected = [0.0] * len(ps)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, ps[place] * (len(ps) - rank)))
        corrected[place] = highest
    return corrected


def effect_of(row: Floats) -> float | None:
    """The mean difference over the standard deviation of differences; None where that is 0."""
    deviation = float(row.std(ddof=1)) if len(row) > 1 else 0.0
    mean = float(row.mean())
    # equal differences may deviate by what floats lose
    return mean / deviation if deviation > _ROUNDING * abs(mean) else None


def queries_needed(effect: float | None) -> int | None:
    """The fewest queries by which a paired t-test at 0.05 finds the effect with a power of 0.8."""
    if not effect:
        return None
    few, many = 1, 2
    while _power(many, abs(effect)) < POWER:
        few, many = many, many * 2
        if few > _MOST_QUERIES:
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if _power(middle, abs(effect)) >= POWER else (middle, many)
    return many


def _power(queries: int, effect: float) -> float:
    stats = _stats()
    freedom = queries - 1
    critical = stats.t.ppf(1 - LEVEL / 2, freedom)
    shift = effect * math.sqrt(queries)
    power = stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)
    return 1.0 if math.isnan(power) else float(power)  # a shift beyond what the functions reach


def _rows(values: Sequence[Values], measures: Sequence[str]) -> Floats:
    """A row for each system's each measure, a column for each query.

    Their means are the figures: where that is a sum, each value is multiplied by their number.
    """
    by = weights(measures, len(values[0]))
    return np.array(
        [
            [query[measure] * by[measure] for query in each.values()]
            for each in values
            for measure in measures
        ],
        dtype=float,
    )


def _t_test(rows: Floats) -> list[float]:
    return [_t_test_of(row) for row in rows]


def _t_test_of(row: Floats) -> float:
    if effect_of(row) is None:  # no deviation: all queries agree, or there is only one
        return 1.0 if len(row) < 2 or not row.any() else 0.0
    return float(_stats().ttest_1samp(row, 0.0).pvalue)


def _randomisation(rows: Floats) -> list[float]:
    """Each row's chance of a mean as far from 0, where every sign could as well be the other."""
    if rows.shape[1] < 2:
        return [1.0] * len(rows)
    found = _stats().permutation_test(
        (rows,),
        _mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, _NUMBERS_AT_ONCE // rows.size),
        axis=-1,
        rng=np.random.default_rng(SEED),
    )
    return [float(p) for p in found.pvalue]


def _intervals(rows: Floats) -> list[Interval]:
    if rows.shape[1] < 2:
        return [Interval(*[float(row.mean())] * 3) for row in rows]
    found = _stats().bootstrap(
        (rows,),
        _mean,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=1 - LEVEL,
        method="percentile",
        batch=max(1, _NUMBERS_AT_ONCE // rows.size),
        axis=-1,
        rng=np.random.default_rng(SEED),
    )
    bounds = found.confidence_interval
    return [
        Interval(float(mean), float(low), float(high))
        for mean, low, high in zip(rows.mean(axis=1), bounds.low, bounds.high, strict=True)
    ]


def _mean(rows: Floats, axis: int) -> Floats:
    return np.asarray(rows.mean(axis=axis))


def _stats() -> Any:
    from scipy import stats  # takes a second

    return stats
