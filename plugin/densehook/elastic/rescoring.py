"""MaxSim in this process: BM25's hits, whose token vectors came with them, in another order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import VectorError
from ..hooks import VectorField
from ..multivector import maxsim, unpack

Raw = Mapping[str, Any]


def rescored(
    query: Sequence[Sequence[float]], raws: Sequence[Raw], field: VectorField
) -> list[tuple[Raw, float]]:
    """Hits with their MaxSim, best first; 0 for one without token vectors, as in the plugin.

    Raises VectorError for a document whose value is damaged.
    """
    import numpy as np

    vectors = np.array(query, dtype=np.float32)
    scored = [(raw, maxsim(vectors, _vectors(raw, field))) for raw in raws]
    return sorted(scored, key=lambda each: -each[1])


def _vectors(raw: Raw, field: VectorField) -> Any:
    import numpy as np

    values = raw.get("fields", {}).get(field.name, [])
    if not values:
        return np.zeros((0, 0), dtype=np.float32)
    content = field.format.parsed(values[0]) if len(values) == 1 else None
    if content is None:
        raise VectorError(
            f"field {field.name!r} of document {raw['_id']!r} holds no token vectors that can be"
            " compared; write the document again without it"
        )
    return unpack(content)
