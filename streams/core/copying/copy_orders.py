"""A follower's own limit orders that mirror its leader's: their ids, where they are kept.

Invariants:
    * One order of the leader has at most one of a copy, found by the leader's order. Its id is made
      from relationship, signal, leg and try: equal on every node and whenever it is asked again.
    * The book of an instrument holds exactly what rests.
    * A copy that takes no openings has no opening that rests.
    * What was filled of an opening stays on record for as long as the leader's order rests: a fill
      of that order is not copied a second time. A closing that ended leaves nothing behind, so that
      the leader's next closing is copied as a fill.
Source: domain.md, sections 4.3, 4.5 and 8 (idempotent id).
"""

from __future__ import annotations

from base64 import b32encode
from bisect import bisect_left, insort
from collections.abc import Iterator
from hashlib import sha256

from streams.core.context import Context, Evolvers
from streams.core.events import CopyDecided, CopyOrderEnded, CopyOrderFilled, CopyOrderPlaced
from streams.core.limits import LEADER_ORDERS_NOTED_MAX
from streams.core.performance.equity import ledger_equity
from streams.core.reasons import Reason
from streams.core.state import Copy, CopyOrder, CopyOrderBook, State


OPENING, CLOSING = "mirror", "mirror_close"

ID_LENGTH = 32
"""Characters kept of the hash: 160 bits."""

Entry = tuple[int, str, str, str, str]


def client_order_id(copy: Copy, signal: str, leg: str, attempt: int) -> str:
    """Return the id of an order for one leg of a signal, equal whenever it is asked again.

    Args:
        copy: the relationship; begun anew, it makes new ids.
        signal: what is copied.
        leg: see `CopyDecided`.
        attempt: 0, and one more after each definitive reject.
    """
    text = "\n".join((copy.leader, copy.follower, str(copy.started_at_us), signal, leg))
    return b32encode(sha256(f"{text}\n{attempt}".encode()).digest()).decode()[:ID_LENGTH].lower()


def note_order(state: State, trader: str, order: str) -> None:
    """Have the copies follow an order as it stands now. Called by `evolve_*` only.

    An order that ended before anyone followed it is forgotten; beyond `LEADER_ORDERS_NOTED_MAX`
    orders are not mirrored, and their fills are copied.
    """
    desk = state.copy_desk
    if trader not in desk.mirroring:
        return
    edits = desk.order_edits.setdefault(trader, {})
    if order in desk.followed.get(trader, ()):
        edits[order] = 0
    elif order not in state.orders:
        edits.pop(order, None)
    elif len(edits) < LEADER_ORDERS_NOTED_MAX:
        edits[order] = 0
    if not edits:
        del desk.order_edits[trader]


def note_orders(state: State, copy: Copy) -> None:
    """Have a copy that mirrors, or did, follow all resting orders of its leader."""
    if copy.settings.follow_limit_orders != "mirror" and not copy.orders:
        return
    state.copy_desk.mirroring.setdefault(copy.leader, {})[copy.follower] = None
    for order in state.traders[copy.leader].orders:
        note_order(state, copy.leader, order)


def due_lots(state: State, own: CopyOrder) -> int:
    """Return how many lots a copy order is behind the leader's, which never runs behind it.

    Of an order that is so old that it is no longer remembered, all is due.
    """
    order = state.orders.get(own.order) or state.ended_orders.get(own.order)
    if order is None:
        return own.left_lots
    passed = min(order.filled_lots - own.leader_filled_lots, own.leader_lots)
    span = own.lots - own.base_lots
    return span * passed // own.leader_lots - (own.filled_lots - own.base_lots)


def end_order(ctx: Context, copy: Copy, own: CopyOrder, code: str) -> None:
    """Cancel what is left of a copy order."""
    ctx.emit(
        CopyOrderEnded(
            copy.follower,
            copy.leader,
            own.client_order_id,
            own.order,
            own.symbol,
            code,
            own.left_lots,
            ctx.time(0),
        )
    )


def miss_order(ctx: Context, copy: Copy, own: CopyOrder, code: str) -> None:
    """Cancel what is left; what the leader got of its order and the copy did not is a skip."""
    missed = due_lots(ctx.state, own)
    if own.leg == OPENING and missed > 0:
        _tell_missed(ctx, copy, own, code, missed)
    end_order(ctx, copy, own, code)


def _tell_missed(ctx: Context, copy: Copy, own: CopyOrder, code: str, missed: int) -> None:
    state, at_us = ctx.state, ctx.time(0)
    passed = missed * own.leader_lots // (own.lots - own.base_lots)
    instrument = state.instruments[own.symbol]
    ctx.emit(
        CopyDecided(
            follower=copy.follower,
            leader=copy.leader,
            signal_seq=0,
            leg=OPENING,
            symbol=own.symbol,
            code=code,
            clamps=(),
            version=copy.version,
            leader_equity_micros=ledger_equity(state, state.traders[copy.leader].ledger),
            follower_equity_micros=ledger_equity(state, copy.ledger),
            leader_lots=passed * own.side,
            leader_price_ticks=own.limit_ticks,
            wanted_lots=missed * own.side,
            lots=0,
            price_ticks=0,
            fee_micros=0,
            slippage_bps=0,
            result=None,
            carry_ppb=0,
            at_us=at_us,
            sized_millilots=missed * 1000 * own.side,
            bid_ticks=instrument.bid_ticks,
            ask_ticks=instrument.ask_ticks,
            decided_at_us=ctx.at_us,
            leader_symbol=own.symbol,
        )
    )


