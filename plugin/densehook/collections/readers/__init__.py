"""Files as they come: one module a format, each from a path to rows, as a stream.

A format is known by its first bytes or by how its name ends; FORMATS is the list of what can be
read. pyarrow is loaded where a file needs it.
"""

from __future__ import annotations

from .folders import files_of, is_pattern, open_path
from .formats import FORMATS, format_by_name, format_of

__all__ = ["FORMATS", "files_of", "format_by_name", "format_of", "is_pattern", "open_path"]
