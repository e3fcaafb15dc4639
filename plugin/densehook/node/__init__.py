"""A real Elasticsearch of one's own, on this machine: fetched, started, stopped.

It listens on the loopback address only and keeps everything below one folder; it knows nothing of
indices or encoders.
"""

from .lifecycle import start, status, stop
from .plugins import built_plugin
from .releases import ELASTICSEARCH_VERSION, MINORS, RELEASES, default_version
from .state import NodeState

__all__ = [
    "ELASTICSEARCH_VERSION",
    "MINORS",
    "RELEASES",
    "NodeState",
    "built_plugin",
    "default_version",
    "start",
    "status",
    "stop",
]
