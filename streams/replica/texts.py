"""Texts from outside: one spelling, nothing invisible, lengths counted after that.

A text may not look like another one or hide what it says: control characters, direction
overrides, zero-width and other format characters are refused by name and place. Joiners stay
where scripts and emoji need them, between two characters that are not ASCII. Marks that pile up
over a letter are refused, too: they write over the lines above.

Sources: Unicode Standard Annex 9 (bidirectional controls), Technical Report 36 (spoofing).
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from streams.core import limits
from streams.core.social import HANDLES_RESERVED
from streams.ports import CommandError
from streams.replica.arguments import invalid


JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: part of Persian words and of many emoji."""

TAG_CHARACTERS = range(0xE0020, 0xE0080)
"""Format characters that spell the flags of regions."""

MARKS_MAX = 4
"""Combining marks on one letter."""

TAG = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")

INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
"""Categories that show nothing, or nothing that everybody sees alike."""


def clean(field: str, text: str, lengths: tuple[int, int], *, lines: bool = False) -> str:
    """Return a text in one spelling and without the space around it; check what is left.

    Args:
        field: named in the error.
        text: as it came.
        lengths: least and most characters.
        lines: whether it may have line breaks and tabs.

    Raises:
        CommandError: `INVALID_ARGUMENT`: an invisible character, or the wrong length.
    """
    cleaned = unicodedata.normalize("NFC", text).strip()
    if not cleaned.isascii() or not cleaned.isprintable():
        _check_visible(field, cleaned, "\n\r\t" if lines else "")
    least, most = lengths
    if not least <= len(cleaned) <= most:
        raise invalid(field, f"expected {least} to {most} characters, was {len(cleaned)}")
    return cleaned


def clean_or_none(
    field: str, text: str | None, lengths: tuple[int, int], *, lines: bool = False
) -> str | None:
    """Return `clean` of a text that is given."""
    return None if text is None else clean(field, text, lengths, lines=lines)


def _check_visible(field: str, text: str, allowed: str) -> None:
    marks = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > MARKS_MAX:
            raise invalid(field, f"expected at most {MARKS_MAX} marks on a letter, at {place}")
        if category not in INVISIBLE or character in allowed:
            continue
        if category == "Cf" and _belongs(text, place):
            continue
        name = unicodedata.name(character, "a control character")
        raise invalid(
            field, f"expected visible text, was U+{ord(character):04X} ({name}) at {place}"
        )


def _belongs(text: str, place: int) -> bool:
    """Whether a format character is part of what is seen: a joiner inside, a flag's letter."""
    if ord(text[place]) in TAG_CHARACTERS:
        return place > 0 and not text[place - 1].isascii()
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return text[place] in JOINERS and len(around) == 2 and not any(map(_plain, around))


def _plain(character: str) -> bool:
    return character.isascii() or character.isspace() or character in JOINERS


def clean_handle(text: str) -> str:
    """Return a handle in lower case and without its `@`; the core checks the grammar.

    Raises:
        CommandError: `HANDLE_TAKEN`, the handle is reserved.
    """
    handle = unicodedata.normalize("NFKC", text).strip().removeprefix("@").lower()
    if handle in HANDLES_RESERVED:
        raise CommandError(
            "HANDLE_TAKEN", f"expected a free handle, {handle} is reserved", field="handle"
        )
    return handle


def clean_each(field: str, texts: list[str], length_max: int) -> list[str]:
    """Return `clean` of every text of a list; the error names the one at fault."""
    return [clean(f"{field}[{at}]", text, (1, length_max)) for at, text in enumerate(texts)]


def clean_tags(field: str, tags: list[str]) -> list[str]:
    """Return tags in lower case, each once, without `#`: words of letters, digits, `-`, `_`.

    Raises:
        CommandError: `INVALID_ARGUMENT`.
    """
    found: dict[str, None] = {}
    for number, tag in enumerate(tags):
        name = f"{field}[{number}]"
        cleaned = clean(name, tag.strip().removeprefix("#").lower(), (1, limits.TAG_LENGTH_MAX))
        if not TAG.fullmatch(cleaned):
            raise invalid(name, f"expected letters, digits, - and _, was {cleaned!r}")
        found[cleaned] = None
    return list(found)


def clean_links(field: str, links: list[str]) -> list[str]:
    """Return addresses of the web, each once: `https`, a host, no credentials.

    Raises:
        CommandError: `INVALID_ARGUMENT`.
    """
    found: dict[str, None] = {}
    for number, link in enumerate(links):
        name = f"{field}[{number}]"
        cleaned = clean(name, link, (1, limits.LINK_LENGTH_MAX))
        if not _is_link(cleaned):
            raise invalid(name, f"expected an address like https://example.org, was {cleaned!r}")
        found[cleaned] = None
    return list(found)


def _is_link(text: str) -> bool:
    if not text.isascii() or any(character.isspace() for character in text):
        return False
    try:
        parts = urlsplit(text)
        return (
            parts.scheme == "https"
            and "." in (parts.hostname or "")
            and parts.username is None
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return False
