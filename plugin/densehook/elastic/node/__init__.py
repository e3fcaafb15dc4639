"""A real Elasticsearch of one's own, on this machine: fetched, started, stopped.

It listens on the loopback address only and keeps everything below one folder; it knows nothing of
indices or encoders.
"""

from .lifecycle import start, status, stop
from .state import NodeState
from .versions import ELASTICSEARCH_VERSION

__all__ = ["ELASTICSEARCH_VERSION", "NodeState", "start", "status", "stop"]
