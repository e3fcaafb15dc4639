"""An index as its user holds it: made, opened, filled, searched, explained.

One search is one request: what an index says of itself is read once, when it is opened. Only the
command line and what serves users may know this room; it knows no file format of its own.
"""

from .asked import Asked
from .asynchronous import AsyncIndex
from .hits import Hit, Hits
from .index import Index
from .modes import MODES
from .stats import IndexStats

__all__ = ["MODES", "Asked", "AsyncIndex", "Hit", "Hits", "Index", "IndexStats"]
