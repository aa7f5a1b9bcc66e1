"""What a copy is measured by: O(1) for each decision, one observation a day.

Everything here is a count or a whole number of micro-units, millionths or billionths; ratios are
made when somebody reads them. Only `evolve_*` functions call what changes something.

Source: domain.md, section 4.8.
"""

from __future__ import annotations

from streams.core.copying import sketch, skipped
from streams.core.copying.fees import owed_micros
from streams.core.events import CopyDecided
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import unit_ppb
from streams.core.reasons import Reason
from streams.core.state import Copy, CopyStatistics, Instrument, State


PPB = 1_000_000_000
UNIT_PPB_MAX = PPB * PPB
"""Largest unit value that a copy begins again with: beyond it, it stays there."""

LIMIT_MIRRORED = Reason.LIMIT_MIRRORED.value

DIFFERENCE_PPM_MAX = 10_000_000
"""Largest daily difference of returns that is counted: 1,000 %."""


def begin_statistics(state: State, copy: Copy, moved_micros: int) -> None:
    """Start measuring: at the start of a copy, and again when a stopped one is started."""
    leader = state.traders[copy.leader]
    equity = ledger_equity(state, leader.ledger)
    unit = unit_ppb(leader.track, equity)
    lifetime = copy.statistics.lifetime_micros
    earlier = copy.statistics.earlier_ppb * copy.statistics.growth_ppb // PPB
    copy.statistics = CopyStatistics(
        base_micros=moved_micros,
        capital_micros=moved_micros,
        lifetime_micros=lifetime + moved_micros,
        begun_realised_micros=copy.ledger.realised_micros,
        begun_trading_micros=copy.ledger.fees_micros,
        begun_fees_micros=charged_micros(copy),
        leader_unit_ppb=unit,
        leader_fees_micros=leader.ledger.fees_micros,
        leader_equity_micros=max(equity, 0),
        day_unit_ppb=PPB,
        day_leader_ppb=unit,
        earlier_ppb=min(earlier, UNIT_PPB_MAX),
    )


def charged_micros(copy: Copy) -> int:
    """Return management, flat and profit fees of a copy since it first began."""
    fees = copy.fees
    return fees.management_micros + fees.flat_micros + fees.performance_micros


def end_statistics(state: State, copy: Copy) -> None:
    """Stop measuring: the curves stand still, and what was held in thought is valued."""
    statistics, leader = copy.statistics, state.traders[copy.leader]
    statistics.growth_ppb = unit_of(statistics, ledger_equity(state, copy.ledger))
    statistics.base_micros = 0
    statistics.ended_leader_ppb = unit_ppb(leader.track, ledger_equity(state, leader.ledger))
    statistics.ended_leader_fees_micros = leader.ledger.fees_micros
    statistics.skipped_micros = skipped.value_by_code(state, statistics)
    statistics.skipped = {}


def count_flow(copy: Copy, equity_before_micros: int, moved_micros: int) -> None:
    """Chain the unit curve of the ring fence over a change of its allocation."""
    statistics = copy.statistics
    statistics.growth_ppb = unit_of(statistics, equity_before_micros)
    statistics.base_micros = max(equity_before_micros + moved_micros, 0)
    statistics.capital_micros += moved_micros
    statistics.lifetime_micros += max(moved_micros, 0)


def unit_of(statistics: CopyStatistics, equity_micros: int) -> int:
    """Return the value of one unit of a ring fence in billionths; it starts at one."""
    if statistics.base_micros <= 0:
        return statistics.growth_ppb
    return statistics.growth_ppb * max(equity_micros, 0) // statistics.base_micros


def unit_since_first_start(state: State, copy: Copy) -> int:
    """Return what one unit has become since the copy was first started, in billionths.

    Chain-linked over every change of the allocation and every restart, after all fees: what is
    charged and not yet paid is taken off. So money that came late earns only from then on, and
    money taken out in time does not make a loss small.
    """
    equity = ledger_equity(state, copy.ledger) - owed_micros(copy.fees)
    statistics = copy.statistics
    return statistics.earlier_ppb * unit_of(statistics, equity) // PPB


def count_decision(copy: Copy, event: CopyDecided, instrument: Instrument) -> None:
    """Count one decision: fill ratio, slippage, the lowest equity, what was skipped."""
    statistics = copy.statistics
    result = event.result
    loss = event.follower_equity_micros - statistics.capital_micros
    if loss < statistics.low_micros:
        statistics.low_micros = loss
    if event.leg == "open" or event.leg == "delayed":
        if result is None:
            if event.code != LIMIT_MIRRORED:  # else the copy's own order stands for it
                skipped.open_skipped(statistics, event, instrument)
            return
        price = event.price_ticks
        factor, divisor = price * instrument.value_numerator, instrument.value_denominator
        filled = factor * abs(event.lots) // divisor
        statistics.filled_micros += filled
        if event.wanted_lots != event.lots:
            filled = factor * abs(event.wanted_lots) // divisor
        statistics.wanted_micros += filled
        _count_slippage(statistics, statistics.entry_slippage, event, instrument)
    elif event.leg == "close":
        if statistics.skipped:
            skipped.close_skipped(statistics, event, instrument)
        if result is not None:
            _count_slippage(statistics, statistics.exit_slippage, event, instrument)
    elif event.leg == "mirror":
        _count_mirrored(statistics, event, instrument)


def _count_mirrored(statistics: CopyStatistics, event: CopyDecided, instrument: Instrument) -> None:
    """Count a limit order of one's own: it has a price of its own, and so no slippage."""
    if event.result is None:
        skipped.open_skipped(statistics, event, instrument)
        return
    statistics.filled_micros += instrument.value_micros(event.price_ticks, abs(event.lots))
    statistics.wanted_micros += instrument.value_micros(event.price_ticks, abs(event.wanted_lots))


def _count_slippage(
    statistics: CopyStatistics, counts: dict[int, int], event: CopyDecided, instrument: Instrument
) -> None:
    if event.leader_symbol != event.symbol and event.leader_symbol:
        return  # another instrument's price says nothing
    sketch.add(counts, event.slippage_bps)
    delay_ms = (event.decided_at_us - event.at_us) // 1000
    if delay_ms < 0:
        delay_ms = 0
    if delay_ms < DELAY_MS_MAX:
        sketch.add(statistics.delays_ms, delay_ms)
    worse = event.price_ticks - event.leader_price_ticks
    if worse:
        statistics.slippage_micros += instrument.value_micros(worse, event.lots)


DELAY_MS_MAX = 3_600_000
"""Delays from here on are a recording's age, and no delay of a copy."""


def observe_day(copy: Copy, equity_micros: int, leader_unit_ppb: int) -> None:
    """Count one day's difference between the follower's return and the leader's."""
    statistics = copy.statistics
    unit = unit_of(statistics, equity_micros)
    before, leader_before = statistics.day_unit_ppb, statistics.day_leader_ppb
    statistics.day_unit_ppb, statistics.day_leader_ppb = unit, leader_unit_ppb
    loss = equity_micros - statistics.capital_micros
    if loss < statistics.low_micros:
        statistics.low_micros = loss
    if before <= 0 or leader_before <= 0:
        return
    difference = unit * 1_000_000 // before - leader_unit_ppb * 1_000_000 // leader_before
    bounded = max(-DIFFERENCE_PPM_MAX, min(difference, DIFFERENCE_PPM_MAX))
    statistics.days += 1
    statistics.difference_ppm += bounded
    statistics.difference_squares += bounded * bounded
