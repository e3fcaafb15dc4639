"""The vectors of a text's tokens as one value: how they are stored, pooled and compared.

Pure numbers: bytes and arrays in, bytes and arrays out. The plugin's org.densehook.multivector does
the same; cases.json holds the two together.
"""

from .layout import PRECISIONS, Precision, header_of, pack, unpack
from .pooling import pooled
from .scoring import maxsim

__all__ = ["PRECISIONS", "Precision", "header_of", "maxsim", "pack", "pooled", "unpack"]
