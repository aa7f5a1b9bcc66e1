"""Which events a trader is told of, and how a notification reads.

A notification is an event with a word on why it concerns its reader. Its data depend on the
event alone, so that an archived one reads as the live one did. Who is told depends on the levels
that traders have set (`network.notices`), which are replicated: numbers are equal on every node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple

from streams.core.events import (
    CopyLimitReached,
    CopyStatusChanged,
    Event,
    FlagCleared,
    IdeaCommented,
    IdeaLiked,
    IdeaResolved,
    LeaderToppedUp,
    TraderFlagged,
    TraderFollowed,
    TraderVerified,
)
from streams.core.network.notices import level_of
from streams.core.state import State


Readers = Callable[[State, Any], Iterable[str]]


class Notice(NamedTuple):
    """How events of one kind become notifications.

    Attributes:
        kind: its name for clients.
        category: one of `network.notices.CATEGORIES`.
        important: whether a reader with level `important` is told.
        readers: returns who is told, as far as its levels allow.
    """

    kind: str
    category: str
    important: bool
    readers: Readers


def _target(_: State, event: TraderFollowed) -> Iterable[str]:
    return (event.target,)


def _trader(_: State, event: TraderVerified | IdeaResolved) -> Iterable[str]:
    return (event.trader,)


def _author(state: State, event: IdeaLiked) -> Iterable[str]:
    author = state.ideas[event.idea].trader
    return () if author == event.trader else (author,)


def _addressed(state: State, event: IdeaCommented) -> Iterable[str]:
    """The idea's author, and who wrote the comment that is answered; nobody tells itself."""
    idea = state.ideas[event.idea]
    readers = {idea.trader: None}
    if event.parent:
        readers |= {each.trader: None for each in idea.comments if each.comment == event.parent}
    readers.pop(event.trader, None)
    return readers


def _copier(_: State, event: CopyStatusChanged) -> Iterable[str]:
    """Whoever copies, unless it was its own doing or the end of it."""
    own = event.actor == "follower" or event.cause == "synced"
    return () if own else (event.follower,)


def _warned(_: State, event: CopyLimitReached) -> Iterable[str]:
    return (event.follower,)


def _followers(state: State, event: TraderFlagged | FlagCleared) -> Iterable[str]:
    """The trader, and whoever copies it."""
    copies = state.copies.get(event.trader, {})
    return (event.trader, *(name for name, copy in copies.items() if copy.status != "STOPPED"))


def _told(state: State, event: LeaderToppedUp) -> Iterable[str]:
    """The part of the leader's copiers whose turn it is."""
    copies = islice(state.copies[event.leader].values(), event.first, event.first + event.count)
    return (copy.follower for copy in copies if copy.status != "STOPPED")


NOTICES: dict[type[Event], Notice] = {
    IdeaLiked: Notice("idea_liked", "ideas", important=False, readers=_author),
    IdeaCommented: Notice("idea_commented", "ideas", important=True, readers=_addressed),
    IdeaResolved: Notice("idea_resolved", "ideas", important=True, readers=_trader),
    CopyStatusChanged: Notice("copy_changed", "copying", important=True, readers=_copier),
    CopyLimitReached: Notice("copy_limit", "copying", important=True, readers=_warned),
    LeaderToppedUp: Notice("leader_topped_up", "copying", important=True, readers=_told),
    TraderFlagged: Notice("flag_raised", "copying", important=True, readers=_followers),
    FlagCleared: Notice("flag_cleared", "copying", important=False, readers=_followers),
    TraderFollowed: Notice("new_follower", "network", important=False, readers=_target),
    TraderVerified: Notice("verification", "account", important=True, readers=_trader),
}


def notification_keys(state: State, event: Event) -> tuple[str, ...]:
    """Return the keys of the notification channels that carry an event of `NOTICES`."""
    notice = NOTICES[type(event)]
    wanted = ("all", "important") if notice.important else ("all",)
    traders = state.traders
    return tuple(
        f"notifications:{reader}"
        for reader in notice.readers(state, event)
        if level_of(traders[reader], notice.category) in wanted
    )


def notification_data(event: Event, data: dict[str, Any]) -> dict[str, Any]:
    """Return a notification of an event with its `event_data`."""
    notice = NOTICES[type(event)]
    return {
        "kind": notice.kind,
        "category": notice.category,
        "important": notice.important,
        "event": data,
    }
