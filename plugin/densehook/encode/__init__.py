"""Bundle to vectors: tokenise, pack, run.

The only door to onnxruntime and tokenizers; it knows nothing of Elasticsearch or HTTP. Importing it
raises MissingExtra where they are not installed: the cluster may do without.
"""

from ..errors import MissingExtra, missing_of

if missing := missing_of("numpy", "onnxruntime", "tokenizers"):
    raise MissingExtra(missing, "encode")

from .cross_encoder import CrossEncoder, Ranked
from .encoded import Encoded, EncodedEach
from .encoder import Encoder
from .engine import Engine
from .image_text import ImageTextEncoder
from .kinds.dense import cosines
from .opening import encoder_of, load
from .packing import pack
from .reading import DocumentTokenizer
from .session import Vectors

__all__ = [
    "CrossEncoder",
    "DocumentTokenizer",
    "Encoded",
    "EncodedEach",
    "Encoder",
    "Engine",
    "ImageTextEncoder",
    "Ranked",
    "Vectors",
    "cosines",
    "encoder_of",
    "load",
    "pack",
]
