"""What followers of a leader got, after costs: the number of a board that a leader cannot polish.

Source: domain.md, sections 4.8 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streams.core.leaderboard.composite import Numbers, shrunk_followers
from streams.core.performance.equity import ledger_equity
from streams.core.state import Copy, State


def follower_numbers(state: State, leaders: Sequence[str]) -> Numbers:
    """Return the shrunk median net return of each leader's followers, stopped ones included."""
    medians, counts = np.zeros(len(leaders)), np.zeros(len(leaders))
    for place, leader in enumerate(leaders):
        copies = state.copies.get(leader)
        if copies:
            found = sorted(net_return(state, copy) for copy in copies.values())
            medians[place], counts[place] = median(found), len(found)
    return shrunk_followers(medians, counts)


def net_return(state: State, copy: Copy) -> float:
    """Return what a copy has earned after fees, over what was put into it."""
    ledger = copy.ledger
    open_profit = ledger_equity(state, ledger) - ledger.cash_micros
    net = ledger.realised_micros - ledger.fees_micros + open_profit
    return net / copy.settings.allocation_micros


def median(ordered: Sequence[float]) -> float:
    """Return the middle of at least one value, given in rising order."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2.0
