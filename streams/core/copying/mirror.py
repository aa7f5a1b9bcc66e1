"""A leader's limit orders as the follower's own (`follow_limit_orders` = `mirror`).

On the tick after the leader placed, edited or lost an order, each mirroring copy is brought to how
that order then stands: a burst of edits is one. What would open passes all gates at the limit as
its price, and again at the quote that reaches it. What would close is the leader's fraction of what
is held, and no gate asks. Each order then fills at the quotes that reach its limit, never further
than the leader's own has been filled: what the leader gives up, no follower is left with.

A fill of the leader's order is not copied where an order stands for it (`LIMIT_MIRRORED`), unless
it leaves the leader flat: then all is closed at once. A closing that falls behind the leader's is
made up for at the quote on the next tick, so that a limit never holds back what reduces risk. An
opening rests on after the leader's is full, until the leader closes any of it.
An order through zero closes by its limit and opens by its fill. A reversed copy, and one that holds
another instrument, have no such price: they copy fills.
Source: domain.md, sections 4.3 and 4.5; docs/adr/0023.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from streams.core.context import Context, Evolvers
from streams.core.copying.copy_orders import (
    CLOSING,
    OPENING,
    client_order_id,
    due_lots,
    end_order,
    miss_order,
)
from streams.core.copying.gates import judge_opening
from streams.core.copying.pipeline import book_opening, close_copy_position, closing_ticks_of
from streams.core.copying.signal import Signal, quote_ticks, standing_of
from streams.core.copying.sizing import Wish
from streams.core.events import (
    CopyOrderFilled,
    CopyOrderPlaced,
    FillBooked,
    LeaderOrdersFollowed,
    PositionResult,
)
from streams.core.execution.order_states import FILLED
from streams.core.limits import COPY_ORDERS_MAX, COPY_ORDERS_MET_MAX
from streams.core.orders import SIDES
from streams.core.reasons import Reason
from streams.core.state import Copy, CopyOrder, Order, Position, State


ASKED = "place"
"""Leg of an opening that the gates refused before it could rest."""

Terms = tuple[str, int, int]
"""Instrument, signed lots and limit in ticks."""


def follow_orders(ctx: Context, budget: int) -> None:
    """Bring copies to how their leaders' orders stand now, one leader after the other."""
    state = ctx.state
    while budget > 0 and state.copy_desk.order_edits:
        leader, edits = next(iter(state.copy_desk.order_edits.items()))
        order, first = next(iter(edits.items()))
        followers = list(islice(state.copy_desk.mirroring[leader], first, first + budget))
        for follower in followers:
            _follow(ctx, state.copies[leader][follower], order)
        reached = first + budget if len(followers) == budget else -1
        ctx.emit(LeaderOrdersFollowed(leader, order, reached, ctx.time(0)))
        budget -= len(followers) + 1


def _follow(ctx: Context, copy: Copy, name: str) -> None:
    own, order = copy.orders.get(name), ctx.state.orders.get(name)
    if order is None:
        if own is not None:
            _leave(ctx, copy, own)
    elif not _mirrors(copy, order.symbol):
        if own is not None:
            end_order(ctx, copy, own, Reason.MIRROR_VOID.value)
    elif own is None:
        _begin(ctx, copy, order)
    else:
        _make_up(ctx, copy, own)
        if name in copy.orders and _changed(copy, own, order):
            _replace(ctx, copy, own, order)


def _mirrors(copy: Copy, symbol: str) -> bool:
    """Whether a copy follows limit orders in a symbol by its own, at the same price."""
    settings = copy.settings
    return (
        settings.follow_limit_orders == "mirror"
        and copy.status not in ("PENDING", "STOPPED")
        and not settings.reverse
        and symbol not in copy.detached
        and settings.symbol_map.get(symbol, symbol) == symbol
        and symbol not in copy.mapped
        and symbol not in copy.mapped.values()
    )


def _leave(ctx: Context, copy: Copy, own: CopyOrder) -> None:
    """The leader's order is no more: it was filled, or given up."""
    ended = ctx.state.ended_orders.get(own.order)
    if ended is not None and own.leg == CLOSING:
        _make_up(ctx, copy, own)
    elif ended is not None and ended.status == FILLED and own.left_lots:
        if _changed(copy, own, ended):
            _replace(ctx, copy, own, ended)
        return
    if own.order in copy.orders:
        miss_order(ctx, copy, own, Reason.LEADER_ORDER_ENDED.value)


def _make_up(ctx: Context, copy: Copy, own: CopyOrder) -> None:
    """Close at the quote what the leader's order has closed and the copy's has not."""
    due = due_lots(ctx.state, own)
    if own.leg == CLOSING and due > 0:
        _close(ctx, copy, own, due, closing_ticks_of(ctx.state, copy, own.symbol))


