"""What counts as text, in both languages: blank texts, texts put together, code points alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# controls, format characters, and the three kinds of separators
_BLANK_CATEGORIES = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: it is no text, and gets no vector.

    So are spaces and tabs, and also a no-break space, a byte order mark, a zero-width joiner.
    """
    return all(unicodedata.category(character) in _BLANK_CATEGORIES for character in text)


def join_texts(texts: Iterable[str], joiner: str) -> str:
    """The texts that are not blank, with the joiner between them."""
    return joiner.join(text for text in texts if not is_blank(text))


def well_formed(text: str) -> str:
    """The text itself, or, with lone surrogates, which no UTF-8 can hold, U+FFFD in their place."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
