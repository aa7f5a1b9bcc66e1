"""Whatever a leader does with limit orders, a copy that mirrors them ends where the leader does."""

from __future__ import annotations

from hypothesis import given, strategies as st

from streams.core.commands import (
    CancelOrder,
    Command,
    EditOrder,
    PlaceOrder,
    RegisterInstrument,
    SetCopy,
)
from streams.core.money import MICROS, Step
from tests.unit.core.copying.desk import tick
from tests.unit.core.market import SERVICE, Market


SIDES = st.sampled_from(["buy", "sell"])
LOTS = st.integers(1, 20)
LIMITS = st.integers(990, 1_010)
ACTIONS = st.one_of(
    st.tuples(st.just("limit"), SIDES, LOTS, LIMITS),
    st.tuples(st.just("market"), SIDES, LOTS, st.just(0)),
    st.tuples(st.just("edit"), st.just(""), LOTS, LIMITS),
    st.tuples(st.just("cancel"), st.just(""), LOTS, st.just(0)),
    st.tuples(st.just("quote"), st.just(""), st.just(0), LIMITS),
)
Action = tuple[str, str, int, int]


def mirrored(depth_lots: int) -> Market:
    """`fay` copies lot for lot, with room for everything."""
    market = Market("lea", "fay", cash=1_000_000)
    instrument = RegisterInstrument(
        "SOL", "SOL", "x", "spot", Step(1, 2), Step(1, 0), depth_lots=depth_lots
    )
    market.do(SERVICE, instrument)
    market.quote("SOL", 1_000, 1_000)
    patch = {"mode": "quantity_ratio", "follow_limit_orders": "mirror", "copy_ratio_ppm": 10**6}
    market.do("fay", SetCopy("lea", 900_000 * MICROS, **patch))
    tick(market)
    return market


def act(market: Market, action: Action) -> None:
    """Do what an action says, as far as there is an order for it."""
    kind, side, lots, ticks = action
    if kind == "quote":
        market.quote("SOL", ticks, ticks)
        return
    own = list(market.state.traders["lea"].orders)
    command: Command = PlaceOrder("SOL", side, lots, ticks)
    if kind in ("edit", "cancel"):
        if not own:
            return
        order = own[lots % len(own)]
        command = CancelOrder(order) if kind == "cancel" else EditOrder(order, lots, ticks)
    market.code("lea", command)


@given(st.lists(ACTIONS, max_size=25))
def test_a_copy_ends_where_its_leader_does(actions: list[Action]) -> None:
    market = mirrored(0)
    for action in actions:
        act(market, action)
        tick(market)
        assert market.lots("lea", "SOL") == market.copied_lots("fay", symbol="SOL")
    assert market.copy("fay").orders.keys() <= market.state.traders["lea"].orders.keys()


@given(st.lists(st.tuples(ACTIONS, st.booleans()), max_size=25))
def test_a_copy_never_holds_what_its_leader_has_closed(actions: list[tuple[Action, bool]]) -> None:
    market = mirrored(7)
    for action, ticks in actions:
        act(market, action)
        if ticks:
            tick(market)
        leads, held = market.lots("lea", "SOL"), market.copied_lots("fay", symbol="SOL")
        assert held == 0 or leads * held > 0
    for order in list(market.state.traders["lea"].orders):
        market.do("lea", CancelOrder(order))
    while market.lots("lea", "SOL"):
        side = "sell" if market.lots("lea", "SOL") > 0 else "buy"
        market.do("lea", PlaceOrder("SOL", side, abs(market.lots("lea", "SOL"))))
    tick(market)
    assert market.copied_lots("fay", symbol="SOL") == 0
    assert market.copy("fay").orders == {}
