"""What an encoder is on disk: manifest, fingerprint, golden texts, sums of its files.

Nothing here runs a model; it reads and writes the folder that both runtimes share.
"""

from .files import replacing, sha256_of
from .golden import GoldenText, read_golden, write_golden
from .manifest import PRECISION_BOUNDS, Manifest, Role, Source
from .reader import Bundle, read_bundle, write_manifest

__all__ = [
    "PRECISION_BOUNDS",
    "Bundle",
    "GoldenText",
    "Manifest",
    "Role",
    "Source",
    "read_bundle",
    "read_golden",
    "replacing",
    "sha256_of",
    "write_golden",
    "write_manifest",
]
