"""Which lossless channels an event goes to.

Keys are channel names; private channels carry the account in the key: `account:{trader}`,
`copies:{follower}`. A session that asks for its own `account` is given its own key.

Ask right after the event is applied: whether an idea is private is read from the state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.events import (
    AccountLiquidated,
    CancelAfterMet,
    CancelAfterSet,
    CashMoved,
    CopyDecided,
    CopyDelayed,
    CopyFeeCharged,
    CopyLimitReached,
    CopyOrderEnded,
    CopyOrderFilled,
    CopyOrderPlaced,
    CopyScopeSet,
    CopySet,
    CopyStatusChanged,
    CopyStopped,
    DigestTaken,
    EquityReported,
    Event,
    ExitLevelsSet,
    FeeTermsSet,
    FillBooked,
    FillHeld,
    FlagCleared,
    IdeaArmed,
    IdeaClosed,
    IdeaCommented,
    IdeaCreated,
    IdeaEdited,
    IdeaEngaged,
    IdeaEntered,
    IdeaHidden,
    IdeaLiked,
    IdeaPublished,
    IdeaResolved,
    IdeaTargetHit,
    IdeaUndone,
    IdeaUnliked,
    IdeaUpdated,
    InstrumentRegistered,
    InstrumentSettled,
    KillSwitchSet,
    LeaderReinstated,
    LeaderSuspended,
    OrderCancelled,
    OrderEdited,
    OrderPlaced,
    PositionReported,
    SeasonClosed,
    SeasonOpened,
    SeasonStarted,
    SeasonStood,
    SeedCommitted,
    SeedRevealed,
    SentimentMeasured,
    TraderFlagged,
)
from streams.core.ideas.terms import is_public
from streams.core.network.feed import posts_key
from streams.core.state import State
from streams.core.view.notifications import NOTICES, notification_keys


Keys = tuple[str, ...]

NOWHERE: Keys = ()


def _created(state: State, event: IdeaCreated) -> Keys:
    return _idea(state, event) if event.published else NOWHERE


def _idea(state: State, event: IdeaCreated | IdeaPublished | IdeaResolved | IdeaClosed) -> Keys:
    return (*_step(state, event), *_posts(state, event.trader))


def _step(
    _: State,
    event: IdeaCreated
    | IdeaPublished
    | IdeaArmed
    | IdeaEntered
    | IdeaTargetHit
    | IdeaResolved
    | IdeaClosed
    | IdeaUndone
    | IdeaHidden
    | IdeaUpdated,
) -> Keys:
    return ("ideas", f"ideas:{event.symbol}", f"ideas_by:{event.trader}")


def _posts(state: State, author: str) -> Keys:
    """Return the key under which followers find the event; what nobody follows is not counted."""
    return (posts_key(author),) if state.traders[author].followers else NOWHERE


def _closed(state: State, event: IdeaClosed) -> Keys:
    return _idea(state, event) if is_public(state.ideas[event.idea]) else NOWHERE


def _edited(state: State, event: IdeaEdited) -> Keys:
    if not is_public(state.ideas[event.idea]):
        return NOWHERE
    return ("ideas", f"ideas:{event.symbol_before}", f"ideas_by:{event.trader}")


def _reaction(_: State, event: IdeaLiked | IdeaUnliked | IdeaCommented) -> Keys:
    return ("ideas", f"ideas:{event.symbol}")


def _engaged(_: State, event: IdeaEngaged) -> Keys:
    return ("ideas", f"ideas:{event.symbol}") if event.symbol else NOWHERE


def _fill(state: State, event: FillBooked) -> Keys:
    trader = event.trader
    if event.signal_seq:
        return (f"account:{trader}", f"signals:{trader}", *_posts(state, trader))
    return (f"account:{trader}",)


def _order(_: State, event: OrderPlaced | OrderEdited | OrderCancelled | AccountLiquidated) -> Keys:
    return (f"account:{event.trader}", f"signals:{event.trader}")


def _levels(_: State, event: ExitLevelsSet) -> Keys:
    if event.leader:
        return (f"account:{event.trader}",)
    return (f"account:{event.trader}", f"signals:{event.trader}")


def _flag(_: State, event: TraderFlagged | FlagCleared) -> Keys:
    return (f"account:{event.trader}",)


def _account(
    _: State,
    event: PositionReported | EquityReported | CashMoved | CancelAfterSet | CancelAfterMet,
) -> Keys:
    return (f"account:{event.trader}",)


def _copy(_: State, event: CopySet | CopyStatusChanged | CopyStopped | CopyLimitReached) -> Keys:
    return (f"account:{event.follower}",)


def _copy_order(_: State, event: CopyDelayed | CopyOrderPlaced | CopyOrderFilled) -> Keys:
    return (f"account:{event.follower}",)


def _copy_order_ended(_: State, event: CopyOrderEnded) -> Keys:
    """Nothing was cancelled of an order that was full: its last fill has told its end."""
    return (f"account:{event.follower}",) if event.lots else NOWHERE


def _fee(_: State, event: CopyFeeCharged) -> Keys:
    return (f"account:{event.follower}", f"account:{event.leader}")


def _terms(_: State, event: FeeTermsSet) -> Keys:
    return (f"account:{event.trader}", f"signals:{event.trader}")


def _scope(_: State, event: CopyScopeSet) -> Keys:
    trader = event.scope.partition(":")[2]
    return (f"account:{trader}",) if trader else ("system",)


def _leader(_: State, event: LeaderSuspended | LeaderReinstated | FillHeld) -> Keys:
    return (f"account:{event.trader}", f"signals:{event.trader}")


def _decision(_: State, event: CopyDecided) -> Keys:
    return (f"copies:{event.follower}",)


def _measured(_: State, event: SentimentMeasured) -> Keys:
    # no channel of the stream: numbered so that the archive can be read by symbol
    return (f"sentiment_points:{event.symbol}",)


def _system(_: State, __: Event) -> Keys:
    return ("system",)


ROUTES: dict[type[Event], Callable[[State, Any], Keys]] = {
    IdeaCreated: _created,
    IdeaPublished: _idea,
    IdeaEdited: _edited,
    IdeaClosed: _closed,
    IdeaArmed: _step,
    IdeaEntered: _step,
    IdeaTargetHit: _step,
    IdeaResolved: _idea,
    IdeaUndone: _step,
    IdeaHidden: _step,
    IdeaUpdated: _step,
    IdeaLiked: _reaction,
    IdeaUnliked: _reaction,
    IdeaCommented: _reaction,
    IdeaEngaged: _engaged,
    FillBooked: _fill,
    OrderPlaced: _order,
    OrderEdited: _order,
    OrderCancelled: _order,
    ExitLevelsSet: _levels,
    AccountLiquidated: _order,
    TraderFlagged: _flag,
    FlagCleared: _flag,
    SeasonOpened: _system,
    SeasonStarted: _system,
    SeasonClosed: _system,
    SeasonStood: _system,
    CancelAfterSet: _account,
    CancelAfterMet: _account,
    CashMoved: _account,
    PositionReported: _account,
    EquityReported: _account,
    CopySet: _copy,
    CopyStatusChanged: _copy,
    CopyStopped: _copy,
    FeeTermsSet: _terms,
    CopyFeeCharged: _fee,
    CopyDecided: _decision,
    CopyLimitReached: _copy,
    CopyDelayed: _copy_order,
    CopyOrderPlaced: _copy_order,
    CopyOrderFilled: _copy_order,
    CopyOrderEnded: _copy_order_ended,
    CopyScopeSet: _scope,
    KillSwitchSet: _system,
    LeaderSuspended: _leader,
    LeaderReinstated: _leader,
    FillHeld: _leader,
    SentimentMeasured: _measured,
    InstrumentRegistered: _system,
    InstrumentSettled: _system,
    DigestTaken: _system,
    SeedCommitted: _system,
    SeedRevealed: _system,
}
"""By type of event: from the state as the event left it, and the event, to the keys of the lossless
channels that carry it, in a fixed order. A type that is not here goes nowhere.
"""


def _noticed(route: Callable[[State, Any], Keys]) -> Callable[[State, Any], Keys]:
    """Return a route that goes on to the notifications of whom the event concerns."""

    def keys(state: State, event: Event) -> Keys:
        return (*route(state, event), *notification_keys(state, event))

    return keys


for _kind in NOTICES:
    ROUTES[_kind] = _noticed(ROUTES.get(_kind, lambda _, __: NOWHERE))
