"""Published figures, measured again: a file for each collection says what is to come out.

Reads those files, sees that an index holds the collection, has it evaluated, and compares. A new
collection is one more file in ``collections/``, or one of the user's own.
"""

from .figures import Regression, Run, known_regressions, read_regression
from .reproducing import Outcome, Reproduced, compared, data_folder, reproduce

__all__ = [
    "Outcome",
    "Regression",
    "Reproduced",
    "Run",
    "compared",
    "data_folder",
    "known_regressions",
    "read_regression",
    "reproduce",
]
