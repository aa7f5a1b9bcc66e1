from __future__ import annotations

import pytest

from streams.core.commands import (
    RegisterInstrument,
    ReportEquity,
    ReportFill,
    SettleInstrument,
)
from streams.core.copying.signal import slippage_bps
from streams.core.money import Step
from streams.core.view.gates import gate_of
from tests.unit.core.copying.desk import copying, decided, patch_of, told
from tests.unit.core.market import SERVICE, Market


# It is Sunday (bit 64), 12:00 UTC (minute 720). The leader has 1,000, the follower's copy 500; the
# leader buys 1 BTC (1,000 lots) at 100.00, so 500 lots is an equal share.
# settings | what happens, the last fill is the one that counts | decision and its gate
OPENINGS = """
# nothing stands in the way
                                                  | BTC 1000  | EXECUTED 500
 reverse=1                                        | BTC 1000  | EXECUTED -500
 reverse=1                                        | BTC -1000 | EXECUTED 500
                                                  | BTC -1000 | EXECUTED -500
# intake
 stale_ms_max=1000                                | BTC 1000 age=1001 | STALE_SIGNAL 0
 stale_ms_max=1000                                | BTC 1000 age=1000 | EXECUTED 500
# filters, in their order
 symbols_allow=ETH symbols_deny=BTC               | BTC 1000  | SYMBOL_NOT_ALLOWED 0
 symbols_deny=BTC sides=short                     | BTC 1000  | SYMBOL_DENIED 0
 sides=short session_windows=63:0:1440            | BTC 1000  | SIDE_NOT_ALLOWED 0
 sides=long                                       | BTC -1000 | SIDE_NOT_ALLOWED 0
 sides=long reverse=1                             | BTC -1000 | EXECUTED 500
 session_windows=63:0:1440                        | BTC 1000  | SESSION_CLOSED 0
 session_windows=64:0:720                         | BTC 1000  | SESSION_CLOSED 0
 session_windows=64:720:721                       | BTC 1000  | EXECUTED 500
 news_windows=*:0:1900000000000000 asset_classes_allow=perp | BTC 1000 | NEWS_WINDOW 0
 news_windows=BTC:0:1900000000000000              | BTC 1000  | NEWS_WINDOW 0
 news_windows=ETH:0:1900000000000000              | BTC 1000  | EXECUTED 500
 news_windows=BTC:0:1                             | BTC 1000  | EXECUTED 500
 asset_classes_allow=perp symbols_short_deny=BTC  | BTC -1000 | ASSET_UNSUPPORTED 0
 symbols_short_deny=BTC                           | BTC -1000 | NOT_SHORTABLE 0
 symbols_short_deny=BTC                           | BTC 1000  | EXECUTED 500
# mapping
 symbol_map=BTC:NOWHERE                           | BTC 1000  | SYMBOL_UNMAPPED 0
 symbol_map=BTC:ETH                               | BTC 1000  | EXECUTED 5000
 symbol_map=BTC:ETH position_max_bps=50000        | ETH 100, BTC 1000 | SYMBOL_UNMAPPED 0
 symbol_map=BTC:ETH                               | BTC 100, ETH 100 | SYMBOL_UNMAPPED 0
 symbol_map=BTC:ETH position_max_bps=50000        | BTC 100, BTC 100 | EXECUTED 500
 symbol_map=BTC:BARE                              | BTC 1000  | NO_QUOTE 0
# sizing
                                                  | equity=0, BTC 1000 | NO_LEADER_EQUITY 0
                                                  | BTC 1     | ZERO_AFTER_ROUNDING 0
 quantity_min_nanos=600000000                     | BTC 1000  | BELOW_MIN_QTY 0
 quantity_min_nanos=500000000                     | BTC 1000  | EXECUTED 500
 notional_min_micros=60000000                     | BTC 1000  | BELOW_MIN_NOTIONAL 0
 notional_min_micros=50000000                     | BTC 1000  | EXECUTED 500
 tiny=force_min quantity_min_nanos=600000000      | BTC 1000  | EXECUTED 600
 tiny=force_min notional_min_micros=60000000      | BTC 1000  | EXECUTED 600
 tiny=force_min quantity_min_nanos=3000000        | BTC 1     | FORCE_MIN_TOO_RISKY 0
 tiny=force_min                                   | BTC 1     | EXECUTED 1
 tiny=force_min multiplier_ppm=400000             | BTC 1     | EXECUTED 1
 tiny=force_min multiplier_ppm=399999             | BTC 1     | FORCE_MIN_TOO_RISKY 0
 mode=fixed_risk                                  | BTC 1000  | NO_STOP_LOSS 0
 mode=expression expression=1/(price-100)         | BTC 1000  | EXPRESSION_FAILED 0
 mode=expression expression=0-1                   | BTC 1000  | ZERO_AFTER_ROUNDING 0
# caps
 positions_max=1                                  | BTC 100, ETH 100 | MAX_OPEN_POSITIONS 0
 positions_max=1                                  | BTC 100, BTC 100 | EXECUTED 50
 symbol_entries_max=2                             | BTC 100, BTC 100, BTC 100 | MAX_PER_SYMBOL 0
 symbol_entries_max=2                             | BTC 100, BTC 100 | EXECUTED 50
 leverage_max_ppm=20000                           | BTC 1000, BTC 1000 | INSUFFICIENT_MARGIN 0
 multiplier_ppm=3000000                           | BTC 1000  | EXECUTED 1250 CLAMP_MAX_POSITION
 multiplier_ppm=500000                            | BTC 1000  | EXECUTED 250
 notional_max_micros=10000000                     | BTC 1000  | EXECUTED 100 CLAMP_MAX_NOTIONAL
 exposure_max_bps=500                             | BTC 1000  | EXECUTED 250 CLAMP_EXPOSURE
 leverage_max_ppm=20000                           | BTC 1000  | EXECUTED 100 CLAMP_LEVERAGE
 notional_min_micros=300000 position_max_bps=2    | BTC 1000  | BELOW_MIN_NOTIONAL 0 CLAMP_MAX_POSITION
 quantity_min_nanos=300000000 position_max_bps=100| BTC 1000  | BELOW_MIN_QTY 0 CLAMP_MAX_POSITION
 notional_max_micros=1                            | BTC 1000  | INSUFFICIENT_FUNDS 0 CLAMP_MAX_NOTIONAL
 mode=quantity_ratio copy_ratio_ppm=100000000000  | BTC 1000000000000 | LIMIT_REACHED 0
# price
                                                  | BARE 100  | NO_QUOTE 0
                                                  | BARE 100, BARE 100 | NO_QUOTE 0
 quote_age_ms_max=1000                            | wait=1001, BTC 1000 | QUOTE_STALE 0
 quote_age_ms_max=0                               | wait=100000, BTC 1000 | EXECUTED 500
 slippage_max_bps=50                              | quote=10051, BTC 1000 | SLIPPAGE_PRE 0
 slippage_max_bps=50                              | quote=10050, BTC 1000 | EXECUTED 500
"""  # noqa: E501 - a table

