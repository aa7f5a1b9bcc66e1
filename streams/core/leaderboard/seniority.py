"""Who goes first in a tie: the longer record, then the earlier join, then the id.

Only traders with a fill are ever ranked, so only they have a place. First fills come in the order
of time, so a newcomer usually goes to the end; one that does not (a recording of older days) makes
everybody's place be computed again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streams.core.state import State
from streams.core.valuation import CAPACITY_MIN, Integers, grown


Place = tuple[int, int, str]


class Seniority:
    """Places of all traders with a fill.

    Attributes:
        places: place of each valuation row; of no meaning for who has none.
        rows: valuation row by place.
    """

    __slots__ = ("_last", "_members", "_newcomers", "_traders", "places", "rows")

    def __init__(self, traders: Sequence[str]) -> None:
        """Begin without members.

        Args:
            traders: trader by valuation row; it may grow.
        """
        self._traders = traders
        self._members = 0
        self._newcomers: list[int] = []
        self._last: Place = (-1, -1, "")
        self.places: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self.rows: Integers = np.zeros(CAPACITY_MIN, np.int64)

    def grow(self, rows: int) -> None:
        """Make room for more valuation rows."""
        self.places, self.rows = grown(self.places, rows), grown(self.rows, rows)

    def add(self, row: int) -> None:
        """Add a trader, who gets a place at the next `refresh`."""
        self._newcomers.append(row)

    def refresh(self, state: State) -> None:
        """Give newcomers their places."""
        if not self._newcomers:
            return
        begin = self._members
        found = sorted((self._place(state, row), row) for row in self._newcomers)
        if found[0][0] < self._last:
            found += [(self._place(state, row), row) for row in self.rows[:begin].tolist()]
            found.sort()
            begin = 0
        rows = np.array([row for _, row in found], np.int64)
        end = begin + len(rows)
        self.rows[begin:end] = rows
        self.places[rows] = np.arange(begin, end)
        self._members, self._last = end, found[-1][0]
        self._newcomers.clear()

    def _place(self, state: State, row: int) -> Place:
        trader = state.traders[self._traders[row]]
        return trader.track.first_fill_us, trader.joined_at_us, trader.trader
