"""Which position of a copy stands for which of the leader's.

A copy may hold another instrument than the leader does (`symbol_map`); `Copy.mapped` remembers it
while the position is open, whatever the settings say meanwhile.
"""

from __future__ import annotations

from streams.core.copying.signal import Signal
from streams.core.state import Copy, Instrument, Position, State


def position_of(copy: Copy, leader_symbol: str) -> Position | None:
    """Return the copy's position that stands for the leader's in a symbol.

    What the copy holds in that very symbol may belong to another one of the leader's.
    """
    symbol = copy.mapped.get(leader_symbol)
    if symbol is None:
        if leader_symbol in copy.mapped.values():
            return None
        symbol = leader_symbol
    return copy.ledger.positions.get(symbol)


def instrument_of(state: State, signal: Signal, copy: Copy) -> Instrument | None:
    """Return what the follower would open, None when the leader's symbol leads nowhere.

    A mapped symbol must be known, and no position of the copy may belong to two of the leader's
    symbols: a closing of one would close the other.
    """
    symbol = signal.fill.symbol
    target = copy.settings.symbol_map.get(symbol, symbol)
    if copy.mapped:
        for source, held in copy.mapped.items():
            if (source == symbol) != (held == target):
                return None
    elif target == symbol:
        return signal.instrument
    elif target in copy.ledger.positions:
        return None
    return state.instruments.get(target)
