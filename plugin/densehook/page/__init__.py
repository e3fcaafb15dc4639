"""The page that shows an index's searches side by side, served to this machine's browser alone.

What is asked is parsed, and what is found shaped for showing, in pure functions; sockets, HTTP and
who may ask stand around them. Searching itself is the index's, judgements are the collections'.
Importing it raises MissingExtra where what it serves with is not installed.
"""

from ..errors import MissingExtra, missing_of

if missing := missing_of("starlette", "uvicorn"):
    raise MissingExtra(missing, "page")

from .application import compare_app
from .comparing import Comparison
from .serving import listen, names_of, serve

__all__ = ["Comparison", "compare_app", "listen", "names_of", "serve"]
