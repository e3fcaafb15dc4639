"""Makes an encoder as fast as this machine allows, and knows what that costs in quality.

Builds variants with export, measures them with encode and evaluate; decides nothing it has not
measured.
"""

from .quality import Sample, encode_sample, ndcg, sample
from .tuning import plain_bundle, tune_bundle

__all__ = ["Sample", "encode_sample", "ndcg", "plain_bundle", "sample", "tune_bundle"]
