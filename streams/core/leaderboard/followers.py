"""What followers of a leader got, after costs: the number of a board that a leader cannot polish.

Source: domain.md, sections 4.8 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streams.core.copying.statistics import PPB, unit_since_first_start
from streams.core.leaderboard.composite import Numbers, shrunk_followers
from streams.core.state import State


def follower_numbers(state: State, leaders: Sequence[str]) -> Numbers:
    """Return the shrunk median net return of each leader's followers, stopped ones included.

    Returns are chain-linked, see `copying.statistics.unit_since_first_start`.
    """
    medians, counts = np.zeros(len(leaders)), np.zeros(len(leaders))
    for place, leader in enumerate(leaders):
        copies = state.copies.get(leader)
        if copies:
            found = sorted(
                unit_since_first_start(state, copy) / PPB - 1.0 for copy in copies.values()
            )
            medians[place], counts[place] = median(found), len(found)
    return shrunk_followers(medians, counts)


def median(ordered: Sequence[float]) -> float:
    """Return the middle of at least one value, given in rising order."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2.0
