"""What the detectors of gaming remember, and what they have found: part of the state.

Encoding and rules as in state.
"""

from __future__ import annotations

import msgspec


class Conduct(msgspec.Struct, array_like=True, gc=False):
    """How one trader trades, in sums that grow with each fill.

    Attributes:
        last_trip: sign of the newest ended round trip's result.
        after_wins: positions opened after a win, `after_wins_micros` their cost added up.
        after_losses: the same after a loss.
        adds_most: most additions at a loss to one position.
        wins: round trips won, `won_micros` and `won_us` their results and times added up.
        losses: round trips lost, `lost_micros` (without sign) and `lost_us` the same.
    """

    last_trip: int = 0
    after_wins: int = 0
    after_wins_micros: int = 0
    after_losses: int = 0
    after_losses_micros: int = 0
    adds_most: int = 0
    wins: int = 0
    won_micros: int = 0
    won_us: int = 0
    losses: int = 0
    lost_micros: int = 0
    lost_us: int = 0


class Flag(msgspec.Struct, array_like=True, gc=False):
    """What a detector has found about a trader; `evidence` holds what it measured."""

    since_us: int
    evidence: dict[str, int]


class Integrity(msgspec.Struct, array_like=True):
    """Everything about gaming, by trader.

    Attributes:
        conduct: of traders with a fill.
        adds: additions at a loss to positions that are open, by trader and symbol.
        flags: by trader and name.
        identity: whose account it is, where that is known.
        accounts: accounts of one identity, in the order in which they were linked.
        due: traders whose newest day is still to be reviewed.
    """

    conduct: dict[str, Conduct] = {}
    adds: dict[str, dict[str, int]] = {}
    flags: dict[str, dict[str, Flag]] = {}
    identity: dict[str, str] = {}
    accounts: dict[str, list[str]] = {}
    due: dict[str, None] = {}
