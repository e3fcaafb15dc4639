"""From documents to an index: looked up, encoded, written, and each answered for.

So are documents that an index has already, which are given vectors where they lie.
Encoding goes on while Elasticsearch indexes. What a document needs is decided by hooks, what a
request looks like by elastic; nothing here knows a file's format.
"""

from .checkpoint import Checkpoint, CheckpointFile
from .feed import feed, feed_field
from .in_place import EmbedReport, embed_field
from .outcome import Failure, FeedReport

__all__ = [
    "Checkpoint",
    "CheckpointFile",
    "EmbedReport",
    "Failure",
    "FeedReport",
    "embed_field",
    "feed",
    "feed_field",
]