def _leader_lots(state: State, copy: Copy, symbol: str) -> int:
    held = state.traders[copy.leader].ledger.positions.get(symbol)
    return held.lots if held is not None else 0


def _begin(ctx: Context, copy: Copy, order: Order) -> None:
    rest, side = order.lots - order.filled_lots, SIDES[order.side]
    leads = _leader_lots(ctx.state, copy, order.symbol)
    if leads * side >= 0:
        _ask(ctx, copy, order, rest, None)
        return
    held = copy.ledger.positions.get(order.symbol)
    part = min(rest, abs(leads))
    if held is None or held.lots * side > 0 or len(copy.orders) >= COPY_ORDERS_MAX:
        return
    lots = abs(held.lots) * part // abs(leads)
    if lots:
        _place(ctx, copy, order, CLOSING, lots, part, rest)


def _changed(copy: Copy, own: CopyOrder, order: Order) -> bool:
    sized = own.leg == CLOSING or own.version == copy.version
    before = own.limit_ticks, own.leader_order_lots
    return not sized or before != (order.limit_ticks, order.lots)


def _replace(ctx: Context, copy: Copy, own: CopyOrder, order: Order) -> None:
    """Give an order new terms, for what it still stood for and what the leader added or took."""
    if own.leg == OPENING:
        rest = own.leader_lots * own.left_lots // max(own.lots - own.base_lots, 1)
        rest += order.lots - own.leader_order_lots
        if rest > 0:
            _ask(ctx, copy, order, rest, own)
        return
    rest = order.lots - order.filled_lots
    leads = -own.side * _leader_lots(ctx.state, copy, own.symbol)
    if leads <= 0:  # only a venue's word on a position can do this
        end_order(ctx, copy, own, Reason.MIRROR_VOID.value)
        return
    part = min(rest, leads)
    held = abs(copy.ledger.positions[own.symbol].lots)
    lots = held * part // leads
    if lots:
        _place(ctx, copy, order, CLOSING, lots, part, rest)
    else:
        end_order(ctx, copy, own, Reason.ZERO_AFTER_ROUNDING.value)


def _ask(ctx: Context, copy: Copy, order: Order, rest: int, own: CopyOrder | None) -> None:
    """Pass lots of the leader's order through the gates, at its limit."""
    terms = order.symbol, rest * SIDES[order.side], order.limit_ticks
    signal = _signal(ctx, copy, order.order, terms)
    signal.limit_ticks = order.limit_ticks
    wish = Wish(ctx.state, signal, copy)
    code = judge_opening(wish, signal.instrument)
    if code is Reason.EXECUTED and own is None and len(copy.orders) >= COPY_ORDERS_MAX:
        wish.lots, code = 0, Reason.LIMIT_REACHED
    if code is Reason.EXECUTED:
        _place(ctx, copy, order, OPENING, wish.lots, rest, rest)
        return
    book_opening(ctx, signal, wish, code, ASKED)
    if own is not None and own.left_lots:
        end_order(ctx, copy, own, code.value)


def _place(
    ctx: Context, copy: Copy, order: Order, leg: str, lots: int, leader_lots: int, rest: int
) -> None:
    """Let lots rest on top of those that are filled, and meet the quote.

    Args:
        ctx: the tick's context.
        copy: the relationship.
        order: the leader's.
        leg: `mirror` or `mirror_close`.
        lots: unsigned lots that shall rest, > 0.
        leader_lots: what they stand for of the leader's order.
        rest: the same with what opens after a closing; what of it is filled already is due.
    """
    own = copy.orders.get(order.order)
    ctx.emit(
        CopyOrderPlaced(
            copy.follower,
            copy.leader,
            client_order_id(copy, order.order, leg, 0),
            order.order,
            order.symbol,
            leg,
            SIDES[order.side],
            lots + (own.filled_lots if own is not None else 0),
            order.limit_ticks,
            leader_lots,
            order.lots,
            min(order.lots - rest, order.filled_lots),
            copy.version,
            ctx.time(0),
        )
    )
    _meet(ctx, copy, copy.orders[order.order])


def _signal(ctx: Context, copy: Copy, name: str, terms: Terms) -> Signal:
    """Return lots of the leader's order `name` as if they were opened at its limit."""
    state, at_us = ctx.state, ctx.time(0)
    symbol, lots, limit_ticks = terms
    leads = state.traders[copy.leader].ledger.positions.get(symbol)
    adds = leads is not None and leads.lots * lots > 0
    before = leads.lots if leads is not None and adds else 0
    value = state.instruments[symbol].value_micros(limit_ticks, lots)
    result = PositionResult(before + lots, value, 0, before, 0, 0)
    fill = FillBooked(
        "", copy.leader, symbol, lots, limit_ticks, 0, 0, "mirror", "", "", 0, result, at_us
    )
    standing = standing_of(state, state.traders[copy.leader].ledger)
    signal = Signal(state, fill, standing, ctx.at_us)
    order = state.orders.get(name) or state.ended_orders.get(name)
    stop, take = (order.stop_ticks, order.take_ticks) if order is not None else (0, 0)
    if leads is not None and adds:
        stop, take = stop or leads.stop_ticks, take or leads.take_ticks
    signal.position = Position(lots, value, at_us, stop_ticks=stop, take_ticks=take)
    signal.stop_ticks, signal.leveled = stop, bool(stop or take)
    return signal


