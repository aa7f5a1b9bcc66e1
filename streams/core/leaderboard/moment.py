"""Everybody on every board of one period, at one moment.

A `Moment` computes each metric once, for the metric's own board and for the presets that show
it. Only traders that may reach the head are given sort keys for it; who may is told by a hint
(the last value of the head before), which saves time and never changes the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streams.core.leaderboard import keys as sort_keys
from streams.core.leaderboard.definitions import BOARDS, COMPOSITE, LOWEST_FIRST, Definition
from streams.core.leaderboard.heads import Head
from streams.core.leaderboard.keys import VALUE_MICRO
from streams.core.leaderboard.present import OF_TRADES, VALUES, Present, Today
from streams.core.leaderboard.seniority import Seniority
from streams.core.limits import BOARD_ROWS_STREAMED_MAX
from streams.core.valuation import Flags, Floats, Integers


UNMOVED = OF_TRADES | {COMPOSITE}
"""Metrics that marks do not change."""

HINT_ROWS = 4 * BOARD_ROWS_STREAMED_MAX
"""Rank whose value is the hint for the next moment: so far down that the head stays above it."""

UNSCORED = -1
"""In place of a score: not eligible at the newest close."""

FEW_ROWS = 4_096
"""Ranked traders that are sorted without looking for the best among them first."""


NOBODY = Head(np.zeros(0, np.int64), [], [], [], 0)
"""Head of a board that ranks nobody."""


class Standing(NamedTuple):
    """Everybody as of one moment.

    Attributes:
        token: what it was computed from, see `Boards`.
        day: the UTC day.
        records: number that rises with every change that is not one of marks.
        today: the running day of all traders.
        traded: who has a fill and is not left out.
        barred: who is left out of the composite board.
        funded: who of them ever had equity.
        first_day: UTC day of the first fill.
    """

    token: tuple[int, int]
    day: int
    records: int
    today: Today
    traded: Flags
    barred: Flags
    funded: Flags
    first_day: Integers


class Moment:
    """One period of everybody."""

    __slots__ = ("_allowed", "_heads", "_present", "_seniority", "_values", "standing", "trades")

    def __init__(
        self,
        standing: Standing,
        present: Present,
        seniority: Seniority,
        before: Moment | None,
        scores: Integers | None = None,
    ) -> None:
        """Begin a moment.

        Args:
            standing: of everybody.
            present: the period.
            seniority: of everybody.
            before: the moment before of the same period, None for none.
            scores: composite scores in millionths, `UNSCORED` = none; None = of no use here.
        """
        self.standing = standing
        self._present = present
        self._seniority = seniority
        self._values: dict[str, tuple[Floats, Flags]] = {}
        self._heads: dict[str, tuple[Head, int | None]] = {}
        self._allowed: dict[str, Flags] = {}
        # Round trips closed in the period, by row.
        self.trades: Integers
        if before is not None and before.standing.records == standing.records:
            # Only marks have moved: what round trips say is as it was.
            self.trades, self._allowed, self._values, self._heads = before.unmoved()
        else:
            self.trades = present.trades(standing.today)
            if scores is not None:
                scored = scores[: len(standing.barred)]
                ranked = (scored != UNSCORED) & ~standing.barred[: len(scored)]
                self._values[COMPOSITE] = scored / VALUE_MICRO, ranked

    def unmoved(
        self,
    ) -> tuple[
        Integers,
        dict[str, Flags],
        dict[str, tuple[Floats, Flags]],
        dict[str, tuple[Head, int | None]],
    ]:
        """Return what marks do not change: round trips, conditions, values and heads of them."""
        values = {metric: self._values[metric] for metric in sorted(UNMOVED & self._values.keys())}
        heads = {name: head for name, head in self._heads.items() if BOARDS[name].metric in UNMOVED}
        return self.trades, self._allowed, values, heads

    def keys(self, name: str) -> Integers:
        """Return everybody's sort key on a board, by row."""
        values, ranked = self._board(name)
        places = self._seniority.places[: len(values)]
        return sort_keys.pack(values, ranked, places, lowest_first=is_lowest_first(name))

    def head(self, name: str, traders: Sequence[str], hint: int | None) -> tuple[Head, int | None]:
        """Return the head of a board, and the hint for the next moment.

        Args:
            name: of the board.
            traders: trader by row.
            hint: from the moment before, None for none.
        """
        known = self._heads.get(name)
        if known is not None:
            return known
        values, ranked = self._board(name)
        count = int(np.count_nonzero(ranked))
        if count == 0:
            self._heads[name] = NOBODY, hint
            return NOBODY, hint
        lowest_first = is_lowest_first(name)
        rows = self._candidates(values, ranked, count, hint, lowest_first=lowest_first)
        if rows is None:
            keys = self.keys(name)
        else:
            places = self._seniority.places[rows]
            keys = sort_keys.pack(values[rows], None, places, lowest_first=lowest_first)
        best = sort_keys.best(keys, HINT_ROWS)
        if len(best) == HINT_ROWS:
            hint = int(self.values_of(name, best[-1:])[0])
        first = best[:BOARD_ROWS_STREAMED_MAX]
        rows = self.rows_of(first)
        head = Head(
            rows,
            [traders[row] for row in rows.tolist()],
            self.values_of(name, first).tolist(),
            self.trades[rows].tolist(),
            count,
        )
        self._heads[name] = head, hint
        return head, hint

    def rows_of(self, keys: Integers) -> Integers:
        """Return whose keys they are, as rows."""
        rows: Integers = self._seniority.rows[sort_keys.seniority_of(keys)]
        return rows

    def values_of(self, name: str, keys: Integers) -> Integers:
        """Return the values in millionths that keys of a board hold."""
        return sort_keys.values_of(keys, lowest_first=is_lowest_first(name))

    def _board(self, name: str) -> tuple[Floats, Flags]:
        """Return everybody's value on a board, and whom it ranks."""
        definition, standing = BOARDS[name], self.standing
        found = self._values.get(definition.metric)
        if found is None:
            values, ranked = VALUES[definition.metric](self._present, standing.today)
            ranked &= standing.traded if definition.metric in OF_TRADES else standing.funded
            found = self._values[definition.metric] = values, ranked
        values, ranked = found
        if definition.trades_min:
            allowed = self._allowed.get(name)
            if allowed is None:
                allowed = self._allowed[name] = self._allow(definition)
            ranked = ranked & allowed
        return values, ranked

    def _allow(self, definition: Definition) -> Flags:
        allowed: Flags = self.trades >= definition.trades_min
        if definition.record_days_max:
            day = self.standing.day - definition.record_days_max
            allowed &= self.standing.first_day >= day
        return allowed

    def _candidates(
        self, values: Floats, ranked: Flags, count: int, hint: int | None, *, lowest_first: bool
    ) -> Integers | None:
        """Return rows among which the whole head is, None for all."""
        if count <= FEW_ROWS:
            return np.flatnonzero(ranked)
        if hint is None:
            return None
        # One millionth more than the value: whoever rounds to it is taken too.
        if lowest_first:
            near = values <= (hint + 1) / VALUE_MICRO
        else:
            near = values >= (hint - 1) / VALUE_MICRO
        near &= ranked
        rows = np.flatnonzero(near)
        return rows if len(rows) >= BOARD_ROWS_STREAMED_MAX else None


def is_lowest_first(name: str) -> bool:
    """Whether the smallest value has rank 1 on a board."""
    return BOARDS[name].metric in LOWEST_FIRST
