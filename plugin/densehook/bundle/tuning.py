"""tuning.json: how a bundle is run best on the machine it was tuned on, and why that is known.

Not part of what an encoder is: the vectors are the same without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BundleError

TUNING = "tuning.json"


@dataclass(frozen=True)
class Tuning:
    """Settings for bulk work, and the evidence.

    ``tokens_per_run`` counts padding too; ``concurrent_runs`` share the threads. ``measured`` has
    one row for each variant on each execution provider. ``versions`` are those of the software that
    measured; none where an older densehook did.
    """

    variant: str
    provider: str
    tokens_per_run: int
    concurrent_runs: int
    max_loss: float
    collection: str
    documents: int
    queries: int
    measure: str
    machine: str
    date: str
    measured: Sequence[Mapping[str, Any]]
    versions: Mapping[str, str] = field(default_factory=dict)

    def dumps(self) -> str:
        """The text of tuning.json."""
        return json.dumps(asdict(self), indent=2) + "\n"


def read_tuning(folder: Path) -> Tuning | None:
    """The bundle's tuning.json; None where it was not tuned. Raises BundleError when damaged."""
    path = folder / TUNING
    try:
        tuning = Tuning(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(f"{path} is damaged: {error}; tune the bundle again") from None
    for key in ("tokens_per_run", "concurrent_runs"):
        value = getattr(tuning, key)
        if not isinstance(value, int) or value < 1:
            raise BundleError(f"{path}: {key} is {value!r}; it must be a positive number")
    return tuning
