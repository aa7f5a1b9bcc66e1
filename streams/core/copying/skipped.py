"""The value of skips: what every skipped opening would have made, by the code that skipped it.

A skipped opening is held in thought at its decision price, at the size that `equity_ratio` would
have given it; it is closed by the leader's fraction when the leader closes, at the price at which
the leader did. So a follower sees which filter pays and which costs.

At most `SKIPPED_POSITIONS_MAX` are held in thought for one copy; what comes beyond is counted in
`unvalued` and valued at nothing.
"""

from __future__ import annotations

from streams.core.events import CopyDecided
from streams.core.limits import SKIPPED_POSITIONS_MAX
from streams.core.money import divide_toward_zero
from streams.core.state import CopyStatistics, Instrument, SkippedPosition, State


def open_skipped(statistics: CopyStatistics, event: CopyDecided, instrument: Instrument) -> None:
    """Hold a skipped opening in thought."""
    lots = event.wanted_lots or _proportional(event)
    if lots == 0 or event.leader_symbol not in ("", event.symbol):
        return
    by_code = statistics.skipped.setdefault(event.symbol, {})
    held = by_code.get(event.code)
    if held is None:
        if sum(map(len, statistics.skipped.values())) >= SKIPPED_POSITIONS_MAX:
            statistics.unvalued += 1
            if not by_code:
                del statistics.skipped[event.symbol]
            return
        held = by_code[event.code] = SkippedPosition()
    price = event.price_ticks or event.leader_price_ticks
    held.lots += lots
    held.cost_micros += instrument.value_micros(price, lots)


def _proportional(event: CopyDecided) -> int:
    if event.leader_equity_micros <= 0 or event.follower_equity_micros <= 0:
        return 0
    return divide_toward_zero(
        event.leader_lots * event.follower_equity_micros, event.leader_equity_micros
    )


def close_skipped(statistics: CopyStatistics, event: CopyDecided, instrument: Instrument) -> None:
    """Close what is held in thought by the fraction that the leader closed."""
    by_code = statistics.skipped.get(event.symbol)
    if by_code is None or event.leader_held_lots == 0:
        return
    closed, held_by_leader = abs(event.leader_lots), event.leader_held_lots
    for code, held in list(by_code.items()):
        lots = divide_toward_zero(held.lots * closed, held_by_leader)
        cost = divide_toward_zero(held.cost_micros * closed, held_by_leader)
        made = instrument.value_micros(event.leader_price_ticks, lots) - cost
        statistics.skipped_micros[code] = statistics.skipped_micros.get(code, 0) + made
        held.lots -= lots
        held.cost_micros -= cost
        if closed == held_by_leader:
            del by_code[code]
    if not by_code:
        del statistics.skipped[event.symbol]


def value_by_code(state: State, statistics: CopyStatistics) -> dict[str, int]:
    """Return what the skips of each code made or saved so far, at the present marks."""
    values = dict(statistics.skipped_micros)
    for symbol, by_code in statistics.skipped.items():
        instrument = state.instruments[symbol]
        if not instrument.quoted:
            continue
        for code, held in by_code.items():
            price = instrument.last_ticks if instrument.settled else instrument.mark_ticks
            now = instrument.value_micros(price, held.lots)
            values[code] = values.get(code, 0) + now - held.cost_micros
    return values
