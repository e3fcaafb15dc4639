"""500 texts of every kind a document or a query may bring, the same at every call."""

from __future__ import annotations

import random
import sys
import unicodedata
from functools import cache

COUNT = 500

_SCRIPTS = (
    "LATIN",
    "CYRILLIC",
    "GREEK",
    "ARABIC",
    "HEBREW",
    "DEVANAGARI",
    "BENGALI",
    "TAMIL",
    "TELUGU",
    "THAI",
    "LAO",
    "TIBETAN",
    "MYANMAR",
    "GEORGIAN",
    "ARMENIAN",
    "HANGUL",
    "HIRAGANA",
    "KATAKANA",
    "ETHIOPIC",
    "KHMER",
    "MONGOLIAN",
    "SINHALA",
    "GUJARATI",
    "GURMUKHI",
    "KANNADA",
    "MALAYALAM",
    "CHEROKEE",
    "CJK",
    "RUNIC",
    "GOTHIC",
    "BRAILLE",
    "MATHEMATICAL",
    "FULLWIDTH",
    "MUSICAL",
    "COMBINING",
)
_ODD = (
    "",
    " ",
    "\n\t\r",
    "\x00",
    "a\x00b",
    "\x1b[31mred\x1b[0m",
    "".join(map(chr, range(32))),
    "\ufeffbyte order mark",
    "zero\u200bwidth\u200djoiner\u2060",
    "right\u202eto left\u202c",
    "cafe\u0301 café CAFÉ",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 family, \U0001f44d\U0001f3fd thumb",
    "\U0001f1e9\U0001f1ea flag \u2764\ufe0f heart",
    "ﬁne ligature ½ Ⅷ ™",
    "\ud83d alone",
    "alone \udc00",
    "\udc00\ud83d the wrong way round",
    "\ufffd\ufffe\uffff",
    "[CLS] [SEP] [MASK] [PAD] [UNK] </s> <mask>",
    "###subword ##ing",
    "http://example.org/a?b=c&d=%20#e user@example.org",
    "'quotes' \"double\" `back` \\slash /slash {curly} [square] <angle>",
    "1234567890 3.14 1e10 0xff ١٢٣ 一二三",
)


@cache
def texts() -> list[str]:
    """As many as ``COUNT``: scripts, emoji, control characters, empty ones, long ones."""
    chance = random.Random(20)
    made = list(_ODD)
    alphabets = _alphabets()
    for script in _SCRIPTS:
        made += [_words(chance, alphabets[script], chance.randint(1, 20)) for _ in range(8)]
    everything = [letter for letters in alphabets.values() for letter in letters]
    made += [_words(chance, everything, chance.randint(1, 100)) for _ in range(60)]
    made += [_words(chance, alphabets["LATIN"][:52], chance.randint(200, 900)) for _ in range(40)]
    made += ["long " * 5000, "x" * 20_000, "\U0001f600" * 3000, " " * 10_000 + "end"]
    while len(made) < COUNT:
        made.append(_words(chance, [chr(chance.randint(0, 0x2FFFF)) for _ in range(30)], 20))
    return made[:COUNT]


def _alphabets() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {script: [] for script in _SCRIPTS}
    for point in range(sys.maxunicode + 1):
        script = unicodedata.name(chr(point), "").partition(" ")[0].partition("-")[0]
        if script in found and len(found[script]) < 3000:
            found[script].append(chr(point))
    return found


def _words(chance: random.Random, alphabet: list[str], count: int) -> str:
    words = ("".join(chance.choices(alphabet, k=chance.randint(1, 9))) for _ in range(count))
    return " ".join(words)
