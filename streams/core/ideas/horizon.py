"""How long an idea lasts: from its timeframe in words to microseconds of market time."""

from __future__ import annotations

import re

from streams.core.limits import IDEA_HORIZON_DAYS_DEFAULT, IDEA_HORIZON_DAYS_MAX
from streams.core.market_clock import DAY_US


MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000

UNITS = {
    "m": MINUTE_US,
    "min": MINUTE_US,
    "h": HOUR_US,
    "d": DAY_US,
    "w": 7 * DAY_US,
    "mo": 30 * DAY_US,
    "y": 365 * DAY_US,
}

WORDS = {
    "scalp": HOUR_US,
    "intraday": DAY_US,
    "day": DAY_US,
    "swing": 14 * DAY_US,
    "position": 90 * DAY_US,
}

HORIZON_US_DEFAULT = IDEA_HORIZON_DAYS_DEFAULT * DAY_US
HORIZON_US_MAX = IDEA_HORIZON_DAYS_MAX * DAY_US

_COUNTED = re.compile(r"([1-9][0-9]{0,4}) ?([a-z]+)")


def horizon_us(timeframe: str) -> int:
    """Return how long an idea of this timeframe lives.

    Args:
        timeframe: a count and a unit (`30m`, `4h`, `3d`, `1w`, `6mo`, `1y`), or one of `WORDS`.

    Returns:
        Microseconds, at most `HORIZON_US_MAX`; `HORIZON_US_DEFAULT` for any other text.
    """
    text = timeframe.strip().lower()
    if text in WORDS:
        return WORDS[text]
    counted = _COUNTED.fullmatch(text)
    if counted is None or counted[2] not in UNITS:
        return HORIZON_US_DEFAULT
    return min(int(counted[1]) * UNITS[counted[2]], HORIZON_US_MAX)