PRICES = {"BTC": 10_000, "ETH": 1_000, "BARE": 100}


def step(market: Market, text: str) -> None:
    """Do one thing: `SYMBOL LOTS [age=MS]`, `equity=N`, `wait=MS`, `quote=TICKS`."""
    name, _, value = text.partition("=")
    if name == "equity":
        market.do(SERVICE, ReportEquity("lea", int(value)))
    elif name == "wait":
        market.ms += int(value)
    elif name == "quote":
        market.quote("BTC", int(value), int(value))
    else:
        symbol, lots, *rest = text.split()
        age = int(rest[0].partition("=")[2]) if rest else 0
        at_us = (market.ms + 1 - age) * 1000
        price = PRICES[symbol]
        market.do(SERVICE, ReportFill(symbol, int(lots), price, 0, "venue", "", "lea", at_us))


def rows(table: str) -> list[str]:
    return [line for line in table.strip("\n").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("row", rows(OPENINGS))
def test_an_opening_passes_the_gates_in_order(row: str) -> None:
    settings, steps, expected = (part.strip() for part in row.split("|"))
    market = copying(**patch_of(settings))
    market.do(SERVICE, RegisterInstrument("BARE", "BARE", "x", "spot", Step(1, 2), Step(1, 3)))
    for text in steps.split(", "):
        step(market, text)
    (decision,) = decided(market)
    assert expected == told(decision)
    assert (gate_of(decision.code) is None) == (decision.code == "EXECUTED")


def test_what_was_earned_is_not_lent_upon() -> None:
    market = copying(
        mode="quantity_ratio",
        leverage_max_ppm=1_000_000,
        position_max_bps=1_000_000,
        slippage_max_bps=9_999,
    )
    market.fill("lea", 4_000, 10_000)
    market.quote("BTC", 20_000, 20_000)
    market.fill("lea", 1_000, 20_000, "BTC")
    assert [told(one) for one in decided(market)] == [
        "INSUFFICIENT_FUNDS 0 CLAMP_LEVERAGE CLAMP_ALLOCATION"
    ]


def test_a_settled_target_is_unsupported() -> None:
    market = copying(symbol_map={"BTC": "ETH"})
    market.do(SERVICE, SettleInstrument("ETH", 1_000))
    market.fill("lea", 1_000, 10_000)
    assert [told(one) for one in decided(market)] == ["ASSET_UNSUPPORTED 0"]


def test_slippage_is_rounded_against_the_follower() -> None:
    assert [slippage_bps(1, price, 10_001) for price in (10_002, 10_001, 10_000)] == [1, 0, -1]
    assert [slippage_bps(-1, price, 10_001) for price in (10_002, 10_001, 10_000)] == [-1, 0, 1]


def test_a_mapped_position_is_closed_by_the_leaders_symbol() -> None:
    market = copying(symbol_map={"BTC": "ETH"})
    market.fill("lea", 1_000, 10_000)
    (opened,) = decided(market)
    assert (opened.symbol, opened.leader_symbol, opened.lots) == ("ETH", "BTC", 5_000)
    market.fill("lea", -500, 10_000)
    (closed,) = decided(market)
    assert (closed.symbol, closed.leg, closed.lots) == ("ETH", "close", -2_500)
    market.fill("lea", -500, 10_000)
    assert market.copied_lots("fay", symbol="ETH") == 0
    assert market.copy("fay").mapped == {}


def test_a_position_of_another_symbol_is_not_closed() -> None:
    market = copying(symbol_map={"BTC": "ETH"})
    market.fill("lea", 100, 1_000, "ETH")
    market.fill("lea", -100, 1_000, "ETH")
    market.fill("lea", 1_000, 10_000)
    market.fill("lea", 100, 1_000, "ETH")
    assert [told(one) for one in decided(market)] == ["SYMBOL_UNMAPPED 0"]
    market.fill("lea", -100, 1_000, "ETH")
    assert [told(one) for one in decided(market)] == ["NO_FOLLOWER_POSITION 0"]
    assert market.copied_lots("fay", symbol="ETH") == 5_000
