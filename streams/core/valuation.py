"""Equity of all traders at once: a cache of the state in arrays.

The ranking of boards needs every trader's equity once a second; one Python loop over all
positions would cost too much. `Valuation` keeps cash and the open positions of the traders' own
ledgers (not of the ring fences of copies) as a structure of arrays and computes all equities in a
few passes. Fills and marks only note what has changed (`moved`, `marked`); the arrays catch up when
they are asked, so what changes often between two rankings is written once.

Invariants:
    * A pure function of the state: `from_state` builds what the setters would have built.
    * Row i belongs to the i-th trader of `state.traders`, which only grows at its end.
    * Sums are integers. Only the value of a position passes through a float, truncated to whole
      micro-units: it differs from `performance.equity` by at most one micro-unit a position as
      long as the value stays below 2**50 micro-units (a thousand million).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.core.limits import INTEGER_MAX, MAINTENANCE_PPM
from streams.core.money import PPM
from streams.core.state import Instrument, State


Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GROSS_UNIT = 1_000
"""Micro-units in which the entry values of a trader's positions are added up, to fit 64 bits."""

GROSS_SHARE = GROSS_UNIT * MAINTENANCE_PPM // PPM
"""Equity below this many times the added-up entry values is below the maintenance margin."""

CAPACITY_MIN = 64
"""Rows allotted at first; arrays double when they are full."""


BLOCK_SLOTS = 32_768
"""Positions valued at once: so many that their numbers stay in a processor's cache."""

BLOCKS_PER_STEP = 4
"""Blocks of one step: about a millisecond."""


def value_per_lot(instrument: Instrument) -> float | None:
    """Return the micro-units that one lot is worth at the mark, None without a quote."""
    if not instrument.quoted:
        return None
    return instrument.mark_ticks * instrument.value_numerator / instrument.value_denominator


def grown(array: npt.NDArray[Any], rows: int, fill: float = 0) -> npt.NDArray[Any]:
    """Return the array, or a copy of at least twice the length if `rows` do not fit.

    Args:
        array: one-dimensional.
        rows: rows that must fit.
        fill: value of the added rows.
    """
    if rows <= len(array):
        return array
    larger = np.full(max(rows, 2 * len(array)), fill, dtype=array.dtype)
    larger[: len(array)] = array
    return larger


