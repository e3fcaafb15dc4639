"""Templates made into pages."""

from __future__ import annotations

import jinja2


def rendered(template: str, **contents: object) -> str:
    """A page of this room's template; all that is no markup of ours is text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("densehook.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**contents)
