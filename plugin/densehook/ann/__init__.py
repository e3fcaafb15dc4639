"""What approximate search costs and brings: the ways to index one field's vectors, side by side.

The vectors are copied into indices of their own, one at a time, which are gone afterwards.
"""

from .measuring import measure_ann
from .result import Built, Point, Study
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