def meet_copy_orders(ctx: Context, symbols: Iterable[str], *, again: bool = False) -> None:
    """Fill the mirrored orders that the quotes reach, best limits first.

    Args:
        ctx: the command's context.
        symbols: instruments with a new quote.
        again: the quotes are not new; what has a depth had its share of them.
    """
    state = ctx.state
    books = state.copy_desk.order_books
    if not books:
        return
    left = COPY_ORDERS_MET_MAX
    for symbol in symbols:
        book, instrument = books.get(symbol), state.instruments[symbol]
        if book is None or (again and instrument.depth_lots):
            continue
        bid, ask = instrument.bid_ticks, instrument.ask_ticks
        reached = [entry for entry in book.buys[:left] if ask <= -entry[0]]
        reached += [entry for entry in book.sells[: left - len(reached)] if bid >= entry[0]]
        left -= len(reached)
        for _, _, leader, follower, order in reached:
            copy = state.copies[leader][follower]
            if order in copy.orders:  # a fill before it may have ended the copy
                _meet(ctx, copy, copy.orders[order])


def _meet(ctx: Context, copy: Copy, own: CopyOrder) -> None:
    """Fill an order as far as the leader's is, the quote reaches it and the venue's depth goes."""
    state, side, due = ctx.state, own.side, due_lots(ctx.state, own)
    instrument = state.instruments[own.symbol]
    quote = quote_ticks(instrument, side)
    if due == 0 or quote == 0 or quote * side > own.limit_ticks * side:
        return
    lots = min(due, instrument.depth_lots or due)
    if own.leg == CLOSING:
        _close(ctx, copy, own, lots, quote)
        return
    held = copy.ledger.positions.get(own.symbol)
    _open(ctx, copy, own, lots if held is None or held.lots * side > 0 else 0)


def _open(ctx: Context, copy: Copy, own: CopyOrder, lots: int) -> None:
    """Pass lots of an opening through all gates once more, at the quote."""
    leaders = max(own.leader_lots * lots // (own.lots - own.base_lots), 1)
    leads = max(_leader_lots(ctx.state, copy, own.symbol) * own.side, 0)
    if leads < leaders:  # closed again before the copy could follow
        leaders, lots = max(leads, 1), lots * leads // leaders
    if lots == 0:
        miss_order(ctx, copy, own, Reason.MIRROR_VOID.value)
        return
    terms = own.symbol, leaders * own.side, own.limit_ticks
    signal = _signal(ctx, copy, own.order, terms)
    signal.ordered_lots = lots
    wish = Wish(ctx.state, signal, copy)
    code = judge_opening(wish, signal.instrument)
    wish.lots = min(wish.lots, lots)
    book_opening(ctx, signal, wish, code, OPENING)
    if code is not Reason.EXECUTED:
        end_order(ctx, copy, own, code.value)
        return
    _fill(ctx, copy, own, wish.lots, wish.quote_ticks)
    if wish.lots < lots:
        end_order(ctx, copy, own, wish.clamps[0])


def _close(ctx: Context, copy: Copy, own: CopyOrder, lots: int, price_ticks: int) -> None:
    """Fill a closing; a copy that stops by symbol closes all with it."""
    _fill(ctx, copy, own, lots, price_ticks)
    count = 0 if copy.stopping == "close_by_symbol" else lots
    close_copy_position(ctx, copy, own.symbol, price_ticks, CLOSING, ctx.time(0), count)


def _fill(ctx: Context, copy: Copy, own: CopyOrder, lots: int, price_ticks: int) -> None:
    ctx.emit(
        CopyOrderFilled(
            copy.follower,
            copy.leader,
            own.client_order_id,
            own.order,
            own.symbol,
            lots,
            price_ticks,
            ctx.time(0),
        )
    )


def evolve_leader_orders_followed(state: State, event: LeaderOrdersFollowed) -> None:
    """Go on from here, or be done; another leader's orders come next."""
    desk, leader = state.copy_desk, event.leader
    edits = desk.order_edits.pop(leader)
    followed = desk.followed.setdefault(leader, {})
    followed[event.order] = None
    if event.reached >= 0:
        edits[event.order] = event.reached
    else:
        del edits[event.order]
        if event.order not in state.orders:
            del followed[event.order]
    if edits:
        desk.order_edits[leader] = edits
    if not followed:
        del desk.followed[leader]


EVOLVERS: Evolvers = {LeaderOrdersFollowed: evolve_leader_orders_followed}
