"""Deposits and withdrawals: flows that make no return."""

from __future__ import annotations

import pytest

from streams.core.commands import MoveCash, PlaceOrder
from streams.core.money import MICROS
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import unit_ppb
from tests.unit.core.market import Market


# amount in units of an account with 1,000 of cash and BTC for 1,000, up 100 | the answer
MOVES = """
500         OK
-700        OK
-900        INSUFFICIENT_FUNDS
0           INVALID_QUANTITY
1000000001  LIMIT_REACHED
-1000000001 LIMIT_REACHED
"""


@pytest.mark.parametrize("row", MOVES.strip().splitlines())
def test_cash_moves_or_is_refused(row: str) -> None:
    amount, expected = row.split()
    market = Market("ann")
    market.do("ann", PlaceOrder("BTC", "buy", 10_000))
    market.quote("BTC", 11_000, 11_000)
    trader = market.state.traders["ann"]
    unit = unit_ppb(trader.track, ledger_equity(market.state, trader.ledger))
    assert expected == market.code("ann", MoveCash(int(amount) * MICROS))
    moved = int(amount) if expected == "OK" else 0
    assert (1_000 + moved) * MICROS == trader.ledger.cash_micros
    assert unit == unit_ppb(trader.track, ledger_equity(market.state, trader.ledger))
    assert unit == 1_100_000_000


def test_only_a_trader_moves_cash() -> None:
    assert Market().code("nobody", MoveCash(1)) == "UNKNOWN_TRADER"


def test_nothing_is_free_below_what_exposure_asks() -> None:
    market = Market("ann")
    market.do("ann", PlaceOrder("BTC", "buy", 50_000))
    assert market.code("ann", MoveCash(-1)) == "INSUFFICIENT_FUNDS"
