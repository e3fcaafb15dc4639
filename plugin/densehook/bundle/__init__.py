"""What an encoder is on disk: manifest, fingerprint, golden texts, sums of its files.

Nothing here runs a model; it reads and writes the folder that both runtimes share.
"""

from .files import replacing, require_replaceable, sha256_of
from .golden import GoldenImage, GoldenText, read_golden, write_golden, write_golden_images
from .kinds import KINDS, MANY
from .kinds.cross import SCORE_BOUNDS, Cross, Pairing
from .kinds.dense import PRECISION_BOUNDS, UNSTATED_POOLING, Dense
from .kinds.image_text import ImageText
from .kinds.multi import Multi
from .kinds.numbers import NUMBERS_INPUT, Numbers
from .kinds.sparse import IDF, Sparse
from .manifest import Head, Manifest, Role, Source
from .named import MODELS, bundle_folder
from .reader import (
    GOLDEN_IMAGES,
    IMAGE_MODEL,
    MANIFEST,
    QUERIES,
    Bundle,
    read_bundle,
    require_one_space,
    write_manifest,
)
from .text import is_blank, join_texts, well_formed
from .tuning import TUNING, Tuning, read_tuning

__all__ = [
    "GOLDEN_IMAGES",
    "IDF",
    "IMAGE_MODEL",
    "KINDS",
    "MANIFEST",
    "MANY",
    "MODELS",
    "NUMBERS_INPUT",
    "PRECISION_BOUNDS",
    "QUERIES",
    "SCORE_BOUNDS",
    "TUNING",
    "UNSTATED_POOLING",
    "Bundle",
    "Cross",
    "Dense",
    "GoldenImage",
    "GoldenText",
    "Head",
    "ImageText",
    "Manifest",
    "Multi",
    "Numbers",
    "Pairing",
    "Role",
    "Source",
    "Sparse",
    "Tuning",
    "bundle_folder",
    "is_blank",
    "join_texts",
    "read_bundle",
    "read_golden",
    "read_tuning",
    "replacing",
    "require_one_space",
    "require_replaceable",
    "sha256_of",
    "well_formed",
    "write_golden",
    "write_golden_images",
    "write_manifest",
]
