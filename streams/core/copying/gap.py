"""The copy gap: why a follower's return is not its leader's, in parts that add up exactly.

    gap       time-weighted return of the ring fence - that of the leader since the copy began
    slippage  - what worse prices than the leader's cost / capital
    fees      - (trading, management, flat and profit fees / capital - the leader's own trading
              fees / its equity at the start)
    skipped   - what skipped openings would have made / capital
    sizing    all else: other weights than the leader's (mode, multiplier, clamps, minimum and
              lots), and the time at which money came

Whole billionths throughout, so the four parts sum to the gap without a rest.

Source: domain.md, section 4.8.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.copying.skipped import value_by_code
from streams.core.copying.statistics import PPB, charged_micros, unit_of
from streams.core.money import PPM, divide_toward_zero
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import unit_ppb
from streams.core.state import Copy, Ledger, State


class Gap(NamedTuple):
    """A copy gap and its parts, in billionths of return."""

    gap: int
    slippage: int
    skipped: int
    sizing: int
    fees: int


class Money(NamedTuple):
    """What a copy made since it (re)started, in micro-units.

    Attributes:
        gross: realised and open profit, before anything was paid for.
        trading_fees: what its venue took.
        leader_fees: management, flat and profit share, owed or paid.
    """

    gross: int
    trading_fees: int
    leader_fees: int

    @property
    def net(self) -> int:
        """What is left for the follower."""
        return self.gross - self.trading_fees - self.leader_fees


def money_of(state: State, copy: Copy) -> Money:
    """Return what a copy made since it (re)started."""
    ledger, statistics = copy.ledger, copy.statistics
    opened = ledger_equity(state, ledger) - ledger.cash_micros
    return Money(
        ledger.realised_micros - statistics.begun_realised_micros + opened,
        ledger.fees_micros - statistics.begun_trading_micros,
        charged_micros(copy) - statistics.begun_fees_micros,
    )


def returns_of(state: State, copy: Copy) -> tuple[int, int] | None:
    """Return (follower's, leader's) return since the start in billionths, None if undefined."""
    statistics = copy.statistics
    if statistics.leader_unit_ppb <= 0 or statistics.capital_micros <= 0:
        return None
    unit = statistics.ended_leader_ppb
    if copy.status != "STOPPED":
        leader = state.traders[copy.leader]
        unit = unit_ppb(leader.track, ledger_equity(state, leader.ledger))
    own = unit_of(statistics, ledger_equity(state, copy.ledger))
    return own - PPB, unit * PPB // statistics.leader_unit_ppb - PPB


def gap_of(state: State, copy: Copy) -> Gap | None:
    """Return the copy gap now, None while it is undefined (no capital, or a leader without)."""
    returns = returns_of(state, copy)
    statistics = copy.statistics
    if returns is None:
        return None
    own, leaders = returns
    made, capital = money_of(state, copy), statistics.capital_micros
    fees = -_share(made.trading_fees + made.leader_fees, capital)
    if statistics.leader_equity_micros > 0:
        paid = statistics.ended_leader_fees_micros
        if copy.status != "STOPPED":
            paid = state.traders[copy.leader].ledger.fees_micros
        paid -= statistics.leader_fees_micros
        fees += _share(paid, statistics.leader_equity_micros)
    slippage = -_share(statistics.slippage_micros, capital)
    missed = -_share(sum(value_by_code(state, statistics).values()), capital)
    gap = own - leaders
    return Gap(gap, slippage, missed, gap - slippage - missed - fees, fees)


def _share(micros: int, of_micros: int) -> int:
    return divide_toward_zero(micros * PPB, of_micros)


def exposure_deviation_ppm(state: State, copy: Copy) -> int | None:
    """Return the sum over instruments of |own weight - multiplier x leader's weight|.

    A weight is the signed value of a position over equity, in millionths; with `reverse` the
    leader's change their sign. None while either equity is not above 0.
    """
    leader = state.traders[copy.leader]
    own = _weights(state, copy.ledger)
    leaders = _weights(state, leader.ledger)
    if own is None or leaders is None:
        return None
    sign = -1 if copy.settings.reverse else 1
    wanted: dict[str, int] = {}
    for symbol, weight in leaders.items():
        target = copy.settings.symbol_map.get(symbol, symbol)
        scaled = divide_toward_zero(weight * copy.settings.multiplier_ppm * sign, PPM)
        wanted[target] = wanted.get(target, 0) + scaled
    symbols = dict.fromkeys([*own, *wanted])
    return sum(abs(own.get(symbol, 0) - wanted.get(symbol, 0)) for symbol in symbols)


def _weights(state: State, ledger: Ledger) -> dict[str, int] | None:
    equity = ledger_equity(state, ledger)
    if equity <= 0:
        return None
    weights = {}
    for symbol, position in ledger.positions.items():
        instrument = state.instruments[symbol]
        value = instrument.value_micros(instrument.mark_ticks, position.lots)
        weights[symbol] = divide_toward_zero(value * PPM, equity)
    return weights
