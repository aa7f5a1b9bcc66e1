"""Recorded traders through the feed into the core, compared with what their sources state.

Needs the data of the project's authors (`OPTIX_SHARED_DATA`, or `shared/data` beside the
checkout). The table of docs/explanation/real-records.md is what is found here;
`OPTIX_TEST_WRITE_DOCUMENTS=1` writes it anew instead of comparing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.core.invariants import check_invariants
from streams.core.money import MICROS
from streams.core.performance.equity import ledger_equity
from streams.core.state import State
from tests.simulation import real_records
from tests.simulation.real_records import OPENING, Source, Stated
from tests.simulation.test_recorded_day import ROOT, shared_day
from tests.simulation.virtual_loop import run_virtual


DOCUMENT = ROOT / "docs" / "explanation" / "real-records.md"
TABLE = re.compile(
    r"(<!-- made by tests/simulation/test_real_records.py -->\n).*(<!-- end -->)", re.S
)
CENT = Decimal("0.01")


class Played(NamedTuple):
    """A source after it was played."""

    state: State
    stated: dict[str, Stated]


def play(read: Callable[[Path], Source]) -> Played:
    data = shared_day().parents[1]
    if not data.is_dir():
        pytest.skip("no recorded traders: the data of the project's authors is not here")
    records, stated = read(data)
    state = run_virtual(real_records.played(records))
    assert check_invariants(state) == []
    return Played(state, stated)


@pytest.fixture(scope="module")
def hyperliquid() -> Played:
    return play(real_records.hyperliquid)


@pytest.fixture(scope="module")
def arena() -> Played:
    return play(real_records.arena)


@pytest.fixture(scope="module")
def predictions() -> Played:
    return play(real_records.predictions)


@pytest.fixture(scope="module")
def backtest() -> Played:
    return play(real_records.backtest)


def realised(state: State, trader: str) -> Decimal:
    return Decimal(state.traders[trader].ledger.realised_micros) / MICROS


def paid_cash(state: State, trader: str) -> Decimal:
    """Return the cash after open positions are paid for, as a book of shares counts it."""
    ledger = state.traders[trader].ledger
    cost = sum(position.cost_micros for position in ledger.positions.values())
    return Decimal(ledger.cash_micros - cost) / MICROS


def fees(state: State, trader: str) -> Decimal:
    return Decimal(state.traders[trader].ledger.fees_micros) / MICROS


def unbroken(played: Played) -> list[str]:
    breaks = real_records.broken(shared_day().parents[1])
    return [series for series in played.stated if series not in breaks]


def test_closed_profit_and_fees_of_hyperliquid(hyperliquid: Played) -> None:
    """Where no fill is missing the profit agrees to 0.02 %; fees agree to the cent everywhere."""
    state, stated = hyperliquid
    whole = unbroken(hyperliquid)
    assert (len(whole), len(stated)) == (30, 32)
    for series, said in stated.items():
        assert abs(fees(state, series) - (said.fees or 0)) < CENT
        if series in whole:
            wanted = said.realised or Decimal(0)
            off = abs(realised(state, series) - wanted)
            assert off <= max(abs(wanted) * Decimal("0.0002"), CENT), series


def test_models_of_the_arena(arena: Played) -> None:
    """Three lists are complete and agree; the fourth holds the last 100 of 174 round trips."""
    for trader, said in arena.stated.items():
        track = arena.state.traders[trader].track
        cut = trader == "nof1:gemini-2.5-pro"
        assert (track.trades == 100) if cut else (track.wins == said.wins)
        if not cut:
            assert said.realised is not None
            assert said.fees is not None
            assert abs(realised(arena.state, trader) - said.realised) < CENT
            assert abs(fees(arena.state, trader) - said.fees) < CENT


def test_settlements_of_prediction_markets(predictions: Played) -> None:
    """Every wallet ends with the cash that its trades and the outcomes give, and holds nothing."""
    assert len(predictions.stated) > 500
    for wallet, said in predictions.stated.items():
        ledger = predictions.state.traders[wallet].ledger
        cash = Decimal(ledger.cash_micros) / MICROS - OPENING
        assert said.cash is not None
        # a micro-unit is lost or won in rounding, at most, by each of its trades
        assert abs(cash - said.cash) < CENT, wallet
        assert ledger.positions == {}


def test_cash_and_equity_of_a_backtest(backtest: Played) -> None:
    """Three months of transactions end with the book's own cash and equity."""
    trader = backtest.state.traders["book:backtest"]
    said = backtest.stated["book:backtest"]
    assert said.cash is not None
    assert said.equity is not None
    assert abs(paid_cash(backtest.state, "book:backtest") - said.cash) < CENT
    equity = Decimal(ledger_equity(backtest.state, trader.ledger)) / MICROS
    assert abs(equity - said.equity) < CENT


