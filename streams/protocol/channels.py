"""Names of channels: `kind[:argument[:argument]][@interval]`.

Invariants:
    * The kind fixes how many arguments follow; the last one takes the rest of the name, so a
      symbol may hold a colon (`book:hl:ETH@1s`).
    * `@interval` stands only on conflatable kinds; without one the interval is `100ms`.
    * A trader argument is an id or `@handle`; its `@` opens the argument and is no interval.

This module knows grammar only: whether a symbol or a trader exists is the replica's to say.

Source: wire-protocol.md, "Channels".
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from streams.protocol.limits import CHANNEL_NAME_CHARS_MAX


INTERVALS: Final = ("raw", "100ms", "1s")
INTERVAL_DEFAULT: Final = "100ms"

_PRINTABLE: Final = re.compile(r"[!-~]+\Z")


class ChannelKind(NamedTuple):
    """What the kind of a channel fixes.

    Attributes:
        arguments_min: fewest arguments.
        arguments_max: most arguments; the last one takes the rest of the name.
        conflatable: whether only the newest state matters; else lossless.
        own: whether it is the account's own and needs authentication.
        crc: whether its deltas and snapshots carry a checksum.
    """

    arguments_min: int
    arguments_max: int
    conflatable: bool
    own: bool = False
    crc: bool = False


KINDS: Final[dict[str, ChannelKind]] = {
    "marks": ChannelKind(0, 1, conflatable=True),
    "book": ChannelKind(1, 1, conflatable=True, crc=True),
    "positions": ChannelKind(1, 1, conflatable=True, crc=True),
    "leaderboard": ChannelKind(2, 2, conflatable=True, crc=True),
    "sentiment": ChannelKind(1, 1, conflatable=True),
    "trending": ChannelKind(0, 0, conflatable=True),
    "ideas": ChannelKind(0, 1, conflatable=False),
    "ideas_by": ChannelKind(1, 1, conflatable=False),
    "signals": ChannelKind(1, 1, conflatable=False),
    "copies": ChannelKind(0, 0, conflatable=False, own=True),
    "account": ChannelKind(0, 0, conflatable=False, own=True),
    "notifications": ChannelKind(0, 0, conflatable=False, own=True),
    "feed": ChannelKind(0, 0, conflatable=False, own=True),
    "system": ChannelKind(0, 0, conflatable=False),
}


class ChannelName(NamedTuple):
    """A parsed name.

    Attributes:
        kind: a key of `KINDS`.
        arguments: as many as the kind allows, none empty.
        interval: one of `INTERVALS` on conflatable kinds, None on lossless ones.
    """

    kind: str
    arguments: tuple[str, ...] = ()
    interval: str | None = None

    @property
    def rules(self) -> ChannelKind:
        """What the kind fixes."""
        return KINDS[self.kind]

    def __str__(self) -> str:
        """Return the canonical text: the default interval is left out."""
        text = ":".join((self.kind, *self.arguments))
        if self.interval in (None, INTERVAL_DEFAULT):
            return text
        return f"{text}@{self.interval}"


class ChannelNameError(ValueError):
    """A text is not a channel name. The message says what was expected."""


def parse_channel(text: str) -> ChannelName:
    """Parse a channel name.

    Raises:
        ChannelNameError: unknown kind, wrong number of arguments, an interval that does not
            exist or does not belong there, or characters outside printable ASCII.
    """
    if len(text) > CHANNEL_NAME_CHARS_MAX or _PRINTABLE.match(text) is None:
        raise ChannelNameError(
            f"expected at most {CHANNEL_NAME_CHARS_MAX} printable ASCII characters without spaces"
        )
    body, interval = _split_interval(text)
    kind, colon, rest = body.partition(":")
    rules = KINDS.get(kind)
    if rules is None:
        raise ChannelNameError(f"expected a kind of {', '.join(KINDS)}, was {kind}")
    arguments = _split_arguments(rest, rules.arguments_max) if colon else ()
    count = len(arguments)
    if not rules.arguments_min <= count <= rules.arguments_max or "" in arguments:
        raise ChannelNameError(
            f"expected {_count_text(rules)} after {kind}, was {rest!r}"
            if colon
            else f"expected {_count_text(rules)} after {kind}, was none"
        )
    if not rules.conflatable:
        if interval is not None:
            raise ChannelNameError(f"expected no interval on the lossless {kind}, was {interval}")
        return ChannelName(kind, arguments)
    return ChannelName(kind, arguments, interval or INTERVAL_DEFAULT)


def _split_interval(text: str) -> tuple[str, str | None]:
    body, at, interval = text.rpartition("@")
    # `signals:@alice`: an `@` right after a colon opens a handle.
    if not at or body.endswith(":"):
        return text, None
    if interval not in INTERVALS:
        raise ChannelNameError(f"expected an interval of {', '.join(INTERVALS)}, was {interval}")
    return body, interval


def _split_arguments(rest: str, count_max: int) -> tuple[str, ...]:
    return tuple(rest.split(":", count_max - 1)) if count_max else (rest,)


def _count_text(rules: ChannelKind) -> str:
    if rules.arguments_min == rules.arguments_max:
        return f"{rules.arguments_max} argument(s)"
    return f"{rules.arguments_min} to {rules.arguments_max} arguments"
