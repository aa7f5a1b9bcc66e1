"""What a trader tells and decides about itself: the part of the state that most traders lack.

A trader without any of it has no `Profile` at all (`Trader.profile` is None), so that a million
registered traders stay small; `Trader.about` reads it all the same.
Encoding and rules as in state.
"""

from __future__ import annotations

import msgspec


class FormerHandle(msgspec.Struct, array_like=True, gc=False):
    """A handle that a trader had until `until_us`; it stays the trader's own."""

    handle: str
    until_us: int


class Profile(msgspec.Struct, array_like=True):
    """Public words, standing and settings of one trader.

    Attributes:
        links: addresses on the web, in the trader's order.
        tags: what the trader is about.
        former_handles: oldest first.
        handle_since_us: when the present handle was taken, 0 = at the registration.
        verified_at_us: when `Trader.verified` last changed, 0 = never.
        verified_reason: why, as the administrator wrote it.
        closed_at_us: when the account was closed, 0 = it is open.
        closed_reason: why.
        levels: level of notifications by category, where it is not the default.
        notices_read: number of the newest notification read.
        feed_base: see `network.feed`.
        feed_floor: number of the feed when the followed traders last changed.
    """

    links: list[str] = []
    tags: list[str] = []
    former_handles: list[FormerHandle] = []
    handle_since_us: int = 0
    verified_at_us: int = 0
    verified_reason: str = ""
    closed_at_us: int = 0
    closed_reason: str = ""
    levels: dict[str, str] = {}
    notices_read: int = 0
    feed_base: int = 0
    feed_floor: int = 0


NO_PROFILE = Profile()
"""What a trader without a profile is read as; never changed."""
