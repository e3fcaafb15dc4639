"""What approximate search costs and brings: the ways to index one field's vectors, side by side.

The vectors are copied into indices of their own, one at a time, which are gone afterwards.
"""

from .study import Built, Point, Study, measure_ann
from .ways import CANDIDATES, OVERSAMPLES, Way, check_kinds

__all__ = [
    "CANDIDATES",
    "OVERSAMPLES",
    "Built",
    "Point",
    "Study",
    "Way",
    "check_kinds",
    "measure_ann",
]
