"""What must hold at every quiet point, recomputed the slow way.

Used by `optix verify`, by the simulation and by property tests. Returns sentences, one a breach,
so that a test or an operator sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.core.copying.copy_orders import order_breaches
from streams.core.copying.delays import delay_breaches
from streams.core.ideas.soundness import idea_breaches
from streams.core.state import INTERVALS, Ledger, State, Trader


def check_invariants(state: State) -> list[str]:
    """Return every breach found; empty when the state is sound."""
    return [
        *_ledgers(state),
        *_position_books(state),
        *idea_breaches(state),
        *_indices(state),
        *order_breaches(state),
        *delay_breaches(state),
        *_totals(state),
        *_channels(state),
    ]


def _all_ledgers(state: State) -> Iterator[tuple[str, Ledger]]:
    for trader in state.traders.values():
        yield trader.trader, trader.ledger
    for leader, copies in state.copies.items():
        for follower, copy in copies.items():
            yield f"{follower} copying {leader}", copy.ledger


def _ledgers(state: State) -> Iterator[str]:
    for name, ledger in _all_ledgers(state):
        for symbol, position in ledger.positions.items():
            if position.lots == 0:
                yield f"{name}: flat position in {symbol} is held"
            if position.cost_micros * position.lots < 0:
                yield f"{name}: cost of {symbol} has the wrong sign"
            if symbol not in state.instruments:
                yield f"{name}: position in unknown instrument {symbol}"


def _position_books(state: State) -> Iterator[str]:
    longs: dict[tuple[str, int], int] = {}
    shorts: dict[tuple[str, int], int] = {}
    for _, ledger in _all_ledgers(state):
        for symbol, position in ledger.positions.items():
            side = longs if position.lots > 0 else shorts
            key = symbol, position.level_ticks
            side[key] = side.get(key, 0) + abs(position.lots)
    books = state.position_books.items()
    for name, expected, actual in (
        ("long", longs, {(s, p): n for s, book in books for p, n in book.longs.items()}),
        ("short", shorts, {(s, p): n for s, book in books for p, n in book.shorts.items()}),
    ):
        if expected != actual:
            differing = [k for k in {**expected, **actual} if expected.get(k) != actual.get(k)]
            yield f"position book, {name}: differs at {differing[:3]}"


def _indices(state: State) -> Iterator[str]:
    for order_id, order in state.orders.items():
        if order_id not in state.resting.get(order.symbol, {}):
            yield f"order {order_id} does not rest at {order.symbol}"
        if order_id not in state.traders[order.trader].orders:
            yield f"order {order_id} is unknown to its trader"
    if sum(len(resting) for resting in state.resting.values()) != len(state.orders):
        yield "resting orders and orders differ in number"
    switches = sorted((due_us, trader) for trader, due_us in state.cancel_after.items())
    if switches != [tuple(row) for row in state.cancel_after_due]:
        yield "switches and their times differ"
    for trader in state.traders.values():
        yield from _links(state, trader)


def _links(state: State, trader: Trader) -> Iterator[str]:
    if state.handles.get(trader.handle) != trader.trader:
        yield f"handle {trader.handle} does not lead to {trader.trader}"
    for target in trader.following:
        if trader.trader not in state.traders[target].followers:
            yield f"{target} does not know its follower {trader.trader}"
    for leader in trader.copying:
        if state.copies[leader][trader.trader].status == "STOPPED":
            yield f"{trader.trader} lists a stopped copy of {leader}"
    copies = state.copies.get(trader.trader, {}).values()
    if trader.copiers != sum(copy.status != "STOPPED" for copy in copies):
        yield f"{trader.trader} counts {trader.copiers} copiers"
    for former in trader.about.former_handles:
        if state.handles.get(former.handle) != trader.trader:
            yield f"former handle {former.handle} does not lead to {trader.trader}"


def _totals(state: State) -> Iterator[str]:
    totals = state.totals
    copies = [copy for by_follower in state.copies.values() for copy in by_follower.values()]
    counted = (
        ("open_positions", sum(len(ledger.positions) for _, ledger in _all_ledgers(state))),
        ("copies_active", sum(1 for copy in copies if copy.status != "STOPPED")),
        ("copies_executed", sum(copy.executed for copy in copies)),
        ("copies_skipped", sum(copy.skipped for copy in copies)),
        ("trades", sum(trader.track.fills for trader in state.traders.values())),
    )
    for name, expected in counted:
        actual = getattr(totals, name)
        if actual != expected:
            yield f"total {name}: expected {expected}, was {actual}"
    for copy in copies:
        if sum(copy.codes.values()) != copy.executed + copy.skipped:
            yield f"{copy.follower} copying {copy.leader}: codes do not add up"


def _channels(state: State) -> Iterator[str]:
    for interval, suffix in enumerate(INTERVALS):
        for base, channel in state.conflated.items():
            listed = base in state.pending_channels[interval]
            if listed != bool(channel.pending[interval]):
                yield f"channel {base}{suffix}: pending rows and the pending list differ"
