"""Makes an encoder as fast as this machine allows, and knows what that costs in quality.

Builds variants with export, measures them with encode and evaluate; decides nothing it has not
measured. Importing it raises MissingExtra where what it builds with is not installed.
"""

from ..errors import MissingExtra, missing_of

if missing := missing_of("numpy", "onnx"):
    raise MissingExtra(missing, "tune")

from .curve import Curve, Point, measure_curve
from .plot import PICTURES, plot_curve, require_matplotlib
from .quality import encode_sample, ndcg
from .soup import Tried, greedy_soup, uniform_soup
from .towers import Paired, pair_bundles
from .tuning import plain_bundle, tune_bundle
from .whitening import Whitened, whiten_bundle

__all__ = [
    "PICTURES",
    "Curve",
    "Paired",
    "Point",
    "Tried",
    "Whitened",
    "encode_sample",
    "greedy_soup",
    "measure_curve",
    "ndcg",
    "pair_bundles",
    "plain_bundle",
    "plot_curve",
    "require_matplotlib",
    "tune_bundle",
    "uniform_soup",
    "whiten_bundle",
]
