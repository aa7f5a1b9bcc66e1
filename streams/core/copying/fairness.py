"""The fairness report of a day: did it matter who was served first, or to be a follower at all?

For each signal that opens, the executed followers are numbered in the order in which they were
served; the sums below are added up over the day, so the report costs O(1) a follower and anybody
with the decisions can add them up again.

    rank-slippage correlation  Pearson's, of place (0 first … 1,000 last) and slippage in basis
                               points; near 0: being late costs nothing
    Jain index                 (sum x)^2 / (n sum x^2) of x = 10,000 + slippage, the price paid in
                               hundredths of a percent of the leader's; 1: everybody paid the same
    leader better              share of signals whose followers paid more than the leader on average

Source: domain.md, section 4.7; Jain, Chiu and Hawe, "A quantitative measure of fairness" (1984).
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from streams.core.context import Context, Evolvers
from streams.core.copying.signal import Signal
from streams.core.events import SignalDispatched
from streams.core.money import BPS
from streams.core.state import FairnessDay, State


PLACES = 1_000
"""The last follower's place; the first one's is 0."""


class Sums(NamedTuple):
    """Sums over the executed followers of one signal or day: n, place, slippage, products."""

    executed: int
    place: int
    place_squares: int
    slippage: int
    slippage_squares: int
    products: int


def sums_of(slippages: list[int]) -> Sums:
    """Add up one signal.

    Args:
        slippages: of the executed followers in the order in which they were served, in basis
            points; each is bounded to +-10,000.
    """
    count = len(slippages)
    place = squares = total = total_squares = products = 0
    last = max(count - 1, 1)
    for number, slippage in enumerate(slippages):
        worse = max(-BPS, min(slippage, BPS))
        at = number * PLACES // last
        place += at
        squares += at * at
        total += worse
        total_squares += worse * worse
        products += at * worse
    return Sums(count, place, squares, total, total_squares, products)


def report_signal(ctx: Context, signal: Signal, asked: int, slippages: list[int]) -> None:
    """Put on record how the followers of one opening signal fared.

    Args:
        ctx: the command's context.
        signal: what opened.
        asked: followers that were decided.
        slippages: see `sums_of`.
    """
    seed = ctx.state.seed_now
    number = seed.number if seed is not None and seed.key else 0
    sums = sums_of(slippages)
    fill = signal.fill
    ctx.emit(
        SignalDispatched(
            fill.trader,
            fill.signal_seq,
            number,
            asked,
            *sums,
            ctx.time(0),
            signal.instrument.depth_lots,
            fill.symbol,
        )
    )


def evolve_signal_dispatched(state: State, event: SignalDispatched) -> None:
    """Add the signal to the day's report."""
    sums = Sums(
        event.executed,
        event.place,
        event.place_squares,
        event.slippage,
        event.slippage_squares,
        event.products,
    )
    add_signal(state.fairness, event.asked, sums, sealed=event.seed_number != 0)


def add_signal(day: FairnessDay, asked: int, sums: Sums, *, sealed: bool) -> None:
    """Add one signal to a day.

    Args:
        day: changed in place.
        asked: followers that were decided.
        sums: over those that were executed.
        sealed: whether a seed was open.
    """
    day.signals += 1
    day.asked += asked
    day.unsealed += not sealed
    day.signals_executed += sums.executed > 0
    day.leader_better += sums.slippage > 0
    day.executed += sums.executed
    day.place += sums.place
    day.place_squares += sums.place_squares
    day.slippage += sums.slippage
    day.slippage_squares += sums.slippage_squares
    day.products += sums.products


def correlation(day: FairnessDay) -> float | None:
    """Return the correlation of place and slippage, None when either never differed."""
    count = day.executed
    place = count * day.place_squares - day.place**2
    slippage = count * day.slippage_squares - day.slippage**2
    if place <= 0 or slippage <= 0:
        return None
    both = count * day.products - day.place * day.slippage
    return round(both / (sqrt(place) * sqrt(slippage)), 6)


def jain_index(day: FairnessDay) -> float | None:
    """Return the Jain index of the prices paid, None without an execution."""
    count = day.executed
    total = count * BPS + day.slippage
    squares = count * BPS * BPS + 2 * BPS * day.slippage + day.slippage_squares
    return round(total * total / (count * squares), 6) if squares > 0 else None


EVOLVERS: Evolvers = {SignalDispatched: evolve_signal_dispatched}
