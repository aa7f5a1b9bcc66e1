"""A leader's stake: how much of the money that follows its decisions is its own.

    ratio = own equity / (own equity + capital that copies it)

Own equity below 0 counts as 0. Capital is what followers moved into running copies less what
they moved out, so that it does not grow with the leader's own success. A leader that risks little
of its own is not ranked lower for it: the number is disclosed, and the reader judges.

Source: domain.md, section 1, row 26; section 5 (tiny account).
"""

from __future__ import annotations

from typing import Any

from streams.core.performance.equity import ledger_equity
from streams.core.state import State, Trader
from streams.core.view.values import money


STAKE_DIGITS = 6
"""Decimal places of the ratio."""


def copied_capital(state: State, leader: str) -> int:
    """Return the capital of the running copies of a leader, in micro-units."""
    copies = state.copies.get(leader, {})
    return sum(
        max(copy.statistics.capital_micros, 0)
        for copy in copies.values()
        if copy.status != "STOPPED"
    )


def stake_view(state: State, trader: Trader) -> dict[str, Any]:
    """Return own equity, copied capital and their ratio; null with a reason without either."""
    own = max(ledger_equity(state, trader.ledger), 0)
    copied = copied_capital(state, trader.trader)
    managed = own + copied
    return {
        "own_equity": money(own),
        "copied_capital": money(copied),
        "ratio": round(own / managed, STAKE_DIGITS) if managed else None,
        "reason": None if managed else "NO_CAPITAL",
    }
