"""A leader's fill as all its followers meet it: what they share is worked out once.

Invariants:
    * Built after the fill is booked, from the leader's account just before and just after it.
    * What depends on nothing but the signal and a side (quote, slippage) or on scopes above the
      relationship is remembered, so a thousand followers ask once.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.copying.risk import monthly_risk_ppm
from streams.core.events import FillBooked
from streams.core.limits import LEVERAGE_MAX
from streams.core.money import BPS
from streams.core.reasons import Reason
from streams.core.state import Instrument, Ledger, State


class Standing(NamedTuple):
    """A leader's account just before a fill, in micro-units.

    Attributes:
        equity: cash and open profit.
        balance: cash.
        free_margin: equity less what the open positions bind at `LEVERAGE_MAX`.
    """

    equity: int
    balance: int
    free_margin: int


def standing_of(state: State, ledger: Ledger) -> Standing:
    """Return how an account stands now."""
    equity, exposure = equity_and_exposure(state, ledger)
    return Standing(equity, ledger.cash_micros, equity - exposure // LEVERAGE_MAX)


def equity_and_exposure(state: State, ledger: Ledger) -> tuple[int, int]:
    """Return `ledger_equity`, and the value of all open positions, long and short added up.

    Both in one loop without calls: it runs for every follower of a signal.
    """
    equity, exposure = ledger.cash_micros, 0
    instruments = state.instruments
    for symbol, position in ledger.positions.items():
        instrument = instruments[symbol]
        if instrument.bid_ticks > 0:
            mark_ticks = (instrument.bid_ticks + instrument.ask_ticks) // 2
            product = mark_ticks * position.lots * instrument.value_numerator
            if product >= 0:
                value = product // instrument.value_denominator
                exposure += value
            else:
                value = -(-product // instrument.value_denominator)
                exposure -= value
            equity += value - position.cost_micros
    return equity, exposure


def quote_ticks(instrument: Instrument, side: int) -> int:
    """Return the price at which a paper order of this side fills (0 = no quote)."""
    return instrument.ask_ticks if side > 0 else instrument.bid_ticks


def slippage_bps(side: int, price_ticks: int, leader_price_ticks: int) -> int:
    """Return how much worse a price is than the leader's, in basis points, rounded away from 0."""
    worse = (price_ticks - leader_price_ticks) * side * BPS
    if worse >= 0:
        return -(-worse // leader_price_ticks)
    return worse // leader_price_ticks


def _shared_code(state: State, fill: FillBooked) -> Reason | None:
    """Return the gate of intake or state that stops the openings of all followers."""
    if fill.test:
        return Reason.LEADER_TEST_TRADE
    if fill.trader in state.copy_desk.suspended:
        return Reason.LEADER_SUSPENDED
    if state.traders[fill.trader].copying:
        return Reason.LEADER_IS_COPY
    return Reason.KILL_SWITCH if state.copy_desk.kill_switch else None


class Signal:
    """One fill of a leader, on its way to the followers.

    Attributes:
        fill: the leader's fill.
        instrument: what the leader traded.
        leader: standing of the leader's account just before.
        closed: unsigned lots that closed a position of the leader.
        held: unsigned lots the leader held before.
        opened: unsigned lots that opened or added.
        side: +1 or -1, direction of the fill.
        age_ms: how late the signal is, 0 for all but a venue's report.
        pending: the fill is of an order that rested.
        order_opened: unsigned lots that the whole order has opened by now.
        position: the leader's position just after the fill, None = flat.
        stop_ticks: the leader's stop loss (0 = none).
        leveled: the leader's position has a stop or a take.
        at_us: market time.
        weekday: bit of the UTC weekday, Monday = 1.
        minute: minute of the UTC day.
        code: the gate of intake or state that no follower's opening passes, or None.
        mode: how to size, instead of the follower's setting; empty = the setting.
        limit_ticks: price of an order that will rest, 0 = it trades at the quote.
        ordered_lots: unsigned lots of an order that was sized before, 0 = to be sized.
        slippage_max_bps: worst price, instead of the follower's setting.
        ranks: what the filters of leader and platform say, by side; see `scopes`.
    """

    __slots__ = (
        "age_ms",
        "at_us",
        "closed",
        "code",
        "fill",
        "held",
        "instrument",
        "leader",
        "leveled",
        "limit_ticks",
        "minute",
        "mode",
        "opened",
        "order_opened",
        "ordered_lots",
        "pending",
        "position",
        "ranks",
        "risks",
        "side",
        "slippage_max_bps",
        "stop_ticks",
        "weekday",
        "worse",
    )

    def __init__(
        self,
        state: State,
        fill: FillBooked,
        leader: Standing,
        now_us: int,
        order_lots: int = 0,
    ) -> None:
        before, lots = fill.result.lots_before, fill.lots
        self.fill = fill
        self.instrument = state.instruments[fill.symbol]
        self.leader = leader
        self.held = abs(before)
        self.closed = min(abs(lots), abs(before)) if (before > 0) != (lots > 0) else 0
        self.opened = abs(lots) - self.closed
        self.side = 1 if lots > 0 else -1
        # Only a venue's report can come late; a recorded fill happens at its own time.
        self.age_ms = max(now_us - fill.at_us, 0) // 1000 if fill.source == "venue" else 0
        self.pending = order_lots > 0
        self.order_opened = min(order_lots, abs(fill.result.lots))
        self.position = state.traders[fill.trader].ledger.positions.get(fill.symbol)
        self.stop_ticks = self.position.stop_ticks if self.position else 0
        self.leveled = self.stop_ticks > 0 or bool(self.position and self.position.take_ticks)
        self.at_us = fill.at_us
        minutes = fill.at_us // 60_000_000
        self.minute = minutes % 1_440
        # 1970-01-01 was a Thursday
        self.weekday = 1 << (minutes // 1_440 + 3) % 7
        self.worse: dict[int, int] = {}
        self.risks: list[int | None] = []
        self.ranks: dict[int, int] = {}
        self.mode = ""
        self.limit_ticks = self.ordered_lots = 0
        self.slippage_max_bps: int | None = None
        self.code = _shared_code(state, fill)

    def slippage(self, side: int, price_ticks: int) -> int:
        """Return the slippage of the leader's own instrument, remembered by side."""
        found = self.worse.get(side)
        if found is None:
            found = self.worse[side] = slippage_bps(side, price_ticks, self.fill.price_ticks)
        return found

    def leader_risk_ppm(self, state: State) -> int | None:
        """Return the leader's monthly value at risk, see `risk`; computed when first asked."""
        if not self.risks:
            self.risks.append(monthly_risk_ppm(state.traders[self.fill.trader].track))
        return self.risks[0]
