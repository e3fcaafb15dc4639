"""Cutting long texts: text and token counts in, borders out. Pure, and the same in the node."""

from .cutting import Chunk, Cut, cut
from .late import Window, windows
from .measured import Sizes
from .rule import LEAST_TOKENS, WAYS, ChunkRule
from .text import LongText, Part, put_together

__all__ = [
    "LEAST_TOKENS",
    "WAYS",
    "Chunk",
    "ChunkRule",
    "Cut",
    "LongText",
    "Part",
    "Sizes",
    "Window",
    "cut",
    "put_together",
    "windows",
]
