"""Says which sources of src/compat go with an Elasticsearch version.

Each folder of src/compat holds what changed once or more in Elasticsearch's own classes, and in it
one folder for each form it had, named by the versions it came with: 8.19_9.1 is used from 8.19 on,
and from 9.1 on among the versions that begin with 9, until a form that came later.

    python compat.py VERSION    # prints the folders, comma-separated, as Maven takes them
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MINORS = ("8.18", "8.19", "9.0", "9.1", "9.2", "9.3", "9.5")
"""The minor versions that the sources are for; 9.4 cannot be had from Maven Central."""

FOLDER = Path(__file__).parents[1] / "compat"
_VERSION = re.compile(r"(\d+\.\d+)\.\d+")

Numbers = tuple[int, ...]


def main(version: str) -> None:
    """Prints the folders; ends with one line for a version that is not supported."""
    require_supported(version)
    chosen = [chosen_form(change, version) for change in sorted(FOLDER.iterdir())]
    sys.stdout.write(",".join(map(str, chosen)) + "\n")


def require_supported(version: str) -> None:
    """Ends with one line unless the version is one of the supported minors."""
    written = _VERSION.fullmatch(version)
    if written is None or written[1] not in MINORS:
        listed = ", ".join(f"{minor}.x" for minor in MINORS)
        sys.exit(f"Elasticsearch {version} is not supported; ES is one of {listed}")


def chosen_form(change: Path, version: str) -> Path:
    """The form of a change that this version has."""
    wanted = numbers(version)
    forms = {since: form for form in change.iterdir() for since in map(numbers, sinces(form))}
    return forms[max(since for since in forms if since[0] == wanted[0] and since <= wanted)]


def sinces(form: Path) -> list[str]:
    """The versions that a form came with."""
    return form.name.split("_")


def numbers(version: str) -> Numbers:
    """A version as it is compared."""
    return tuple(map(int, version.split(".")))


if __name__ == "__main__":
    main(sys.argv[1])
