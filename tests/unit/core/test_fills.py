from __future__ import annotations

import pytest

from streams.core.commands import (
    PlaceOrder,
    ReportEquity,
    ReportFill,
    ReportPosition,
    SettleInstrument,
)
from streams.core.events import DayClosed
from streams.core.money import MICROS
from tests.unit.core.market import SERVICE, Market


DAY_US = 86_400_000_000

REFUSED = [
    (ReportFill("BTC", 1, 1, 0, "venue", "", "ann"), "ann", "NOT_ALLOWED"),
    (ReportFill("BTC", 1, 1, 0, "venue", "", "nobody"), SERVICE, "UNKNOWN_TRADER"),
    (ReportFill("NONE", 1, 1, 0, "venue", "", "ann"), SERVICE, "UNKNOWN_INSTRUMENT"),
    (ReportFill("BTC", 0, 1, 0, "venue", "", "ann"), SERVICE, "INVALID_QUANTITY"),
    (ReportFill("BTC", 1, 0, 0, "venue", "", "ann"), SERVICE, "INVALID_PRICE"),
    (ReportFill("BTC", 2**62, 2**62, 0, "self_reported", ""), "ann", "LIMIT_REACHED"),
    (ReportFill("BTC", 1, 1, 2**62, "self_reported", ""), "ann", "LIMIT_REACHED"),
    (ReportPosition("ann", "BTC", 1, 1), "ann", "NOT_ALLOWED"),
    (ReportPosition("nobody", "BTC", 1, 1), SERVICE, "UNKNOWN_TRADER"),
    (ReportPosition("ann", "NONE", 1, 1), SERVICE, "UNKNOWN_INSTRUMENT"),
    (ReportPosition("ann", "BTC", 1, 0), SERVICE, "INVALID_PRICE"),
    (ReportPosition("ann", "BTC", 2**62, 1), SERVICE, "LIMIT_REACHED"),
    (ReportEquity("ann", 1), "ann", "NOT_ALLOWED"),
    (ReportEquity("nobody", 1), SERVICE, "UNKNOWN_TRADER"),
    (SettleInstrument("BTC", 1), "ann", "NOT_ALLOWED"),
    (SettleInstrument("NONE", 1), SERVICE, "UNKNOWN_INSTRUMENT"),
    (SettleInstrument("BTC", -1), SERVICE, "INVALID_PRICE"),
]


@pytest.mark.parametrize(("command", "principal", "expected"), REFUSED)
def test_what_is_no_fact_is_refused(command: object, principal: str, expected: str) -> None:
    market = Market("ann")
    assert expected == market.code(principal, command)  # type: ignore[arg-type]


def test_a_round_trip_is_counted_and_its_profit_booked() -> None:
    market = Market("ann")
    market.fill("ann", 1_000, 10_000, fee=100)
    market.fill("ann", -1_000, 11_000, fee=100)
    trader = market.state.traders["ann"]
    assert trader.ledger.cash_micros == 1_010 * MICROS - 200
    assert (trader.track.trades, trader.track.wins, trader.track.fills) == (1, 1, 2)
    assert market.state.totals.notional_micros == 210 * MICROS
    assert market.state.totals.fees_micros == 200


def test_a_round_trip_says_what_was_paid_how_long_it_took_and_when_it_was_open() -> None:
    market = Market("ann")
    start = market.state.market_at_us
    for lots, price, seconds in (
        (1_000, 10_000, 1),  # 100
        (500, 20_000, 2),  # and 100 more
        (-1_000, 20_000, 3),
        (-1_500, 20_000, 5),  # closes 500 and goes short 1,000
        (1_000, 15_000, 9),
    ):
        at_us = start + seconds * 1_000_000
        fill = ReportFill("BTC", lots, price, 0, "venue", "", "ann", at_us)
        market.do(SERVICE, fill)
    track = market.state.traders["ann"].track
    trips = track.today_trips
    assert trips is not None
    assert (track.today_trades, track.today_won_micros) == (2, 150 * MICROS)
    assert trips.returns_ppb == (100 * 10**9) // 200 + (50 * 10**9) // 200
    assert trips.duration_us == (4 + 4) * 1_000_000
    assert (track.today_exposed_us, track.open_since_us) == (8_000_000, 0)
    assert track.today_traded_micros == (100 + 100 + 200 + 300 + 150) * MICROS


MULTIPLES = """
    buy   9500   0      9500   risked 1 multiple -1.0
    buy   9500   11500  11500  risked 1 multiple 3.0
    short 10500  0      10500  risked 1 multiple -1.0
    short 10200  9000   9000   risked 1 multiple 5.0
    buy   0      11000  11000  risked 0 multiple 0.0
"""


