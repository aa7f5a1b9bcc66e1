"""The close of a UTC day: marks, and every active trader's day at these marks, are written down."""

from __future__ import annotations

from streams.core.context import Evolvers
from streams.core.copying.day_close import queue_copies
from streams.core.copying.seeds import turn_seeds
from streams.core.events import DayClosed
from streams.core.integrity.review import make_due
from streams.core.performance.equity import ledger_worth, lot_values
from streams.core.performance.market import close_marks
from streams.core.performance.track import close_day
from streams.core.state import State


def evolve_day_closed(state: State, event: DayClosed) -> None:
    """Close the day of every quoted instrument and of every trader with a fill.

    Ranks follow in `derived`.

    A recording that is played after live trading has older days than the record: they are not
    closed again.
    """
    close_marks(state, event.day)
    values = lot_values(state, state.instruments)
    for trader in state.traders.values():
        days, ledger = trader.track.days, trader.ledger
        if trader.track.fills and (not days or days[-1].day < event.day):
            equity, gross = ledger_worth(values, ledger)
            make_due(state, trader.trader)
            close_day(trader.track, event.day, equity, gross, ledger.cash_micros)
    queue_copies(state, event.day)
    turn_seeds(state, event.day)


EVOLVERS: Evolvers = {DayClosed: evolve_day_closed}
