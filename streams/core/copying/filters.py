"""Stage 3: what a follower, its portfolio, the leader or the platform does not want copied.

Filters of all scopes add up. Each filter has a rank in the written order; of all that fail, the
one with the lowest rank names the skip, whatever scope it stands in.
Source: domain.md, sections 4.3 and 4.4.
"""

from __future__ import annotations

from typing import Protocol

from streams.core.reasons import Reason
from streams.core.state import CopySettings, Instrument


RANKED = (
    Reason.SYMBOL_NOT_ALLOWED,
    Reason.SYMBOL_DENIED,
    Reason.SIDE_NOT_ALLOWED,
    Reason.SESSION_CLOSED,
    Reason.NEWS_WINDOW,
    Reason.ASSET_UNSUPPORTED,
    Reason.NOT_SHORTABLE,
)
"""Filters in their written order; a rank is an index here."""

PASSED = len(RANKED)
"""The rank that stands for no failing filter."""

FILTERS = (
    "symbols_allow",
    "symbols_deny",
    "sides",
    "session_windows",
    "news_windows",
    "asset_classes_allow",
    "symbols_short_deny",
)
"""Settings that add up over the scopes; all others override."""

_SIDES = {"long": 1, "short": -1}


class Moment(Protocol):
    """When something is opened."""

    @property
    def at_us(self) -> int: ...  # noqa: D102
    @property
    def weekday(self) -> int: ...  # noqa: D102
    @property
    def minute(self) -> int: ...  # noqa: D102


def failing_rank(settings: CopySettings, instrument: Instrument, side: int, moment: Moment) -> int:
    """Return the rank of the first filter that fails, or `PASSED`.

    Args:
        settings: of one scope.
        instrument: what the follower would trade.
        side: +1 or -1, the follower's direction.
        moment: time of the signal.
    """
    symbol = instrument.symbol
    if settings.symbols_allow and symbol not in settings.symbols_allow:
        return 0
    if settings.symbols_deny and symbol in settings.symbols_deny:
        return 1
    if settings.sides != "both" and _SIDES[settings.sides] != side:
        return 2
    if settings.session_windows and not _in_session(settings, moment):
        return 3
    if settings.news_windows and _in_news(settings, symbol, moment.at_us):
        return 4
    classes = settings.asset_classes_allow
    if instrument.settled or (classes and instrument.asset_class not in classes):
        return 5
    if side < 0 and settings.symbols_short_deny and symbol in settings.symbols_short_deny:
        return 6
    return PASSED


def _in_session(settings: CopySettings, moment: Moment) -> bool:
    weekday, minute = moment.weekday, moment.minute
    for days, first, end in settings.session_windows:
        if days & weekday and first <= minute < end:
            return True
    return False


def _in_news(settings: CopySettings, symbol: str, at_us: int) -> bool:
    for named, from_us, until_us in settings.news_windows:
        if from_us <= at_us < until_us and named in ("*", symbol):
            return True
    return False
