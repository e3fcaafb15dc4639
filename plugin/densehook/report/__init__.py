"""An evaluation as a page to read and to audit, and as tables for other documents.

It knows what was measured, and no cluster: the texts of hits are given to it. The only door to
jinja2.
"""

from ..errors import MissingExtra, missing_of

if missing := missing_of("jinja2"):
    raise MissingExtra(missing, "evaluate")

from .page import no_texts, write_report
from .study import recommendation, study_table, write_study
from .tables import latex_table, markdown_table

__all__ = [
    "latex_table",
    "markdown_table",
    "no_texts",
    "recommendation",
    "study_table",
    "write_report",
    "write_study",
]
