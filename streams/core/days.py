"""The close of a UTC day: every active trader's day is written down at the last marks."""

from __future__ import annotations

from streams.core.context import Evolvers
from streams.core.events import DayClosed
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import close_day
from streams.core.state import State


def evolve_day_closed(state: State, event: DayClosed) -> None:
    """Close the day of every trader with a fill; ranks follow in `derived`.

    A recording that is played after live trading has older days than the record: they are not
    closed again.
    """
    for trader in state.traders.values():
        days = trader.track.days
        if trader.track.fills and (not days or days[-1].day < event.day):
            close_day(trader.track, event.day, ledger_equity(state, trader.ledger))


EVOLVERS: Evolvers = {DayClosed: evolve_day_closed}
