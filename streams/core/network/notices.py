"""What a trader is told: levels by category, and how far it has read.

Notifications are the events of the channel `notifications:{trader}`; which events go there is
decided by `view.notifications`, and depends on the levels kept here. So numbers are replicated,
and what a trader switched off is never numbered.
"""

from __future__ import annotations

from streams.core.commands import ReadNotifications, SetNotificationLevels
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import NotificationLevelsChanged, NotificationsRead
from streams.core.network.change import profile_for_change
from streams.core.reasons import Reason
from streams.core.social import unknown_trader
from streams.core.state import State, Trader


CATEGORIES = ("copying", "ideas", "network", "account")
"""What notifications are about."""

LEVELS = ("all", "important", "off")
"""`important` leaves out what is pleasant to know; `account` cannot be switched off."""

LEVEL_DEFAULT = "all"


def level_of(trader: Trader, category: str) -> str:
    """Return the level that a trader wants in a category."""
    return trader.about.levels.get(category, LEVEL_DEFAULT)


def unread(state: State, trader: Trader) -> int:
    """Return how many notifications are not read yet."""
    return state.channel_seqs.get(f"notifications:{trader.trader}", 0) - trader.about.notices_read


def decide_read_notifications(ctx: Context, command: ReadNotifications) -> Decision:
    """Mark as read; a number that was read already changes nothing.

    Checks in order: UNKNOWN_TRADER, INVALID_SETTINGS (a number that does not exist).
    """
    trader = ctx.state.traders.get(ctx.principal)
    if trader is None:
        return unknown_trader(ctx.principal)
    newest = ctx.state.channel_seqs.get(f"notifications:{ctx.principal}", 0)
    if not 0 <= command.through <= newest:
        return Refusal(
            Reason.INVALID_SETTINGS,
            f"expected a number from 0 to {newest}, was {command.through}",
            "through",
        )
    if command.through > trader.about.notices_read:
        ctx.emit(NotificationsRead(ctx.principal, command.through, ctx.time(0)))
    return ctx.principal


def evolve_notifications_read(state: State, event: NotificationsRead) -> None:
    """Move the mark."""
    profile_for_change(state, event.trader).notices_read = event.through


def decide_set_notification_levels(ctx: Context, command: SetNotificationLevels) -> Decision:
    """Patch the levels.

    Checks in order: UNKNOWN_TRADER, INVALID_SETTINGS (category, level, `account` off).
    """
    if ctx.principal not in ctx.state.traders:
        return unknown_trader(ctx.principal)
    for category, level in command.levels.items():
        if category not in CATEGORIES:
            return _refused(f"expected one of {', '.join(CATEGORIES)}, was {category!r}", category)
        if level not in LEVELS:
            return _refused(f"expected one of {', '.join(LEVELS)}, was {level!r}", category)
        if category == "account" and level == "off":
            return _refused("expected all or important for account, was 'off'", category)
    if command.levels:
        ctx.emit(NotificationLevelsChanged(ctx.principal, command.levels, ctx.time(0)))
    return ctx.principal


def _refused(message: str, category: str) -> Refusal:
    return Refusal(Reason.INVALID_SETTINGS, message, f"levels.{category}")


def evolve_notification_levels_changed(state: State, event: NotificationLevelsChanged) -> None:
    """Replace the levels of the categories given."""
    profile_for_change(state, event.trader).levels.update(event.levels)


DECIDERS: Deciders = {
    ReadNotifications: decide_read_notifications,
    SetNotificationLevels: decide_set_notification_levels,
}
EVOLVERS: Evolvers = {
    NotificationsRead: evolve_notifications_read,
    NotificationLevelsChanged: evolve_notification_levels_changed,
}