def end_closings(ctx: Context, copy: Copy, symbol: str) -> None:
    """Cancel the closings of a symbol in which nothing is left to close."""
    for own in list(copy.orders.values()):
        if own.symbol == symbol and own.leg == CLOSING:
            end_order(ctx, copy, own, Reason.MIRROR_VOID.value)


def end_openings(ctx: Context, copy: Copy, symbol: str, closed_by: str) -> None:
    """Cancel openings of a symbol in which the leader has closed.

    These are those whose order is full, and the one whose order has closed instead of opening.

    Args:
        ctx: the command's context.
        copy: the relationship.
        symbol: an instrument.
        closed_by: the leader's order that closed.
    """
    for own in list(copy.orders.values()):
        if own.symbol != symbol or own.leg == CLOSING:
            continue
        if own.order == closed_by:
            end_order(ctx, copy, own, Reason.MIRROR_VOID.value)
        elif own.order not in ctx.state.orders:
            miss_order(ctx, copy, own, Reason.MIRROR_VOID.value)


def leave_openings(ctx: Context, copy: Copy, symbol: str) -> None:
    """Cancel the openings of a symbol that the follower has left by hand."""
    for own in list(copy.orders.values()):
        if own.symbol == symbol and own.leg == OPENING and own.left_lots:
            miss_order(ctx, copy, own, Reason.DETACHED_BY_FOLLOWER.value)


def drop_openings(state: State, copy: Copy) -> None:
    """End all openings of a copy that changes its state. Called by `evolve_*` only.

    A copy that syncs afterwards is brought to the leader's weights: what was filled no longer says
    what is still to be copied.
    """
    for own in list(copy.orders.values()):
        if own.leg == OPENING:
            _end(state, copy, own)
            if copy.status == "SYNCING":
                copy.orders.pop(own.order, None)


def drop_orders(state: State, copy: Copy) -> None:
    """Forget all orders of a copy that stops. Called by `evolve_*` only."""
    for own in copy.orders.values():
        _unlist(state, copy, own)
    copy.orders = {}


def evolve_copy_order_placed(state: State, event: CopyOrderPlaced) -> None:
    """Let the order rest, or give it its new terms; what was filled of it stays filled."""
    copy = state.copies[event.leader][event.follower]
    before = copy.orders.get(event.order)
    filled = 0
    if before is not None:
        _unlist(state, copy, before)
        filled = before.filled_lots
    own = copy.orders[event.order] = CopyOrder(
        event.client_order_id,
        event.order,
        event.symbol,
        event.leg,
        event.side,
        event.lots,
        event.limit_ticks,
        event.leader_lots,
        event.leader_order_lots,
        event.leader_filled_lots,
        event.version,
        event.at_us,
        filled,
        filled,
    )
    book = state.copy_desk.order_books.setdefault(own.symbol, CopyOrderBook())
    insort(_entries(book, own), _entry(copy, own))


def evolve_copy_order_filled(state: State, event: CopyOrderFilled) -> None:
    """Count the fill; nothing rests of an order that is full."""
    copy = state.copies[event.leader][event.follower]
    own = copy.orders[event.order]
    if event.lots == own.left_lots:
        _unlist(state, copy, own)
    own.filled_lots += event.lots
    if not own.left_lots and own.order not in state.orders:
        del copy.orders[own.order]


def evolve_copy_order_ended(state: State, event: CopyOrderEnded) -> None:
    """Take the rest out of the book."""
    copy = state.copies[event.leader][event.follower]
    _end(state, copy, copy.orders[event.order])


def _end(state: State, copy: Copy, own: CopyOrder) -> None:
    _unlist(state, copy, own)
    own.lots = own.filled_lots
    if own.leg == CLOSING or not own.lots or own.order not in state.orders:
        del copy.orders[own.order]


def _entry(copy: Copy, own: CopyOrder) -> Entry:
    ticks = -own.limit_ticks if own.side > 0 else own.limit_ticks
    return ticks, own.client_order_id, copy.leader, copy.follower, own.order


def _entries(book: CopyOrderBook, own: CopyOrder) -> list[Entry]:
    return book.buys if own.side > 0 else book.sells


def _unlist(state: State, copy: Copy, own: CopyOrder) -> None:
    if not own.left_lots:
        return
    books = state.copy_desk.order_books
    book = books[own.symbol]
    entries = _entries(book, own)
    del entries[bisect_left(entries, _entry(copy, own))]
    if not book.buys and not book.sells:
        del books[own.symbol]


def order_breaches(state: State) -> Iterator[str]:
    """Yield a sentence for every book that does not hold exactly what may rest."""
    resting = []
    for copies in state.copies.values():
        for copy in copies.values():
            for own in copy.orders.values():
                if not own.left_lots:
                    continue
                resting.append((own.symbol, own.side, *_entry(copy, own)))
                if own.leg == OPENING and copy.status not in ("ACTIVE", "SYNCING"):
                    yield f"copy orders: {copy.follower} is {copy.status}, an opening rests"
    listed = [
        (symbol, side, *entry)
        for symbol, book in state.copy_desk.order_books.items()
        for side, entries in ((1, book.buys), (-1, book.sells))
        for entry in entries
    ]
    if sorted(resting) != sorted(listed):
        yield f"copy orders: {len(resting)} rest, {len(listed)} are in books"


EVOLVERS: Evolvers = {
    CopyOrderPlaced: evolve_copy_order_placed,
    CopyOrderFilled: evolve_copy_order_filled,
    CopyOrderEnded: evolve_copy_order_ended,
}
