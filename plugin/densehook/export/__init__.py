"""PyTorch to ONNX: recipe in, bundle out, proven equal on the way.

The only door to torch, transformers and onnx; it knows nothing of Elasticsearch. Importing
it raises MissingExtra where they are not installed.
"""

from ..errors import MissingExtra, missing_of

if missing := missing_of("numpy", "onnx", "torch", "transformers"):
    raise MissingExtra(missing, "export")

from .bundling import export_bundle, model_size
from .imports.files import find_files
from .imports.importing import import_bundle
from .recipe import Recipe, read_recipe
from .unwritten import imported_recipe, recipe_of, require_free, write_recipe

__all__ = [
    "Recipe",
    "export_bundle",
    "find_files",
    "import_bundle",
    "imported_recipe",
    "model_size",
    "read_recipe",
    "recipe_of",
    "require_free",
    "write_recipe",
]
