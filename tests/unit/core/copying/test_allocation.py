"""Blocks: a partial fill shared by largest remainder, and orders that meet a depth."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from streams.core.commands import (
    EditOrder,
    MarkRow,
    PlaceOrder,
    PublishMarks,
    RegisterInstrument,
    SetCopy,
)
from streams.core.copying.allocation import largest_remainder
from streams.core.events import CopyDecided
from streams.core.money import MICROS, Step
from tests.unit.core.market import SERVICE, Market


# filled | wanted | shares
SHARES = """
67  | 60 40 15 1 | 35 23 9 0
116 | 60 40 15 1 | 60 40 15 1
999 | 60 40 15 1 | 60 40 15 1
0   | 60 40 15 1 | 0 0 0 0
1   | 5 5 5      | 1 0 0
2   | 5 5 5      | 1 1 0
3   |            |
"""


@pytest.mark.parametrize("row", SHARES.strip().splitlines())
def test_shares(row: str) -> None:
    filled, wanted, shares = (part.split() for part in row.split("|"))
    assert [int(each) for each in shares] == largest_remainder(
        int(filled[0]), [int(each) for each in wanted]
    )


@given(st.integers(0, 10_000), st.lists(st.integers(0, 1_000), max_size=30))
def test_shares_add_up_and_are_within_a_lot_of_pro_rata(filled: int, wanted: list[int]) -> None:
    shares = largest_remainder(filled, wanted)
    total = sum(wanted)
    assert sum(shares) == min(filled, total)
    for share, each in zip(shares, wanted, strict=True):
        assert 0 <= share <= each
        assert filled >= total or abs(share * total - filled * each) < total


def shallow(*traders: str, depth: int = 67) -> Market:
    """A market with SHY at 100.00, of which the venue fills 67 lots of one order or block."""
    market = Market("lea", *traders, cash=100_000)
    market.do(
        SERVICE,
        RegisterInstrument("SHY", "SHY", "x", "spot", Step(1, 2), Step(1, 3), depth_lots=depth),
    )
    market.quote("SHY", 10_000, 10_000)
    return market


def copied(market: Market, **lots: int) -> Market:
    for name, count in lots.items():
        market.do(
            name,
            SetCopy(
                "lea",
                allocation_micros=1_000 * MICROS,
                mode="fixed_quantity",
                fixed_quantity_nanos=count * 1_000_000,
                position_max_bps=1_000_000,
                reverse=name == "rev",
            ),
        )
    return market


def decided(market: Market) -> list[tuple[str, str, int, tuple[str, ...]]]:
    return [
        (event.follower, event.code, event.lots, event.clamps)
        for event in market.events
        if isinstance(event, CopyDecided)
    ]


def test_a_block_that_is_filled_in_part_is_shared_by_largest_remainder() -> None:
    market = copied(shallow("ann", "bob", "cat", "dan"), ann=60, bob=40, cat=15, dan=1)
    market.fill("lea", 10, 10_000, "SHY")
    assert decided(market) == [
        ("ann", "EXECUTED", 35, ("PARTIAL_FILL",)),
        ("bob", "EXECUTED", 23, ("PARTIAL_FILL",)),
        ("cat", "EXECUTED", 9, ("PARTIAL_FILL",)),
        ("dan", "IOC_UNFILLED", 0, ()),
    ]


def test_both_sides_of_the_quote_have_a_depth_of_their_own() -> None:
    market = copied(shallow("ann", "rev"), ann=60, rev=60)
    market.fill("lea", 10, 10_000, "SHY")
    assert [lots for _, _, lots, _ in decided(market)] == [60, -60]


def test_exits_are_never_short_of_depth() -> None:
    market = copied(shallow("ann", "bob"), ann=60, bob=7)
    market.fill("lea", 10, 10_000, "SHY")
    market.fill("lea", 10, 10_000, "SHY")
    market.fill("lea", -20, 10_000, "SHY")
    assert [lots for _, _, lots, _ in decided(market)] == [-120, -14]


def test_a_market_order_gets_the_depth_and_the_rest_is_cancelled() -> None:
    market = shallow("ann")
    made = market.do("ann", PlaceOrder("SHY", "buy", 100))
    order = market.state.ended_orders[made]
    assert (order.status, order.reason) == ("canceled", "IOC_UNFILLED")
    assert (order.lots, order.filled_lots, market.lots("ann", "SHY")) == (100, 67, 67)


def test_a_limit_order_is_filled_part_by_part_and_ends_filled() -> None:
    market = shallow("ann")
    made = market.do("ann", PlaceOrder("SHY", "buy", 100, 10_000))
    order = market.state.orders[made]
    assert (order.status, order.filled_lots) == ("partially_filled", 67)
    market.do(SERVICE, PublishMarks([MarkRow("SHY", 9_998, 9_999, 9_999)]))
    assert market.state.ended_orders[made].status == "filled"
    assert market.lots("ann", "SHY") == 100


def test_an_edit_to_a_crossing_limit_meets_the_depth_once() -> None:
    market = shallow("ann")
    made = market.do("ann", PlaceOrder("SHY", "buy", 100, 9_000))
    market.do("ann", EditOrder(made, limit_ticks=10_000))
    assert market.state.orders[made].filled_lots == 67


def test_a_limit_order_that_may_not_rest_is_not_filled_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.core.orders.OPEN_ORDERS_MAX", 0)
    market = shallow("ann")
    assert market.code("ann", PlaceOrder("SHY", "buy", 100, 10_000)) == "LIMIT_REACHED"
    assert market.lots("ann", "SHY") == 0
