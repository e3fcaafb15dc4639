"""From one encoder to another behind an alias: a new index filled, measured, and put in its place.

What was done so far is kept in the cluster, so that any machine goes on. Copying is done by ingest,
measuring by evaluation.
"""

from .beginning import Wanted
from .gate import Gate, Verdict
from .migrating import abort, finish, migrate, roll_back
from .outcome import Migrated, Way

__all__ = [
    "Gate",
    "Migrated",
    "Verdict",
    "Wanted",
    "Way",
    "abort",
    "finish",
    "migrate",
    "roll_back",
]
