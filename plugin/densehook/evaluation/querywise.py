"""Weights for each query, learned from judged ones, and measured on others.

What is learned is a line through what is known of a query before the fusion (``fusion.learned``):
ridge regression towards the weights that would have been best for it. A query for which all weights
are alike counts nothing, and one counts as much as they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..collections import Collection
from ..fusion import FEATURES, FUSIONS, Factor, LearnedWeights, Seen, within
from ..types import QueryId, Ranking, Run
from .optimising import Tried, best_of, drawn_folds
from .settings import Setting
from .significance import Difference, differences

WINDOW = 100
"""Hits of each list that are fused: a search's own, unless it says otherwise."""
PENALTIES = (0.1, 1.0, 10.0)
"""Of the ridge, in queries; beside them weights that are the same for every query are tried."""
INNER_FOLDS = 5

_DEPTH = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class QueryWise:
    """What came of it: the model, learned on all queries it may be, and the run of the others."""

    model: LearnedWeights
    run: Mapping[QueryId, Ranking]


def learn_by_folds(
    collection: Collection, runs: Sequence[Run], tried: Tried, folds: int
) -> QueryWise:
    """A model of all queries, and a run in which each query was weighted by one without it."""
    held_out: dict[QueryId, Ranking] = {}
    for out in drawn_folds(collection.qrels, folds):
        others = [query for query in sorted(collection.qrels) if query not in set(out)]
        held_out |= weighted_run(collection, runs, learn(collection, runs, tried, others), out)
    model = learn(collection, runs, tried, sorted(collection.qrels))
    return QueryWise(model, {query: held_out[query] for query in collection.qrels})


def learn_on(
    collection: Collection,
    runs: Sequence[Run],
    tried: Tried,
    measured: Collection,
    measured_runs: Sequence[Run],
) -> QueryWise:
    """A model of a split of its own, and the run of other queries by it."""
    model = learn(collection, runs, tried, sorted(collection.qrels))
    return QueryWise(model, weighted_run(measured, measured_runs, model, list(measured.qrels)))


def learn(
    collection: Collection, runs: Sequence[Run], tried: Tried, queries: Sequence[QueryId]
) -> LearnedWeights:
    """The model of these queries: for the fusion whose best fixed weights are best on them."""
    usual = {setting: values for setting, values in tried.items() if _is_usual(setting)}
    best = best_of(usual, queries)
    ways = sorted(
        (setting for setting in usual if _same_but_weights(setting, best)),
        key=lambda setting: setting.weights[1],
    )
    shares = np.array([setting.weights[1] / sum(setting.weights) for setting in ways])
    gains = np.array([[tried[setting][query] for setting in ways] for query in queries])
    seen = [_seen(collection, runs, query) for query in queries]
    features = np.array([[feature(each) for feature in FEATURES.values()] for each in seen])
    return _fitted(features, gains, shares).model(best)


def weighted_run(
    collection: Collection, runs: Sequence[Run], model: LearnedWeights, queries: Sequence[QueryId]
) -> dict[QueryId, Ranking]:
    """The run of these queries by a model."""
    fusion = FUSIONS[model.fusion]
    found: dict[QueryId, Ranking] = {}
    for query in queries:
        seen = _seen(collection, runs, query)
        lists, weights = [seen.words, seen.vectors], model.weights(seen)
        found[query] = fusion.ranking(lists, weights=weights, **model.options)[:_DEPTH]
    return found


def compared(
    learned: Mapping[QueryId, Mapping[str, float]],
    fixed: Mapping[QueryId, Mapping[str, float]],
    measure: str,
) -> Difference:
    """How the learned weights differ from the best fixed ones, on queries neither was chosen on."""
    (difference,) = differences({"fixed": fixed, "learned": learned}, [measure], "fixed")
    return difference


def _seen(collection: Collection, runs: Sequence[Run], query: QueryId) -> Seen:
    words, vectors = (within(run.get(query, ()), WINDOW) for run in runs)
    return Seen(collection.queries[query], words, vectors)


def _is_usual(setting: Setting) -> bool:
    return setting.window == WINDOW and not setting.min_scores


def _same_but_weights(one: Setting, other: Setting) -> bool:
    return (one.fusion, one.rank_constant, one.normalizer) == (
        other.fusion,
        other.rank_constant,
        other.normalizer,
    )


@dataclass(frozen=True)
class _Line:
    """A fit: the level of a query is the intercept and its standardised features' sum."""

    means: Floats
    deviations: Floats
    coefficients: Floats
    intercept: float

    def levels(self, features: Floats) -> Floats:
        scaled = (features - self.means) / self.deviations
        return np.asarray(self.intercept + scaled @ self.coefficients)

    def model(self, best: Setting) -> LearnedWeights:
        factors = zip(self.means, self.deviations, self.coefficients, strict=True)
        return LearnedWeights(
            best.fusion,
            float(f"{self.intercept:.6g}"),
            {
                name: Factor(*(float(f"{number:.6g}") for number in numbers))
                for name, numbers in zip(FEATURES, factors, strict=True)
            },
            None if best.rank_constant is None else int(best.rank_constant),
            best.normalizer,
        )


def _fitted(features: Floats, gains: Floats, shares: Floats) -> _Line:
    """The line by the penalty that is best on inner folds; a heavier one of equals."""
    place = np.arange(len(features)) % min(INNER_FOLDS, len(features))
    reached = {}
    for penalty in (None, *reversed(PENALTIES)):
        total = 0.0
        for fold in range(int(place.max(initial=0)) + 1):
            out, others = place == fold, place != fold
            line = _line(features[others], gains[others], shares, penalty)
            total += float(_gained(line.levels(features[out]), gains[out], shares).sum())
        reached[penalty] = total
    return _line(features, gains, shares, max(reached, key=lambda each: reached[each]))


def _line(features: Floats, gains: Floats, shares: Floats, penalty: float | None) -> _Line:
    """Ridge regression, weighted; then the intercept that gains most. None: no slope at all."""
    means, deviations = features.mean(axis=0), features.std(axis=0)
    deviations = np.where(deviations > 0, deviations, 1.0)
    slopes = np.zeros(features.shape[1])
    matters = gains.max(axis=1) - gains.min(axis=1)
    if penalty is not None and matters.any():
        scaled = (features - means) / deviations
        best = gains == gains.max(axis=1, keepdims=True)
        wanted = _level((best * shares).sum(axis=1) / best.sum(axis=1))
        counted = matters / matters.mean()
        centred = scaled - np.average(scaled, axis=0, weights=counted)
        target = wanted - np.average(wanted, weights=counted)
        square = (centred * counted[:, None]).T @ centred
        ridge = penalty * len(features) * np.eye(features.shape[1])
        slopes = np.linalg.solve(square + ridge, (centred * counted[:, None]).T @ target)
    flat = _Line(means, deviations, slopes, 0.0)
    levels = flat.levels(features)
    tried = _level(shares)
    gained = [float(_gained(levels + level, gains, shares).sum()) for level in tried]
    return _Line(means, deviations, slopes, float(tried[int(np.argmax(gained))]))


def _level(share: Floats) -> Floats:
    """The level that gives a share of dense search: the inverse of the model's."""
    sine = 2 * share - 1
    return np.asarray(sine / np.sqrt(1 - sine * sine))


def _gained(levels: Floats, gains: Floats, shares: Floats) -> Floats:
    """What each query reaches by its level, between the shares that were tried on a line."""
    share = 0.5 + 0.5 * levels / np.sqrt(1 + levels * levels)
    return np.array([np.interp(s, shares, row) for s, row in zip(share, gains, strict=True)])
