"""Instructions of queries, which encoders of one vector a text alone take."""

from __future__ import annotations

from ...errors import RequestError


def require_none(field: str, type_: str, instruction: str | None) -> None:
    """Raises RequestError for an instruction where a field's encoder takes none."""
    if instruction is not None:
        raise RequestError(
            f"field {field!r} is a {type_}, whose encoder takes no instruction with a query; leave"
            " it out"
        )
