"""Runs in ranx's own environment: means of runs of TREC, as JSON.

python ranx_worker.py QRELS RUN...
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

MEASURES = {"nDCG@10": "ndcg@10", "R@100": "recall@100", "AP@100": "map@100", "RR@10": "mrr@10"}
"""ir_measures' names, and ranx's."""


def main() -> None:
    """Prints a JSON object of measures for each run."""
    warnings.simplefilter("ignore")  # numba's, of its casts
    import ranx

    qrels: Any = ranx.Qrels.from_file(sys.argv[1], kind="trec")
    for path in sys.argv[2:]:
        run = ranx.Run.from_file(path, kind="trec")
        # a judged query without hits counts 0, as with trec_eval's -c
        found = ranx.evaluate(qrels, run, list(MEASURES.values()), make_comparable=True)
        print(json.dumps({ours: float(found[theirs]) for ours, theirs in MEASURES.items()}))


if __name__ == "__main__":
    main()
