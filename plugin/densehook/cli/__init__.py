"""The command line: parse, call, print.

Every command is a few lines over the library; nothing is decided here but words and layout.
"""

from .app import app, main

__all__ = ["app", "main"]
