"""Bundle to vectors: tokenise, pack, run.

The only door to onnxruntime and tokenizers; it knows nothing of Elasticsearch or HTTP.
"""

from .encoded import Encoded, EncodedEach, EncodeStats
from .encoder import Encoder, load
from .engine import Engine
from .packing import pack
from .selftest import cosines
from .session import Vectors

__all__ = [
    "EncodeStats",
    "Encoded",
    "EncodedEach",
    "Encoder",
    "Engine",
    "Vectors",
    "cosines",
    "load",
    "pack",
]
