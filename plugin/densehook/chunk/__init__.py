"""Cutting long texts: text and token counts in, borders out. Pure, and the same in the node."""

from .cutting import Chunk, Sizes, cut
from .rule import WAYS, ChunkRule

__all__ = ["WAYS", "Chunk", "ChunkRule", "Sizes", "cut"]
