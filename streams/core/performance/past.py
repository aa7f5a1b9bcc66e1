"""The part of a record that is older than the days it keeps: folded into sums, a day at a time.

Every sum is made of correctly rounded steps in the order of the days, so that all nodes hold the
same. A day that is forgotten costs the same however long the record is.

Source: domain.md, section 3 ("incremental").
"""

from __future__ import annotations

from streams.core.performance.moments import Moments
from streams.core.performance.stability import logarithm
from streams.core.performance.trips import add_day
from streams.core.state import Day, Earlier


def fold(earlier: Earlier, day: Day) -> None:
    """Add the day that follows; after the record was wiped only its trading counts."""
    add_day(earlier.trading, day)
    before = earlier.unit_ppb
    earlier.unit_ppb = day.unit_ppb
    if before <= 0:
        return
    gained = day.unit_ppb / before - 1.0
    earlier.moments = earlier.moments.merged(Moments.of((gained,)))
    earlier.drawdown.add(gained, day.day)
    if earlier.drawdown.unit > 0.0:
        earlier.line.add(logarithm(earlier.drawdown.unit))
