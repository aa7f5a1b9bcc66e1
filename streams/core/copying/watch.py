"""Equity of all copies at once, held against their limits: a cache of the state in arrays.

Once a second the marks of the instruments that some copy holds are looked up, and only positions
whose mark moved are valued again. Rows that passed a limit are written to `CopyDesk.breaches`;
the rules then ask them exactly, a bounded number in each tick.

Invariants:
    * A pure function of the state at the last second: restored from a snapshot it says the same.
    * Nothing is done for marks, fills or ticks while there is no copy.
    * Sums are integers; only the value of a position passes through a float, truncated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.core.copying.losses import next_loss_level_bps
from streams.core.limits import INTEGER_MAX
from streams.core.market_clock import day_of
from streams.core.money import BPS
from streams.core.state import Copy, CopyFigures, State
from streams.core.valuation import grown, value_per_lot


Integers = npt.NDArray[np.int64]

WATCHED = ("ACTIVE", "SYNCING", "PAUSED", "CLOSE_ONLY", "STOPPING")
"""Statuses in which a copy's limits are watched."""

COLUMNS = ("stop", "trailing", "loss", "drawdown", "target", "notify")
"""Limits of a row in basis points, 0 = none."""


class CopyWatch:
    """Cash, positions and limits of all copies by row; sole owner of the arrays."""

    __slots__ = (
        "_base",
        "_blocked",
        "_cash",
        "_cost",
        "_day",
        "_equity",
        "_free",
        "_held",
        "_limits",
        "_lots",
        "_owner",
        "_profit",
        "_slots",
        "_symbol_of",
        "_symbols",
        "_used",
        "_value",
        "_watched",
        "touched",
    )

    def __init__(self, state: State) -> None:
        self.touched: dict[int, None] = {}
        self._blocked: dict[int, None] = {}
        self._day = 0
        self._slots: list[dict[str, int]] = []
        self._free: list[int] = []
        self._used = 0
        self._symbols: dict[str, int] = {}
        self._held: list[int] = []
        self._value = np.zeros(0, np.float64)
        self._owner, self._symbol_of = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._lots, self._cost = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._profit = np.zeros(0, np.int64)
        self._cash, self._base = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._equity = np.zeros(0, np.int64)
        self._watched = np.zeros(0, np.bool_)
        self._limits = [np.zeros(0, np.int64) for _ in COLUMNS]
        self._grow(len(state.copy_desk.rows))
        self._take_all(state, range(len(state.copy_desk.rows)))

    def update(self, state: State) -> None:
        """Value what moved, keep the running figures, and note the rows that passed a limit."""
        rows = len(state.copy_desk.rows)
        today = day_of(state.market_at_us)
        if today != self._day:
            # Yesterday's limits no longer block.
            self.touched.update(self._blocked)
            self._blocked.clear()
            self._day = today
        self._grow(rows)
        self._take_all(state, self.touched)
        self.touched.clear()
        self._revalue(state)
        self._judge(state, rows)

    def _grow(self, rows: int) -> None:
        for name in ("_cash", "_base", "_equity", "_watched"):
            setattr(self, name, grown(getattr(self, name), rows))
        self._limits = [grown(column, rows) for column in self._limits]
        while len(self._slots) < rows:
            self._slots.append({})

    def _take_all(self, state: State, rows: Iterable[int]) -> None:
        """Copy relationships into the arrays, then value their positions, all at once."""
        slots: list[int] = []
        for row in rows:
            self._take(state, row)
            slots += self._slots[row].values()
        if slots:
            self._value_slots(np.array(slots))

    def _take(self, state: State, row: int) -> None:
        """Copy a relationship's ledger and limits into the arrays, without valuing it."""
        leader, follower = state.copy_desk.rows[row]
        copy = state.copies[leader][follower]
        watched = copy.status in WATCHED
        self._watched[row] = watched
        self._base[row] = copy.stop_base_micros
        cash = copy.ledger.cash_micros
        self._equity[row] += cash - self._cash[row]
        self._cash[row] = cash
        blocked = bool(copy.blocked_code) and copy.blocked_day == day_of(state.market_at_us)
        if blocked:
            self._blocked[row] = None
        for column, bps in zip(self._limits, _limits_of(copy, blocked=blocked), strict=True):
            column[row] = bps
        slots, positions = self._slots[row], copy.ledger.positions
        for symbol in [symbol for symbol in slots if symbol not in positions]:
            self._release(row, slots.pop(symbol))
        for symbol, position in positions.items():
            slot = slots.get(symbol)
            if slot is None:
                slot = slots[symbol] = self._allot(row, self._symbol(symbol))
            self._lots[slot], self._cost[slot] = position.lots, position.cost_micros

    def _release(self, row: int, slot: int) -> None:
        self._equity[row] -= self._profit[slot]
        self._held[self._symbol_of[slot]] -= 1
        self._lots[slot] = self._cost[slot] = self._profit[slot] = 0
        self._free.append(slot)

    def _allot(self, row: int, symbol: int) -> int:
        if self._free:
            slot = self._free.pop()
        else:
            slot, self._used = self._used, self._used + 1
            for name in ("_owner", "_symbol_of", "_lots", "_cost", "_profit"):
                setattr(self, name, grown(getattr(self, name), self._used))
        self._owner[slot], self._symbol_of[slot] = row, symbol
        self._held[symbol] += 1
        return slot

    def _symbol(self, symbol: str) -> int:
        index = self._symbols.get(symbol)
        if index is None:
            index = self._symbols[symbol] = len(self._symbols)
            self._held.append(0)
            # not a number: the first look at the mark differs from it, whatever the mark is
            self._value = grown(self._value, index + 1, np.nan)
            self._value[index] = np.nan
        return index

    def _revalue(self, state: State) -> None:
        changed = np.zeros(len(self._value), np.bool_)
        moved = False
        for symbol, index in self._symbols.items():
            if self._held[index]:
                value = value_per_lot(state.instruments[symbol])
                new = np.nan if value is None else value
                if new != self._value[index]:
                    self._value[index] = new
                    changed[index] = moved = True
        if moved:
            self._value_slots(np.nonzero(changed[self._symbol_of[: self._used]])[0])

    def _value_slots(self, slots: npt.NDArray[Any]) -> None:
        """Value positions at the marks last looked up and move their owners' equity."""
        per_lot = self._value[self._symbol_of[slots]]
        values = self._lots[slots] * per_lot
        quoted = ~np.isnan(per_lot)
        values[~quoted] = 0
        # Casting what does not fit would differ between processors.
        np.clip(values, -INTEGER_MAX, INTEGER_MAX, out=values)
        profits = (values.astype(np.int64) - self._cost[slots]) * quoted
        np.add.at(self._equity, self._owner[slots], profits - self._profit[slots])
        self._profit[slots] = profits

    def _judge(self, state: State, rows: int) -> None:
        equity, watched, base = self._equity[:rows], self._watched[:rows], self._base[:rows]
        stop, trailing, loss, drawdown, target, notify = (each[:rows] for each in self._limits)
        peaks, day_peaks, day_starts = _running(state, equity, watched)
        met = equity <= base // BPS * (BPS - stop)
        met |= (trailing > 0) & (equity <= peaks // BPS * (BPS - trailing))
        met |= (loss > 0) & (equity <= day_starts // BPS * (BPS - loss))
        met |= (drawdown > 0) & (equity <= day_peaks // BPS * (BPS - drawdown))
        met |= (target > 0) & (equity >= day_starts // BPS * (BPS + target))
        met |= (notify > 0) & (equity <= base // BPS * (BPS - notify))
        met &= watched
        state.copy_desk.breaches = dict.fromkeys(np.nonzero(met)[0].tolist())


def _limits_of(copy: Copy, *, blocked: bool) -> tuple[int, ...]:
    settings = copy.settings
    daily: tuple[int, ...] = (
        settings.daily_loss_bps,
        settings.daily_drawdown_bps,
        settings.daily_target_bps,
    )
    if blocked:
        daily = (0, 0, 0)
    stops = settings.copy_stop_bps, settings.trailing_stop_bps
    return *stops, *daily, next_loss_level_bps(copy)


def _running(
    state: State, equity: Integers, watched: npt.NDArray[np.bool_]
) -> tuple[Integers, Integers, Integers]:
    """Move the running figures on in the state and return them."""
    figures: CopyFigures = state.copy_desk.figures
    peaks = np.frombuffer(figures.peaks, "<i8")
    day_peaks = np.frombuffer(figures.day_peaks, "<i8")
    day_starts = np.frombuffer(figures.day_starts, "<i8")
    today = day_of(state.market_at_us)
    if today != figures.day:
        figures.day = today
        day_starts[:] = equity
        day_peaks[:] = equity
    np.maximum(peaks, equity, out=peaks, where=watched)
    np.maximum(day_peaks, equity, out=day_peaks, where=watched)
    # Copies: a view of the bytes would forbid the state to add a row.
    return peaks.copy(), day_peaks.copy(), day_starts.copy()
