"""Images: what is given becomes the pixels that an encoder's graph reads.

What is refused here, and why, is refused by org.densehook.image too. Pillow is imported where an
image is decoded.
"""

from .decoding import pixels_of
from .given import Image, as_base64, content_of
from .header import MAX_BYTES, MAX_PIXELS, MAX_SIDE, Header, read_header

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "Header",
    "Image",
    "as_base64",
    "content_of",
    "pixels_of",
    "read_header",
]