class Valuation:
    """Cash, open positions and marks of all traders in arrays; sole owner of them."""

    __slots__ = (
        "_cash",
        "_changed",
        "_cost",
        "_equities",
        "_free",
        "_gross",
        "_lots",
        "_margined",
        "_marked",
        "_moved",
        "_owner",
        "_quoted",
        "_slots",
        "_slots_used",
        "_state",
        "_symbol_of",
        "_symbols",
        "_value_per_lot",
        "rows",
        "traders",
        "version",
    )

    def __init__(self, state: State) -> None:
        self._state = state
        self._moved: dict[tuple[str, str], None] = {}
        self._marked: dict[str, None] = {}
        # Raised whenever an equity or a record may have changed.
        self.version = 0
        self.traders: list[str] = []
        self.rows: dict[str, int] = {}
        self._cash: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._gross: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._margined: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._slots: list[dict[str, int]] = []
        self._slots_used = 0
        self._free: list[int] = []
        self._owner: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._symbol_of: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._lots: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._cost: Integers = np.zeros(CAPACITY_MIN, np.int64)
        self._symbols: dict[str, int] = {}
        self._value_per_lot: Floats = np.zeros(CAPACITY_MIN, np.float64)
        self._quoted: Flags = np.zeros(CAPACITY_MIN, np.bool_)
        self._changed: dict[int, None] = {}
        self._equities: Integers | None = None

    @classmethod
    def from_state(cls, state: State) -> Valuation:
        """Build the arrays from a state, for instance after a snapshot was loaded."""
        valuation = cls(state)
        for instrument in state.instruments.values():
            valuation.set_mark(instrument.symbol, value_per_lot(instrument))
        for trader in state.traders.values():
            valuation.add_trader(
                trader.trader, trader.ledger.cash_micros, margined=trader.origin != "recorded"
            )
            for symbol, position in trader.ledger.positions.items():
                valuation.set_position(trader.trader, symbol, position.lots, position.cost_micros)
        return valuation

    def add_trader(self, trader: str, cash_micros: int = 0, *, margined: bool = False) -> None:
        """Append a trader, in the order of `state.traders`.

        Args:
            trader: a new id.
            cash_micros: cash of its own ledger.
            margined: the maintenance margin is asked of it, see `below_margin`.

        Raises:
            ValueError: the trader is there already.
        """
        if trader in self.rows:
            raise ValueError(f"expected a new trader, was {trader} in row {self.rows[trader]}")
        row = len(self.traders)
        self.traders.append(trader)
        self.rows[trader] = row
        self._slots.append({})
        self._cash = grown(self._cash, row + 1)
        self._cash[row] = cash_micros
        self._gross = grown(self._gross, row + 1)
        self._margined = grown(self._margined, row + 1)
        self._margined[row] = margined
        self._touch(row)

    def moved(self, trader: str, symbol: str) -> None:
        """Note that a trader's cash and its position in an instrument may have changed."""
        self._moved[trader, symbol] = None
        self._changed[self.rows[trader]] = None
        self._equities = None
        self.version += 1

    def marked(self, symbol: str) -> None:
        """Note that an instrument's mark may have changed."""
        self._marked[symbol] = None
        self._equities = None
        self.version += 1

    def set_cash(self, trader: str, cash_micros: int) -> None:
        """Set the cash of a trader's own ledger."""
        row = self.rows[trader]
        self._cash[row] = cash_micros
        self._touch(row)

    def set_position(self, trader: str, symbol: str, lots: int, cost_micros: int) -> None:
        """Set a trader's position; `lots` 0 removes it.

        Args:
            trader: id of a trader added before.
            symbol: the instrument; it need not have a mark yet.
            lots: signed lots after the change.
            cost_micros: signed cost after the change.
        """
        row = self.rows[trader]
        self._touch(row)
        self._put_position(row, symbol, lots, cost_micros)

    def _put_position(self, row: int, symbol: str, lots: int, cost_micros: int) -> None:
        slots = self._slots[row]
        slot = slots.get(symbol)
        if lots == 0:
            if slot is not None:
                del slots[symbol]
                self._gross[row] -= abs(int(self._cost[slot])) // GROSS_UNIT
                self._lots[slot] = self._cost[slot] = 0
                self._free.append(slot)
            return
        if slot is None:
            slot = slots[symbol] = self._allot()
            self._owner[slot] = row
            self._symbol_of[slot] = self._symbol(symbol)
        self._gross[row] += (
            abs(cost_micros) // GROSS_UNIT - abs(int(self._cost[slot])) // GROSS_UNIT
        )
        self._lots[slot] = lots
        self._cost[slot] = cost_micros

    def set_mark(self, symbol: str, value_per_lot: float | None) -> None:
        """Set what one lot is worth in micro-units; None = no quote, valued at cost."""
        self._put_mark(symbol, value_per_lot)
        self._equities = None
        self.version += 1

    def _put_mark(self, symbol: str, value_per_lot: float | None) -> None:
        index = self._symbol(symbol)
        self._quoted[index] = value_per_lot is not None
        self._value_per_lot[index] = 0.0 if value_per_lot is None else value_per_lot

    def _catch_up(self) -> None:
        """Take over what was noted. It tells nobody: whoever noted it has."""
        state = self._state
        for trader, symbol in self._moved:
            ledger, row = state.traders[trader].ledger, self.rows[trader]
            position = ledger.positions.get(symbol)
            lots, cost = (position.lots, position.cost_micros) if position else (0, 0)
            self._put_position(row, symbol, lots, cost)
            self._cash[row] = ledger.cash_micros
        self._moved.clear()
        for symbol in self._marked:
            self._put_mark(symbol, value_per_lot(state.instruments[symbol]))
        self._marked.clear()

    def equities(self) -> Integers:
        """Return the equity of every trader in micro-units, by row; read-only.

        Computed again only after something changed.
        """
        equities = self._equities
        if equities is None:
            for _ in self.prepare():
                pass
            return self.equities()
        return equities

    def prepare(self) -> Iterator[None]:
        """Compute `equities` in short steps; nothing may be set until the last one.

        Yields:
            None after each step.
        """
        if self._equities is not None:
            return
        self._catch_up()
        equities: Integers = self._cash[: len(self.traders)].copy()
        some_unquoted = not bool(np.all(self._quoted[: len(self._symbols)]))
        for first in range(0, self._slots_used, BLOCK_SLOTS):
            block = slice(first, min(first + BLOCK_SLOTS, self._slots_used))
            symbols = self._symbol_of[block]
            values = self._lots[block] * self._value_per_lot[symbols]
            # Casting what does not fit would differ between processors.
            np.clip(values, -INTEGER_MAX, INTEGER_MAX, out=values)
            profits = values.astype(np.int64)
            profits -= self._cost[block]
            if some_unquoted:
                profits *= self._quoted[symbols]
            np.add.at(equities, self._owner[block], profits)
            if first // BLOCK_SLOTS % BLOCKS_PER_STEP == BLOCKS_PER_STEP - 1:
                yield
        equities.flags.writeable = False
        self._equities = equities

    def below_margin(self) -> list[int]:
        """Return the rows of margined traders whose equity is below the maintenance margin.

        To a thousandth of a unit: whoever acts on it asks exactly. Ascending.
        """
        count, equities = len(self.traders), self.equities()
        asked = self._gross[:count]
        below = (equities // GROSS_SHARE < asked) & self._margined[:count]
        return [int(row) for row in np.flatnonzero(below)]

    def take_changed(self) -> list[int]:
        """Return the rows whose cash or positions were set since the last call, in order."""
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def _touch(self, row: int) -> None:
        self._changed[row] = None
        self._equities = None
        self.version += 1

    def _symbol(self, symbol: str) -> int:
        index = self._symbols.get(symbol)
        if index is None:
            index = self._symbols[symbol] = len(self._symbols)
            self._value_per_lot = grown(self._value_per_lot, index + 1)
            self._quoted = grown(self._quoted, index + 1)
        return index

    def _allot(self) -> int:
        if self._free:
            return self._free.pop()
        slot = self._slots_used
        self._slots_used = slot + 1
        if slot == len(self._lots):
            self._owner = grown(self._owner, slot + 1)
            self._symbol_of = grown(self._symbol_of, slot + 1)
            self._lots = grown(self._lots, slot + 1)
            self._cost = grown(self._cost, slot + 1)
        return slot
