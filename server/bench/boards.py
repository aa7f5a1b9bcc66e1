"""Boards at size: a batch of marks → everybody ranked on every board → deltas.

The boundary: from the new marks to the rows of every board's delta, in the core, for 100,000
traders with 500,000 open positions. What a tick costs is process CPU time; what it holds the loop
up is the longest step between two turns, in wall time. Floor: valuing the positions alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from server.bench.figures import Figure, Report, at_most, percentile
from streams.core import channels
from streams.core.derived import Derived
from streams.core.leaderboard import BOARD_KEYS, channel_of, delta, rank_boards
from streams.core.money import MICROS, Step
from streams.core.performance.track import (
    close_day,
    record_fill,
    record_flow,
    record_round_trip,
)
from streams.core.state import Instrument, Ledger, Position, State, Trader, value_factors
from streams.core.valuation import value_per_lot


TRADERS = 100_000
POSITIONS_EACH = 5
INSTRUMENTS = 500
DAYS = 35
BATCHES = 30
TODAY = 20_000
DAY_US = 86_400_000_000
CASH_MICROS = 10_000 * MICROS

MS_MAX = 20.0
SHARE_MAX = 0.25
STEP_MS_MAX = 5.0
RANKINGS_PER_SECOND = 10


def run(traders: int = TRADERS, batches: int = BATCHES, days: int = DAYS) -> Report:
    """Measure; the median batch stands, and the longest step of all."""
    state = _state(traders, days)
    derived = Derived(state)
    rank_boards(state, derived.boards)
    _cut(state)
    works, steps, valuing, rows = [], [], [], 0
    for number in range(batches):
        _move_marks(state, derived, number)
        started = time.process_time()
        derived.valuation.equities()
        valuing.append(time.process_time() - started)
        _move_marks(state, derived, number + 1)
        started = time.process_time()
        for seconds, sent in _rank(state, derived):
            steps.append(seconds)
            rows += sent
        works.append(time.process_time() - started)
        _cut(state)
    work, floor = percentile(works, 0.5) * 1e3, percentile(valuing, 0.5) * 1e3
    share = work * RANKINGS_PER_SECOND / 1e3
    return Report(
        f"boards: {traders:,} traders, {traders * POSITIONS_EACH:,} open positions: "
        "mark batch → ranked → delta",
        [
            at_most("work of a batch", work, "ms", MS_MAX),
            at_most("of a core, 10 batches a second", share, "cores", SHARE_MAX),
            at_most("longest step, p99", percentile(steps, 0.99) * 1e3, "ms", STEP_MS_MAX),
            Figure("longest step of all", max(steps) * 1e3, "ms"),
            Figure("valuing alone (floor)", floor, "ms"),
            Figure("rows of deltas a batch", rows / batches, "rows"),
        ],
        f"{len(BOARD_KEYS)} boards, {days} closed days (three different periods), {INSTRUMENTS} "
        f"instruments, all marks move in each of {batches} batches; work is CPU time, steps wall "
        "time; every board's delta is built",
    )


def _rank(state: State, derived: Derived) -> Iterator[tuple[float, int]]:
    """Rank as a replica does, step by step; yield the seconds and delta rows of each step."""
    work = derived.boards.prepare(state)
    started = time.perf_counter()
    for _ in work:
        yield time.perf_counter() - started, 0
        started = time.perf_counter()
    rank_boards(state, derived.boards)
    yield time.perf_counter() - started, 0
    # Frames are built channel by channel, each in its own turn of the publisher.
    for key in BOARD_KEYS:
        started = time.perf_counter()
        channel = state.conflated.get(channel_of(key))
        pending = channel.pending[channels.TENTHS] if channel is not None else {}
        rows = len(delta(state, key, pending)["rows"]) if pending else 0
        yield time.perf_counter() - started, rows


def _cut(state: State) -> None:
    for interval in (channels.RAW, channels.TENTHS, channels.SECONDS):
        channels.cut(state, interval)


def _move_marks(state: State, derived: Derived, number: int) -> None:
    for place, instrument in enumerate(state.instruments.values()):
        instrument.bid_ticks = instrument.ask_ticks = 10_000 + (place * 7 + number * 13) % 97
        derived.valuation.set_mark(instrument.symbol, value_per_lot(instrument))


def _state(traders: int, days: int) -> State:
    """Return a market in which everybody has a record and open positions."""
    state = State(market_at_us=TODAY * DAY_US + 1)
    tick, lot = Step(1, 2), Step(1, 4)
    numerator, denominator = value_factors(tick, lot)
    symbols = [f"S{number}" for number in range(INSTRUMENTS)]
    for symbol in symbols:
        state.instruments[symbol] = Instrument(
            symbol,
            symbol,
            "bench",
            "crypto",
            tick,
            lot,
            0,
            bid_ticks=10_000,
            ask_ticks=10_000,
            value_numerator=numerator,
            value_denominator=denominator,
        )
    chance = np.random.default_rng(1)
    held = chance.integers(0, INSTRUMENTS, (traders, POSITIONS_EACH)).tolist()
    lots = chance.integers(1, 100_000, (traders, POSITIONS_EACH)).tolist()
    curve = chance.normal(1.0, 0.01, (traders, days)).tolist()
    for number in range(traders):
        trader = Trader(f"t{number}", f"t{number}", f"t{number}", "recorded", number)
        trader.ledger = Ledger(CASH_MICROS)
        record_flow(trader.track, 0, CASH_MICROS)
        record_fill(trader.track, number + 1)
        for place, size in zip(held[number], lots[number], strict=True):
            side = size if size % 2 else -size
            cost = state.instruments[symbols[place]].value_micros(10_000, side)
            trader.ledger.positions[symbols[place]] = Position(side, cost, 0)
        equity = float(CASH_MICROS)
        for day, growth in enumerate(curve[number]):
            record_round_trip(trader.track, round((growth - 1.0) * CASH_MICROS))
            equity *= growth
            close_day(trader.track, TODAY - days + day, round(equity))
        state.traders[trader.trader] = trader
    return state