def row(*cells: object) -> str:
    texts = [f"{cell:,.2f}" if isinstance(cell, Decimal) else str(cell) for cell in cells]
    return f"| {' | '.join(texts)} |"


def count_row(source: str, figure: str, said: int | None, found: int) -> str:
    return row(source, figure, said, found, found - (said or 0))


def money_row(source: str, figure: str, said: Decimal, found: Decimal) -> str:
    return row(source, figure, said, found, found - said)


def hyperliquid_rows(played: Played) -> list[str]:
    whole = unbroken(played)
    torn = [series for series in played.stated if series not in whole]
    rows = []
    for label, chosen in (
        ("Hyperliquid, 30 series without holes", whole),
        ("Hyperliquid, two series with fills missing", torn),
    ):
        for figure, value in (("closed profit", realised), ("fees", fees)):
            stated = [
                (played.stated[s].realised if value is realised else played.stated[s].fees)
                or Decimal(0)
                for s in chosen
            ]
            found = sum((value(played.state, s) for s in chosen), Decimal(0))
            rows.append(money_row(label, figure, sum(stated, Decimal(0)), found))
    return rows


def arena_rows(played: Played) -> list[str]:
    rows = []
    for trader, said in played.stated.items():
        name = trader.removeprefix("nof1:")
        track = played.state.traders[trader].track
        gross, paid = realised(played.state, trader), fees(played.state, trader)
        rows += [
            money_row(f"nof1, {name}", "profit before fees", said.realised or Decimal(0), gross),
            money_row(f"nof1, {name}", "fees", said.fees or Decimal(0), paid),
            money_row(f"nof1, {name}", "profit after fees", said.net or Decimal(0), gross - paid),
            count_row(f"nof1, {name}", "won round trips", said.wins, track.wins),
            count_row(f"nof1, {name}", "round trips", said.trades, track.trades),
        ]
    return rows


def cash_rows(played: Played, source: str) -> list[str]:
    said = sum((each.cash or Decimal(0) for each in played.stated.values()), Decimal(0))
    opening = OPENING if source.startswith("Polymarket") else Decimal(0)
    found = sum((paid_cash(played.state, each) - opening for each in played.stated), Decimal(0))
    return [money_row(source, "cash, from beginning to end", said, found)]


def test_the_document_says_what_was_found(
    hyperliquid: Played, arena: Played, predictions: Played, backtest: Played
) -> None:
    trader = backtest.state.traders["book:backtest"]
    equity = Decimal(ledger_equity(backtest.state, trader.ledger)) / MICROS
    said = backtest.stated["book:backtest"].equity or Decimal(0)
    rows = [
        row("Source", "Figure", "Stated", "Core", "Difference"),
        row(*["--"] * 5),
        *hyperliquid_rows(hyperliquid),
        *arena_rows(arena),
        *cash_rows(predictions, f"Polymarket, {len(predictions.stated):,} wallets"),
        *cash_rows(backtest, "Backtested book"),
        money_row("Backtested book", "equity, from beginning to end", said, equity),
    ]
    table = "\n".join(rows)
    text = DOCUMENT.read_text(encoding="utf-8")
    wanted = TABLE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text)
    if os.environ.get("OPTIX_TEST_WRITE_DOCUMENTS"):
        DOCUMENT.write_text(wanted, encoding="utf-8")
    else:
        assert wanted == text, "the table is old: OPTIX_TEST_WRITE_DOCUMENTS=1 writes it anew"
    assert table in wanted
