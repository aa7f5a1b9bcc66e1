"""From a text to the features that the lexicon has weights for.

Tokens are lower-case words, emoji, runs of `!` and `?`, and stand-ins for what is never the same
twice: `<link>`, `<name>`, `<tag>`, `<number>`, `<percent>`. Features are:

* each token; a word up to three words after a negation is marked `!word` instead;
* each pair and triple of neighbouring tokens, the ends of the text included (`^`, `$`);
* each cashtag by name, `$eth.x`;
* the shape of the text: words in capitals, and how many tokens, cashtags and emoji it has (no
  cashtag counts as one: where messages hang on a symbol, nobody repeats it).

Training and scoring call the same function, so that a weight always means what was learned.
A feature counts once however often it occurs.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import NamedTuple


_CONTRACTED = ("can", "don", "won", "isn", "aren", "wasn", "doesn", "didn", "ain", "shouldn")
NEGATIONS = frozenset(
    ["no", "not", "never", "none", "nothing", "nobody", "neither", "nor", "without", "cannot"]
    + [f"{stem}{ending}" for stem in (*_CONTRACTED, "wouldn", "couldn") for ending in ("t", "'t")]
    + ["hardly"]
)
"""Words that turn what follows them."""

NEGATED_WORDS = 3
"""Words after a negation that are marked."""

TEXT_LENGTH_MAX = 5_000
"""Characters of a text that are read; the rest is not."""

_TOKEN = re.compile(
    r"https?://\S+"
    r"|@\w+"
    r"|[$#][a-z][\w.]*"
    r"|\$?\d[\d,.]*[kmb%]?"
    r"|[a-z]+(?:'[a-z]+)*"
    r"|[!?]+"
    r"|[^\w\s,.;:\"'()\[\]{}<>/\\|*_=~`^&+@$#%\-"
    # typographic marks; joiners, variation selectors and skin tones of emoji
    r"\u2010-\u201f\u2022\u2026\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
)
_APOSTROPHE = "\u2019"
_LONG_RUN = re.compile(r"(.)\1{2,}")
_CAPITALS = re.compile(r"(?<![$@\w])[A-Z]{3,}(?![\w.])")
_WORD_STARTS = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")


def tokens_of(text: str) -> tuple[list[str], list[str]]:
    """Return (tokens, cashtags by name) of a text, in order.

    Args:
        text: as posted; HTML entities are decoded, letters repeated more than twice are cut.
    """
    if "&" in text:
        text = html.unescape(text)
    text = _LONG_RUN.sub(r"\1\1", text[:TEXT_LENGTH_MAX].lower().replace(_APOSTROPHE, "'"))
    tokens: list[str] = []
    tags: list[str] = []
    for token in _TOKEN.findall(text):
        first = token[0]
        if first in _WORD_STARTS:
            tokens.append("<link>" if token.startswith("http") and ":" in token else token)
        elif first == "$" and token[1] in _WORD_STARTS:
            tags.append(token.rstrip("."))
            tokens.append("<tag>")
        elif first in _DIGITS or first == "$":
            tokens.append("<percent>" if token[-1] == "%" else "<number>")
        elif first == "#":
            tokens.append(token[1:].rstrip("."))
        elif first == "@":
            tokens.append("<name>")
        else:
            tokens.append(token[:2])
    return tokens, tags


def _negated(tokens: list[str]) -> list[str]:
    marked: list[str] = []
    left = 0
    for token in tokens:
        if token in NEGATIONS:
            left = NEGATED_WORDS
            marked.append(token)
        elif not left:
            marked.append(token)
        elif token[0] in _WORD_STARTS:
            left -= 1
            marked.append("!" + token)
        else:
            marked.append(token)
            if token[0] in "!?":
                left = 0
    return marked


def _shape(text: str, tokens: list[str], tags: list[str]) -> list[str]:
    capitals = _CAPITALS.findall(text)
    emoji = sum(1 for token in tokens if token[0] > "\u2000")
    return [
        f"capitals={min(len(capitals), 3)}",
        f"emoji={min(emoji, 4)}",
        f"tags={min(max(len(tags), 1), 4)}",
        f"length={min(len(tokens) // 5, 6)}",
        *(f"capitals:{word.lower()}" for word in capitals),
    ]


class Features(NamedTuple):
    """What a text holds.

    Attributes:
        content: words, emoji, cashtags and their neighbours, each once, in order.
        shape: length, capitals and counts: they say little alone.
        tokens: number of tokens.
    """

    content: dict[str, None]
    shape: dict[str, None]
    tokens: int


def features_of(text: str) -> Features:
    """Return the features of a text."""
    tokens, tags = tokens_of(text)
    ends = ["^", *tokens, "$"]
    content = [*_negated(tokens), *tags]
    content += [f"{one} {two}" for one, two in pairwise(ends)]
    content += [
        f"{one} {two} {three}" for one, two, three in zip(ends, ends[1:], ends[2:], strict=False)
    ]
    shape = _shape(text, tokens, tags)
    return Features(dict.fromkeys(content), dict.fromkeys(shape), len(tokens))
