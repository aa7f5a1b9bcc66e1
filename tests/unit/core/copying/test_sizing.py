from __future__ import annotations

from typing import Any

import pytest

from streams.core.commands import SetCopy
from streams.core.copying.risk import monthly_risk_ppm
from streams.core.copying.signal import Signal, Standing
from streams.core.copying.sizing import MODES, Wish, cost_bound_ppm, settled_lots, wanted_size
from streams.core.events import FillBooked, PositionResult
from streams.core.money import MICROS
from streams.core.reasons import Reason
from streams.core.state import Day, Track
from tests.unit.core.copying.desk import copying, patch_of


# BTC at 100.00, lot 0.001. The leader has equity 1,000, balance 800, free margin 600 and opens 1
# BTC with a stop at 90.00. The follower's fence has equity 500, cash 500, no position.
# mode and settings | lots
SIZES = """
 mode=equity_ratio                                        | 500
 mode=equity_ratio multiplier_ppm=2000000                 | 1000
 mode=equity_ratio symbol_multipliers=BTC:500000,ETH:1    | 250
 mode=balance_ratio                                       | 625
 mode=free_margin_ratio                                   | 833
 mode=quantity_ratio copy_ratio_ppm=20000                 | 20
 mode=fixed_quantity fixed_quantity_nanos=50000000        | 50
 mode=fixed_quantity fixed_quantity_nanos=1               | ZERO_AFTER_ROUNDING
 mode=fixed_notional fixed_notional_micros=25000000       | 250
 mode=fixed_notional fixed_notional_micros=25000000 multiplier_ppm=2000000 | 500
 mode=margin_ratio                                        | 625
 mode=margin_ratio leverage_max_ppm=100000                | 489
 mode=fixed_risk risk_bps=100                             | 500
 mode=fixed_risk risk_bps=200 multiplier_ppm=500000       | 500
 mode=vol_target                                          | 125
 mode=target_weight                                       | 1000
 mode=expression expression=leader_quantity/4             | 250
 mode=expression expression=equity/price/10               | 500
 mode=expression expression=leader_balance/leader_price/10 | 800
 mode=expression expression=leader_free_margin/leader_equity | 600
 mode=expression expression=balance+free_margin-allocation-499 | 1000
 mode=expression expression=(price-stop_loss)/leverage*multiplier | 2000
"""


def wish_of(market: Any, **more: int) -> Wish:
    terms = {"lots": 1_000, "after": 2_000, "price": 10_000, "stop": 9_000, **more}
    result = PositionResult(terms["after"], 0, 0, terms["after"] - terms["lots"], 0, 0)
    fill = FillBooked(
        "f", "lea", "BTC", terms["lots"], terms["price"], 0, 0, "paper", "", "", 1, result, 0
    )
    leader = Standing(1_000 * MICROS, 800 * MICROS, 600 * MICROS)
    state = market.state
    signal = Signal(state, fill, leader, 0)
    signal.stop_ticks = terms["stop"]
    wish = Wish(state, signal, market.copy("fay"))
    wish.price_ticks = terms["price"]
    return wish


def lots_of(wish: Wish) -> int | str:
    size = wanted_size(wish)
    if isinstance(size, Reason):
        return size.value
    lots, code = settled_lots(wish.settings, wish.instrument, wish.price_ticks, size)
    return lots if code is None else code.value


@pytest.mark.parametrize("row", SIZES.strip("\n").splitlines())
def test_a_mode_sizes(row: str) -> None:
    patch, expected = (part.strip() for part in row.split("|"))
    assert expected == str(lots_of(wish_of(copying(**patch_of(patch)))))


def test_every_mode_is_in_the_table() -> None:
    assert all(f"mode={mode}" in SIZES for mode in MODES)


def test_binances_worked_example() -> None:
    """Their page prints 0.813 for 20 times leverage and 1 % slippage; the formula gives 0.8153."""
    assert cost_bound_ppm(20_000_000, 100) == 815_294
    assert cost_bound_ppm(5_000_000, 0) == 980_000


POOR = """
 equity_ratio      | leader | NO_LEADER_EQUITY
 equity_ratio      | own    | INSUFFICIENT_FUNDS
 vol_target        | leader | NO_LEADER_EQUITY
 target_weight     | own    | INSUFFICIENT_FUNDS
 margin_ratio      | leader | NO_LEADER_EQUITY
 margin_ratio      | own    | INSUFFICIENT_FUNDS
 fixed_risk        | own    | INSUFFICIENT_FUNDS
"""


@pytest.mark.parametrize("row", POOR.strip("\n").splitlines())
def test_a_mode_needs_money_on_both_sides(row: str) -> None:
    mode, who, expected = (part.strip() for part in row.split("|"))
    market = copying(mode=mode)
    wish = wish_of(market)
    if who == "leader":
        wish.signal.leader = Standing(0, 0, 0)
    else:
        wish.equity_micros = 0
        market.copy("fay").ledger.cash_micros = 0
    assert expected == lots_of(wish)


def test_a_stop_at_the_price_measures_no_risk() -> None:
    assert lots_of(wish_of(copying(mode="fixed_risk"), stop=10_000)) == "NO_STOP_LOSS"


def test_a_target_weight_counts_what_is_held() -> None:
    market = copying(mode="target_weight")
    market.fill("lea", 1_000, 10_000)
    assert market.copied_lots("fay") == 500
    assert lots_of(wish_of(market)) == 500
    assert lots_of(wish_of(market, after=500, lots=100)) == "ZERO_AFTER_ROUNDING"


def test_lots_of_another_instrument_are_of_equal_value() -> None:
    for mode, expected in (("equity_ratio", 5_000), ("target_weight", 10_000)):
        wish = wish_of(copying(mode=mode))
        wish.instrument, wish.price_ticks = wish.state.instruments["ETH"], 1_000
        assert lots_of(wish) == expected


def track(*returns_bps: int) -> Track:
    unit, days = 1_000_000_000, [Day(0, 1_000_000_000, 0)]
    for day, bps in enumerate(returns_bps, 1):
        unit = unit * (10_000 + bps) // 10_000
        days.append(Day(day, unit, 0))
    return Track(days=days)


# daily returns | month's value at risk in ppm
RISKS = [
    ([-100] * 19, None),
    ([100] * 45, 0),
    ([-100] * 20, 54_777),
    ([-100] * 3 + [50] * 42, 54_777),
    ([-100] * 2 + [50] * 43, 0),
]


@pytest.mark.parametrize(("returns", "expected"), RISKS)
def test_a_months_risk_is_of_the_last_45_days(returns: list[int], expected: int | None) -> None:
    assert expected == monthly_risk_ppm(
        track(*[-900] * 5, *returns) if len(returns) == 45 else track(*returns)
    )


# the leader's daily loss in bps, always | the size as a share of the equal one
FACTORS = [(5, 1_000), (100, 593), (2_000, 125)]


@pytest.mark.parametrize(("loss", "expected"), FACTORS)
def test_a_size_follows_the_leaders_risk(loss: int, expected: int) -> None:
    market = copying(mode="vol_target")
    market.state.traders["lea"].track = track(*[-loss] * 20)
    wish = wish_of(market)
    assert expected == lots_of(wish)
    assert wish.signal.leader_risk_ppm(market.state) is not None


def test_a_patch_may_change_the_mode_only_with_what_it_needs() -> None:
    market = copying()
    assert market.code("fay", SetCopy("lea", mode="fixed_notional")) == "INVALID_SETTINGS"
    market.do("fay", SetCopy("lea", mode="fixed_notional", fixed_notional_micros=1))