@pytest.mark.parametrize("line", MULTIPLES.strip().splitlines())
def test_a_trip_is_measured_by_what_its_first_stop_risked(line: str) -> None:
    side, stop, take, price, _, risked, _, multiple = line.split()
    market = Market("ann")
    order = PlaceOrder("BTC", side, 1_000, stop_ticks=int(stop), take_ticks=int(take))
    market.do("ann", order)
    held = market.state.traders["ann"].ledger.positions["BTC"]
    assert (held.risk_micros > 0) == (risked == "1")
    market.quote("BTC", int(price), int(price))
    trips = market.state.traders["ann"].track.today_trips
    assert trips is not None
    assert trips.risked == int(risked)
    assert abs(trips.risk_ppm / 1e6 - float(multiple)) < 0.02  # fees


def test_what_is_added_or_turned_later_has_its_own_risk() -> None:
    market = Market("ann")
    market.do("ann", PlaceOrder("BTC", "buy", 1_000))
    market.do("ann", PlaceOrder("BTC", "buy", 1_000, stop_ticks=9_000))
    position = market.state.traders["ann"].ledger.positions["BTC"]
    assert (position.risk_micros, position.entered_micros) == (0, 200 * MICROS)
    market.fill("ann", -3_000, 10_000)
    position = market.state.traders["ann"].ledger.positions["BTC"]
    assert (position.risk_micros, position.entered_micros) == (0, 100 * MICROS)


def test_a_self_reported_fill_stays_apart() -> None:
    market = Market("ann")
    market.do("ann", ReportFill("BTC", 1_000, 10_000, 0, "self_reported", ""))
    market.do("ann", ReportFill("BTC", 1_000, 12_000, 5, "self_reported", ""))
    market.do("ann", ReportFill("BTC", -2_000, 12_000, 0, "self_reported", ""))
    trader = market.state.traders["ann"]
    assert trader.ledger.cash_micros == 1_000 * MICROS
    assert trader.reported.cash_micros == 20 * MICROS - 5
    assert trader.reported.positions == {}
    assert (trader.track.fills, trader.signal_seq, market.state.totals.trades) == (0, 0, 0)
    assert market.state.position_books.get("BTC") is None


def test_a_recorded_fill_is_the_newest_quote() -> None:
    market = Market("ann")
    at_us = market.ms * 1000 + 60_000_000
    market.do(SERVICE, ReportFill("BTC", 1, 12_345, 0, "recorded", "", "ann", at_us))
    instrument = market.state.instruments["BTC"]
    assert (instrument.bid_ticks, instrument.ask_ticks, instrument.last_ticks) == (12_345,) * 3
    assert market.state.recorded_market
    market.do(SERVICE, ReportFill("BTC", 1, 9_000, 0, "recorded", "", "ann", at_us - 1))
    assert market.state.instruments["BTC"].last_ticks == 12_345


def test_a_fill_of_a_later_day_closes_the_day_first() -> None:
    market = Market("ann")
    market.fill("ann", 1_000, 10_000)
    later = market.ms * 1000 + DAY_US
    market.do(SERVICE, ReportFill("BTC", 1_000, 11_000, 0, "recorded", "", "ann", later))
    assert next(type(event) for event in market.events) is DayClosed
    market.do(SERVICE, ReportFill("BTC", 1_000, 11_000, 0, "recorded", "", "ann", later + 1))
    assert DayClosed not in [type(event) for event in market.events]
    assert [day.unit_ppb for day in market.state.traders["ann"].track.days] == [1_000_000_000]


def test_reported_positions_and_equity_replace_what_was_there_without_a_return() -> None:
    market = Market("ann")
    market.fill("ann", 1_000, 10_000)
    market.do(SERVICE, ReportPosition("ann", "BTC", -500, 9_000))
    assert market.lots("ann") == -500
    market.do(SERVICE, ReportEquity("ann", 5_000 * MICROS))
    track = market.state.traders["ann"].track
    assert track.growth == 1.0
    assert track.base_micros == 5_000 * MICROS
    for _ in range(2):
        market.do(SERVICE, ReportPosition("ann", "BTC", 0, 0))
        assert market.position("ann") is None


def test_settlement_pays_every_holder_and_ends_trading() -> None:
    market = Market("ann", "bob")
    market.fill("ann", 1_000, 10_000)
    market.fill("bob", -1_000, 10_000)
    market.do(SERVICE, SettleInstrument("BTC", 0))
    traders = market.state.traders
    assert traders["ann"].ledger.cash_micros == 900 * MICROS
    assert traders["bob"].ledger.cash_micros == 1_100 * MICROS
    assert market.state.totals.open_positions == 0
    for command in (
        ReportFill("BTC", 1, 1, 0, "venue", "", "ann"),
        ReportPosition("ann", "BTC", 1, 1),
        SettleInstrument("BTC", 1),
    ):
        assert market.code(SERVICE, command) == "INSTRUMENT_SETTLED"
