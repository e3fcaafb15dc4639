"""What a migration has done so far, kept in the cluster: a document of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..elastic.checkpoints import CheckpointDocument
from ..errors import CheckpointError, RequestError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..elastic.patience import Patience

_PART = "migration"


@dataclass
class State:
    """Two indices with their vector fields, and how far one has come to hold what the other does.

    ``uuid`` is the old one's. ``pipelines`` and ``old_pipelines`` are what runs over each document
    that is written to them in service. ``marks`` say for each shard of the old index up to which
    number the new one has its documents, ``back`` the same the other way round, once the new one
    is in service. ``templates`` are index templates as they were, by name. ``files`` are those that
    it is filled from, as ``Documents.state``, and ``filled`` says that it is, with so many
    documents ``indexed``.
    """

    old: str
    new: str
    new_field: str
    old_field: str | None
    pipelines: Mapping[str, str]
    old_pipelines: Mapping[str, str]
    uuid: str
    marks: dict[int, int] = field(default_factory=dict)
    back: dict[int, int] = field(default_factory=dict)
    templates: dict[str, Any] = field(default_factory=dict)
    files: str = ""
    filled: bool = False
    indexed: int = 0

    @property
    def renamed(self) -> tuple[str, str] | None:
        """The names of the vector field before and now, where they are two."""
        if self.old_field is None or self.old_field == self.new_field:
            return None
        return self.old_field, self.new_field


class Kept:
    """The state of an alias's migration; of two processes the first is told, and ends."""

    def __init__(self, client: Elasticsearch, alias: str, patience: Patience) -> None:
        self._alias = alias
        self._document = CheckpointDocument(client, alias, "", _PART, patience)

    def read(self) -> State | None:
        """What was written last, or None where nothing is under way. Raises ElasticError."""
        kept: Any = self._document.read()
        if kept is None:
            return None
        said = kept["migration"]
        for marks in ("marks", "back"):
            said[marks] = {int(shard): number for shard, number in said[marks].items()}
        return State(**said)

    def write(self, state: State) -> None:
        """Replaces it. Raises CheckpointError where another process has meanwhile."""
        try:
            self._document.write({"migration": asdict(state)})
        except CheckpointError as error:
            raise CheckpointError(
                f"another process migrates {self._alias!r} by now; this one leaves it to that"
            ) from error

    def forget(self) -> None:
        """Nothing is under way any more."""
        self._document.delete()


def under_way(alias: str, kept: Kept) -> State:
    """What was begun for an alias. Raises RequestError where nothing was."""
    state = kept.read()
    if state is None:
        raise RequestError(
            f"no migration of {alias!r} is under way; begin one with: densehook migrate {alias}"
            " --encoder BUNDLE"
        )
    return state
